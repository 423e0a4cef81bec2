// A request in flight, and the sums over all clients.

import type { Ending } from './endings.ts';
import type { Planned } from './expected.ts';

/** A request in flight. */
export interface Flight {
  readonly planned: Planned;
  readonly number: number;
  /** When its first byte was sent, and how many of its bytes were. */
  readonly sentMs: number;
  sentBytes: number;
  readonly failuresBefore: number;
  readonly stalledMs: number;
}

/** Sums over all clients of a run. */
export interface Scores {
  responded: number;
  responses: Map<string, number>;
  endings: Map<Ending, number>;
  shapes: Map<string, number>;
  statuses: Map<number, number>;
}
