// The input of a run, and its outcome.

import type { Scores } from '../clients/flight.ts';
import type { FaultName, Faults } from '../world/faults.ts';
import type { Trace } from '../world/trace.ts';
import type { CheckName, Violation } from '../world/violation.ts';

/** Everything in a run follows from this. */
export interface Scenario {
  readonly seed: number;
  /** The clients that take part; null for as many as the number of requests takes. */
  readonly clients: readonly number[] | null;
  /** The most requests of each client. */
  readonly requestsMax: number;
  readonly faultsOff: readonly FaultName[];
  /** With it the hostile application runs in place of the ordinary one. */
  readonly hostile?: HostileChoice;
}

export interface HostileChoice {
  /** Requests, by number, whose handlers only respond. */
  readonly benign: readonly number[];
  /** Checks that are left out, to look behind known faults. */
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
  /** By the server's names: expired deadlines, and faults of requests. */
  readonly deadlines: ReadonlyMap<string, number>;
  readonly requestFaults: ReadonlyMap<string, number>;
  readonly faults: Faults;
  readonly counters: Readonly<Record<string, number>>;
  /** The clients that took part. */
  readonly clients: readonly number[];
  /** What the handlers of the hostile application did. */
  readonly occurred: ReadonlyMap<string, number>;
  readonly trace: Trace;
}

/** The least number of requests that a run judges. */
export const REQUESTS_PER_RUN = 200;
/** With the hostile application. */
export const HOSTILE_REQUESTS_PER_RUN = 70;

/**
 * A line for a run without violation that judged fewer requests than promised; null otherwise.
 */
export function tooFew({ scenario, requests, violation }: Outcome): string | null {
  const required = scenario.hostile === undefined ? REQUESTS_PER_RUN : HOSTILE_REQUESTS_PER_RUN;
  if (violation !== null || requests >= required) return null;
  return `seed ${scenario.seed} judged ${requests} requests, and ${required} are required`;
}

export function scenarioOf(seed: number): Scenario {
  return { seed, clients: null, requestsMax: Number.POSITIVE_INFINITY, faultsOff: [] };
}

export function hostileScenarioOf(seed: number, except: readonly CheckName[] = []): Scenario {
  return { ...scenarioOf(seed), hostile: { benign: [], except } };
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
