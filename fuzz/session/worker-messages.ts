// What the thread that fuzzes and the one that watches it tell each other.

import type { Mirrors } from './load.ts';

/** What a thread is started with. */
export interface Job {
  readonly mirrors: Mirrors;
  readonly seed: number;
  readonly isGuided: boolean;
  readonly kept: readonly Uint8Array[];
  /** It ends after so many milliseconds or executions; Infinity for one that does not count. */
  readonly runsMs: number;
  readonly executionsMax: number;
  /** Run these alone and nothing else. */
  readonly replay: Uint8Array | null;
  /** Figures and the input at hand, for whoever watches. */
  readonly figures: SharedArrayBuffer;
  readonly input: SharedArrayBuffer;
}

/** Places in `figures`, which holds 64-bit numbers. */
export const Figure = {
  Executions: 0,
  Corpus: 1,
  /** Those that were not kept from before. */
  Added: 2,
  Reached: 3,
  Counters: 4,
  Features: 5,
  InputBytes: 6,
  /** Set by whoever watches: it ends as if its time were over. */
  Stop: 7,
} as const;
export const FIGURES = 8;

/** The longest input of any target. */
export const INPUT_BYTES_MAX = 65_536;

export interface Found {
  readonly input: Uint8Array;
  readonly original: Uint8Array;
  /** With the stack. */
  readonly text: string;
  readonly executions: number;
  readonly isAlone: boolean;
}

/** How it ended. */
export interface Result {
  readonly found: Found | null;
  readonly executions: number;
  readonly runsMs: number;
  readonly reached: number;
  readonly features: number;
  readonly corpus: number;
  readonly added: number;
  /** A corpus as small as can be. */
  readonly minimal: readonly Uint8Array[];
}
