// The fuzzing loop: mutates an entry of the corpus, runs it, and keeps it when it has a new
// feature. All of it follows from the seed, the first inputs and the number of executions.

import { Random } from '../../testing/random.ts';
import { candidates } from './comparisons.ts';
import { Corpus, type Entry } from './corpus.ts';
import { Coverage } from './coverage.ts';
import type { Counters } from './mirror.ts';
import { Mutator } from './mutator.ts';
import { sameFailure, shrink } from './shrink.ts';
import type { Target } from './target.ts';

/** Executions from one entry before the next is chosen. A guess. */
const ROUND = 64;
/** Thorough checks run once in this many executions. */
const THOROUGH_ONCE_IN = 512;
/** The most executions for shrinking a new entry, and a finding. */
const TRIM_MAX = 96;
const SHRINK_MAX = 1_000;

const STACK_FRAMES = 10;

export interface EngineOptions {
  readonly target: Target;
  readonly counters: Counters;
  /** The comparisons of a run with this input; null when they are not recorded. */
  readonly compare: ((input: Uint8Array) => Promise<readonly unknown[]>) | null;
  readonly seed: number;
  /** False: coverage is measured and not used. */
  readonly isGuided: boolean;
  /**
   * Called with each input before it runs, so that the watching thread knows an input that hangs.
   */
  readonly watch: (input: Uint8Array) => void;
}

export interface Finding {
  readonly input: Uint8Array;
  /** The input before shrinking. */
  readonly original: Uint8Array;
  readonly error: Error;
  /** The number of executions until then. */
  readonly executions: number;
  /** False when the input fails only after the inputs before it. */
  readonly isAlone: boolean;
}

export class Engine {
  readonly corpus: Corpus = new Corpus();
  readonly coverage: Coverage;
  readonly random: Random;
  executions: number;
  finding: Finding | null;
  readonly #options: EngineOptions;
  readonly #target: Target;
  readonly #mutator: Mutator;
  /** An unhandled rejection of some execution. */
  #unhandled: Error | null;

  constructor(options: EngineOptions) {
    const { target, counters, seed } = options;
    this.#options = options;
    this.#target = target;
    this.coverage = new Coverage(counters.counters);
    this.random = new Random(seed);
    this.executions = 0;
    this.finding = null;
    this.#unhandled = null;
    this.#mutator = new Mutator({
      random: this.random,
      bytesMax: target.bytesMax,
      controlBytes: target.controlBytes,
      words: [...counters.words, ...target.words],
      mutations: target.mutations,
    });
  }

  /** Runs the corpus, or the target's seeds if it is empty. */
  async begin(kept: readonly Uint8Array[]): Promise<void> {
    const front = '\0'.repeat(this.#target.controlBytes);
    const own = this.#target.seeds.map((seed) => Buffer.from(front + seed, 'latin1'));
    for (const input of kept.length > 0 ? kept : own) {
      const error = await this.#run(input, true);
      if (error !== null) {
        await this.#found(input.slice(), error);
        return;
      }
      const isNew = this.coverage.take() > 0;
      if (isNew || !this.#options.isGuided) this.#keep(Uint8Array.from(input));
    }
  }

  /** A round of executions from one entry; stops early at a finding, or when `isOver` says so. */
  async round(isOver: (executions: number) => boolean): Promise<void> {
    const { corpus, random } = this;
    const entry = this.#next();
    if (entry.picks === 1) await this.#solve(entry, isOver);
    if (this.finding !== null) return;
    for (let left = ROUND; left > 0 && !isOver(this.executions); left--) {
      const other = random.pick(corpus.entries);
      const input = this.#mutator.mutate(entry.bytes, other.bytes);
      const thorough = random.once(THOROUGH_ONCE_IN);
      if (!(await this.#try(input, thorough))) return;
    }
  }

  /** Runs an input, and keeps it if it has new features; false at a finding. */
  async #try(input: Uint8Array, thorough: boolean): Promise<boolean> {
    const error = await this.#run(input, thorough);
    if (error !== null) await this.#found(input.slice(), error);
    else if (this.coverage.take() > 0 && this.#options.isGuided) {
      await this.#reached(input.slice());
    }
    return this.finding === null;
  }

  /** Tries inputs that may change the results of comparisons, once for each entry. */
  async #solve(entry: Entry, isOver: (executions: number) => boolean): Promise<void> {
    const { compare, isGuided } = this.#options;
    if (compare === null || !isGuided) return;
    const compared = await compare(entry.bytes);
    const { bytesMax, controlBytes } = this.#target;
    for (const input of candidates(entry.bytes, compared, controlBytes, this.random)) {
      if (isOver(this.executions)) return;
      if (input.length <= bytesMax && !(await this.#try(input, false))) return;
    }
  }

  #next(): Entry {
    const { corpus, random } = this;
    return this.#options.isGuided
      ? corpus.pick(random, this.coverage.hits)
      : random.pick(corpus.entries);
  }

  /** An unhandled rejection counts as a failure of the execution in which it is reported. */
  rejectionUnhandled(error: Error): void {
    this.#unhandled ??= error;
  }

  /** Runs an input; returns its failure or null. */
  async #run(input: Uint8Array, thorough: boolean): Promise<Error | null> {
    const { counters, watch } = this.#options;
    const { steps } = counters;
    this.executions += 1;
    watch(input);
    this.coverage.clear();
    steps[0] = this.#target.stepsMax;
    let failed: Error | null = null;
    // Stacks of errors cost much time, and few of them are read.
    Error.stackTraceLimit = thorough ? STACK_FRAMES : 0;
    try {
      const pending = this.#target.run(input, thorough);
      if (pending !== undefined) await pending;
    } catch (error) {
      failed = error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
    }
    // Code that catches all errors also catches the one for too many steps.
    if (failed === null && steps[0] < 0) failed = new RangeError('more steps than stepsMax');
    failed ??= this.#unhandled;
    this.#unhandled = null;
    steps[0] = 0x7fffffff;
    Error.stackTraceLimit = STACK_FRAMES;
    return failed;
  }

  #keep(bytes: Uint8Array): void {
    this.corpus.add(bytes, this.coverage.features());
  }

  /** Keeps an input with new features, shrunk while it has the same features. */
  async #reached(input: Uint8Array): Promise<void> {
    const features = this.coverage.features();
    const front = this.#target.controlBytes;
    const smaller = await shrink(input, front, TRIM_MAX, async (candidate) => {
      // A failure here is no finding: later executions find it.
      if ((await this.#run(candidate, false)) !== null) return false;
      return this.coverage.has(features);
    });
    const error = await this.#run(smaller, true);
    if (error !== null) await this.#found(smaller, error);
    else this.#keep(smaller);
  }

  async #found(original: Uint8Array, first: Error): Promise<void> {
    const { executions } = this;
    // Runs it again, with its stack.
    const again = await this.#run(original, true);
    if (again === null) {
      this.finding = { input: original, original, error: first, executions, isAlone: false };
      return;
    }
    const input = await shrink(original, 0, SHRINK_MAX, async (candidate) => {
      const failed = await this.#run(candidate, true);
      return failed !== null && sameFailure(failed, again);
    });
    const error = (await this.#run(input, true)) ?? again;
    this.finding = { input, original, error, executions, isAlone: true };
  }
}
