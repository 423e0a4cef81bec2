// What a run follows from, and what came of it.

import type { Scores } from './clients/client.ts';
import type { FaultName, Faults } from './faults.ts';
import type { Trace } from './trace.ts';
import type { Violation } from './violation.ts';

/** What is run: everything else follows from it. */
export interface Scenario {
  readonly seed: number;
  /** The clients that take part; null for as many as make the usual number of requests. */
  readonly clients: readonly number[] | null;
  /** Of each client's requests at most so many. */
  readonly requestsMax: number;
  readonly faultsOff: readonly FaultName[];
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
  readonly trace: Trace;
}

/** Requests that every run judges, at least. */
export const REQUESTS_PER_RUN = 200;

/**
 * One line for a run that went well and judged fewer requests than every run promises: who does
 * nothing finds nothing. Null otherwise.
 */
export function tooFew({ scenario, requests, violation }: Outcome): string | null {
  if (violation !== null || requests >= REQUESTS_PER_RUN) return null;
  return `seed ${scenario.seed} judged ${requests} requests, and ${REQUESTS_PER_RUN} are promised`;
}

export function scenarioOf(seed: number): Scenario {
  return { seed, clients: null, requestsMax: Number.POSITIVE_INFINITY, faultsOff: [] };
}

export function noScores(): Scores {
  return {
    answered: 0,
    answers: new Map(),
    endings: new Map(),
    shapes: new Map(),
    statuses: new Map(),
  };
}
