// The result of a search in the router: whether there is a route, and the reused record of it.

import { carveInt32 } from '../base/carve.ts';
import { PARAMS_MAX } from './pattern.ts';

export const Found = {
  /** No route matches the path. */
  No: 0,
  /** Routes match the path, but none of them the method. */
  WrongMethod: 1,
  Yes: 2,
} as const;
export type Found = (typeof Found)[keyof typeof Found];

const NO_NAMES: readonly string[] = Object.freeze([]);

/** What the request's handle reads of a match. */
export interface Matched {
  /** Null where no route takes the request. */
  readonly pattern: string | null;
  readonly paramCount: number;
  readonly names: readonly string[];
  readonly offsets: Int32Array;
}

export const NOTHING_MATCHED: Matched = {
  pattern: null,
  paramCount: 0,
  names: NO_NAMES,
  offsets: new Int32Array(0),
};

/** Created once and filled by every search; of the path it holds only offsets. */
export class Match<T> implements Matched {
  /** The route's value; null unless the last search found a route. */
  value: T | null;
  /** The route's pattern, as it was added; null as the value. */
  pattern: string | null;
  paramCount: number;
  /** Names of the parameters, shared by all matches of a route; the wildcard's is '*'. */
  names: readonly string[];
  /**
   * Parameter p is bytes offsets[2 * p] to offsets[2 * p + 1] of the path; only the first
   * paramCount pairs are valid.
   */
  readonly offsets: Int32Array;

  constructor() {
    this.value = null;
    this.pattern = null;
    this.paramCount = 0;
    this.names = NO_NAMES;
    this.offsets = carveInt32(2 * PARAMS_MAX);
  }

  reset(): void {
    this.value = null;
    this.pattern = null;
    this.paramCount = 0;
    this.names = NO_NAMES;
  }
}
