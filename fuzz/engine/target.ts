// A fuzz target: code of src/ and properties that must hold for any bytes.

import type { Mutation } from './mutator.ts';

export interface Target {
  /** Also its file below fuzz/targets/ and its folder below fuzz/corpus/. */
  readonly name: string;
  /** The longest input. */
  readonly bytesMax: number;
  /**
   * The number of control bytes at the front: they decide how the rest is split and how it ends.
   */
  readonly controlBytes: number;
  /** The most loop rounds and function calls of one run, far above any correct run. */
  readonly stepsMax: number;
  /** The first inputs when there is no corpus; without control bytes. */
  readonly seeds: readonly string[];
  /** Words for mutations, in addition to those of the source. */
  readonly words: readonly string[];
  /** Mutations that know the format of the input. */
  readonly mutations: readonly Mutation[];
  /**
   * Throws when a property does not hold; never writes to the input. `thorough` adds checks that
   * are too slow for every run.
   */
  readonly run: (input: Uint8Array, thorough: boolean) => void | Promise<void>;
}
