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
  readonly faults: Faults;
  readonly counters: Readonly<Record<string, number>>;
  /** The clients that took part. */
  readonly clients: readonly number[];
  readonly trace: Trace;
}

/** What clients plan to ask in a run, at least. */
export const REQUESTS_PER_RUN = 200;

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
