// What a fuzz target is: some code of src/ and what has to be true of it for any bytes at all.

import type { Mutation } from './mutator.ts';

export interface Target {
  /** Also its file below fuzz/targets/ and its folder below fuzz/corpus/. */
  readonly name: string;
  /** The longest input that is tried. */
  readonly bytesMax: number;
  /** How many bytes at the front say how the rest is run: where it is cut, how it ends. */
  readonly controlBytes: number;
  /** Rounds of loops and calls of functions one run may take, far above what is right. */
  readonly stepsMax: number;
  /** Where to begin without a kept corpus; without the bytes at the front. */
  readonly seeds: readonly string[];
  /** Words worth trying, beside those found in the source. */
  readonly words: readonly string[];
  /** Further ways to make an input out of another, which know what it is written in. */
  readonly mutations: readonly Mutation[];
  /**
   * Throws when something is wrong with what was made of the input, which is never written to.
   * `thorough` also asks those who are too slow to be asked each time.
   */
  readonly run: (input: Uint8Array, thorough: boolean) => void | Promise<void>;
}
