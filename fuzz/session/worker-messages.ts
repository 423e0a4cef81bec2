// What the fuzzing thread and the watching thread share.

import type { Mirrors } from './load.ts';

/** The input of a fuzzing thread. */
export interface Job {
  readonly mirrors: Mirrors;
  readonly seed: number;
  readonly isGuided: boolean;
  readonly kept: readonly Uint8Array[];
  /** It ends after this time or number of executions; Infinity for no limit. */
  readonly runsMs: number;
  readonly executionsMax: number;
  /** Run only this input. */
  readonly replay: Uint8Array | null;
  /** Figures and the current input, for the watching thread. */
  readonly figures: SharedArrayBuffer;
  readonly input: SharedArrayBuffer;
}

/** Indexes into `figures`, which holds 64-bit floats. */
export const Figure = {
  Executions: 0,
  Corpus: 1,
  /** New entries of the corpus. */
  Added: 2,
  Reached: 3,
  Counters: 4,
  Features: 5,
  InputBytes: 6,
  /** Set by the watching thread: ends the fuzzing thread early. */
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

/** The result of a fuzzing thread. */
export interface Result {
  readonly found: Found | null;
  readonly executions: number;
  readonly runsMs: number;
  readonly reached: number;
  readonly features: number;
  readonly corpus: number;
  readonly added: number;
  /** A minimized corpus. */
  readonly minimal: readonly Uint8Array[];
}
