// A request of a client on its way, and what came of all of them.

import type { Ending } from './endings.ts';
import type { Planned } from './expected.ts';

/** A request on its way. */
export interface Flight {
  readonly planned: Planned;
  readonly number: number;
  /** When its first byte went out, and how many of its bytes did. */
  readonly sentMs: number;
  sentBytes: number;
  readonly failuresBefore: number;
  readonly heldUpMs: number;
}

/** What all clients of a run report to. */
export interface Scores {
  responded: number;
  responses: Map<string, number>;
  endings: Map<Ending, number>;
  shapes: Map<string, number>;
  statuses: Map<number, number>;
}
