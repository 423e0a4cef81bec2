// A failing run as a file: the scenario and the violation, so that a replay can compare.

import { readFileSync } from 'node:fs';
import type { Outcome, Scenario } from '../run/scenario.ts';
import { FAULT_NAMES, type FaultName } from '../world/faults.ts';
import { CHECK_NAMES, type CheckName } from '../world/violation.ts';

const FORMAT = 1;

export interface Recorded {
  readonly scenario: Scenario;
  readonly check: string;
  readonly message: string;
  readonly hash: string;
}

export function replayText(outcome: Outcome): string {
  const { seed, clients, requestsMax, faultsOff, hostile } = outcome.scenario;
  const { violation, hash } = outcome;
  const all = requestsMax === Number.POSITIVE_INFINITY ? null : requestsMax;
  const scenario = { seed, clients, requestsMax: all, faultsOff, hostile };
  const seen = { check: violation?.check ?? '', message: violation?.message ?? '', hash };
  return `${JSON.stringify({ format: FORMAT, scenario, ...seen }, null, 2)}\n`;
}

/** Throws an Error with a one-line message for any other file. */
export function readReplay(path: string): Recorded {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`);
  }
  const problem = `${path} is no replay of format ${FORMAT}`;
  if (typeof value !== 'object' || value === null) throw new Error(problem);
  const { format, scenario, check, message, hash } = value as Record<string, unknown>;
  if (format !== FORMAT || typeof scenario !== 'object' || scenario === null) {
    throw new Error(problem);
  }
  const { seed, clients, requestsMax, faultsOff, hostile } = scenario as Record<string, unknown>;
  const { benign, except } = (hostile ?? { benign: [], except: [] }) as Record<string, unknown>;
  const isGood =
    Number.isInteger(seed) &&
    (clients === null || isNumbers(clients)) &&
    (requestsMax === null || Number.isInteger(requestsMax)) &&
    isNumbers(benign) &&
    Array.isArray(except) &&
    except.every((name) => CHECK_NAMES.includes(name as CheckName)) &&
    Array.isArray(faultsOff) &&
    faultsOff.every((name) => FAULT_NAMES.includes(name as FaultName));
  if (!isGood) throw new Error(problem);
  return {
    scenario: {
      seed: seed as number,
      clients: clients as number[] | null,
      requestsMax: (requestsMax as number | null) ?? Number.POSITIVE_INFINITY,
      faultsOff: faultsOff as FaultName[],
      ...(hostile === undefined
        ? {}
        : { hostile: { benign: benign as number[], except: except as CheckName[] } }),
    },
    check: String(check),
    message: String(message),
    hash: String(hash),
  };
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => Number.isInteger(item));
}
