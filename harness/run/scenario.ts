// What a run follows from, and what came of it.

import type { Scores } from '../clients/flight.ts';
import type { FaultName, Faults } from '../world/faults.ts';
import type { Trace } from '../world/trace.ts';
import type { CheckName, Violation } from '../world/violation.ts';

/** What is run: everything else follows from it. */
export interface Scenario {
  readonly seed: number;
  /** The clients that take part; null for as many as make the usual number of requests. */
  readonly clients: readonly number[] | null;
  /** Of each client's requests at most so many. */
  readonly requestsMax: number;
  readonly faultsOff: readonly FaultName[];
  /** With it the hostile application runs in place of the usual one. */
  readonly hostile?: HostileChoice;
}

export interface HostileChoice {
  /** Requests, by their number, whose handlers do nothing but answer. */
  readonly tamed: readonly number[];
  /** Checks that are not made, to see past faults that are known. */
  readonly except: readonly CheckName[];
}

export interface Outcome {
  readonly scenario: Scenario;
  readonly hash: string;
  readonly events: number;
  readonly violation: Violation | null;
  readonly requests: number;
  readonly virtualMs: number;
  readonly scores: Scores;
  readonly states: ReadonlyMap<string, number>;
  /** By the server's names: deadlines that passed, and what was wrong with requests. */
  readonly deadlines: ReadonlyMap<string, number>;
  readonly refusals: ReadonlyMap<string, number>;
  readonly faults: Faults;
  readonly counters: Readonly<Record<string, number>>;
  /** The clients that took part. */
  readonly clients: readonly number[];
  /** What handlers did, by the names of the hostile application. */
  readonly occurred: ReadonlyMap<string, number>;
  readonly trace: Trace;
}

/** Requests that every run judges, at least. */
export const REQUESTS_PER_RUN = 200;
/** The same with the hostile application. */
export const HOSTILE_REQUESTS_PER_RUN = 70;

/**
 * One line for a run that went well and judged fewer requests than every run promises: who does
 * nothing finds nothing. Null otherwise.
 */
export function tooFew({ scenario, requests, violation }: Outcome): string | null {
  const promised = scenario.hostile === undefined ? REQUESTS_PER_RUN : HOSTILE_REQUESTS_PER_RUN;
  if (violation !== null || requests >= promised) return null;
  return `seed ${scenario.seed} judged ${requests} requests, and ${promised} are promised`;
}

export function scenarioOf(seed: number): Scenario {
  return { seed, clients: null, requestsMax: Number.POSITIVE_INFINITY, faultsOff: [] };
}

export function hostileScenarioOf(seed: number, except: readonly CheckName[] = []): Scenario {
  return { ...scenarioOf(seed), hostile: { tamed: [], except } };
}

export function noScores(): Scores {
  return {
    responded: 0,
    responses: new Map(),
    endings: new Map(),
    shapes: new Map(),
    statuses: new Map(),
  };
}
