// A test runner for StrykerJS that runs this project's tests in its own process: a mutant takes
// milliseconds there, and seconds in a process of its own. Stryker compiles all mutants into the
// code at once, each behind a switch, and this runner receives which one to activate.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AREAS } from './areas.ts';
import { type CollectedTest, collectFrom, run } from './collected-tests.ts';
import { GENERATION } from './resolve-hooks.ts';
import {
  LEFT_OUT,
  type LeftOut,
  type MutationRun,
  MUTATION_RUN_VARIABLE as RUN_VARIABLE,
} from './run.ts';
import { isInSlice, NOT_IN_SLICE, type SlicedMutant } from './slice.ts';

/** Set by mutate.ts: the area, and the slice or null. */
const { area, root, slice } = JSON.parse(process.env[RUN_VARIABLE] ?? '{}') as MutationRun;

/** The global state that the mutated code and Stryker share (INSTRUMENTER_CONSTANTS of its API). */
interface Switchboard {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: unknown;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}

interface DryRunResult {
  readonly status: 'complete' | 'error';
  readonly tests?: readonly TestResult[];
  readonly mutantCoverage?: unknown;
  readonly errorMessage?: string;
}

interface TestResult {
  readonly id: string;
  readonly name: string;
  readonly fileName: string;
  readonly timeSpentMs: number;
  readonly status: number;
}

interface MutantRunOptions {
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
  readonly activeMutant: SlicedMutant & { readonly id: string };
  readonly mutantActivation: 'runtime' | 'static';
  readonly reloadEnvironment: boolean;
}

type MutantRunResult =
  | {
      readonly status: 'killed';
      readonly killedBy: readonly string[];
      readonly failureMessage: string;
      readonly nrOfTests: number;
    }
  | { readonly status: 'survived'; readonly nrOfTests: number }
  | { readonly status: 'timeout'; readonly reason: string }
  | { readonly status: 'error'; readonly errorMessage: string };

/** The real ones, whatever a test leaves behind. */
const { clearTimeout: stopTimer, setTimeout: startTimer } = globalThis;

/** Of TestStatus of Stryker's API. */
const SUCCESS = 0;

/** A test hangs when it exceeds its duration without a mutant by this factor, and these rounds. */
const DURATION_FACTOR = 20;
const ROUNDS = 5;
const ROUND_MS = 150;
/** A high limit for tests without a mutant, which do not hang. */
const DRY_ROUNDS = 200;
/** Longer tests are left out, since they would run for most of the mutants. */
const SLOW_MS = 10_000;
/** The duration of each test without a mutant, for later processes. */
const DURATIONS = 'reports/test-durations.json';
const HANG_MESSAGE = 'the test does not end';

class InProcessTestRunner {
  readonly #switches: Switchboard;
  /** Modules import only modules of their generation; a new generation loads all modules again. */
  #generation = 0;
  /** The tests of the files that this generation has loaded. */
  #tests = new Map<string, readonly CollectedTest[]>();
  /** The duration of each test without a mutant: fast tests run first. */
  #durationsMs: Record<string, number> = {};
  /** An unhandled rejection; it fails the running test. */
  #stray: unknown = null;

  constructor() {
    const shared = globalThis as { __stryker__?: Switchboard };
    shared.__stryker__ ??= {};
    this.#switches = shared.__stryker__;
    register('./resolve-hooks.js', import.meta.url);
    process.on('unhandledRejection', (reason) => {
      this.#stray = reason ?? new Error('an unhandled rejection');
    });
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  async dryRun(): Promise<DryRunResult> {
    const loaded: CollectedTest[] = [];
    const leftOut: LeftOut[] = [];
    for (const file of testFiles()) {
      try {
        loaded.push(...(await this.#load(file)));
      } catch (error) {
        leftOut.push({ test: sourceOf(file), reason: text(error) });
      }
    }
    const tests: TestResult[] = [];
    for (const test of loaded) {
      this.#switches.currentTestId = test.id;
      const began = performance.now();
      const failure = await this.#outcome(test, DRY_ROUNDS);
      const timeSpentMs = performance.now() - began;
      this.#durationsMs[test.id] = timeSpentMs;
      const { id, file: fileName } = test;
      const result = { id, name: id, fileName, timeSpentMs };
      const slow = timeSpentMs > SLOW_MS ? `it takes ${Math.round(timeSpentMs / 1000)} s` : null;
      if (failure === null && slow === null) tests.push({ ...result, status: SUCCESS });
      else leftOut.push({ test: id, reason: slow ?? text(failure) });
    }
    this.#switches.currentTestId = undefined;
    mkdirSync(dirname(DURATIONS), { recursive: true });
    writeFileSync(DURATIONS, JSON.stringify(this.#durationsMs));
    writeFileSync(resolve(root, LEFT_OUT), JSON.stringify(leftOut, null, 2));
    return { status: 'complete', tests, mutantCoverage: this.#switches.mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, hitLimit, testFilter, reloadEnvironment } = options;
    const switches = this.#switches;
    if (slice !== null && !isInSlice(activeMutant, slice)) {
      return { status: 'error', errorMessage: `${NOT_IN_SLICE} ${slice.number}/${slice.of}` };
    }
    if (existsSync(DURATIONS)) this.#durationsMs = JSON.parse(readFileSync(DURATIONS, 'utf8'));
    if (reloadEnvironment) {
      this.#generation += 1;
      this.#tests = new Map();
      switches.activeMutant = undefined;
    }
    if (options.mutantActivation === 'static') switches.activeMutant = activeMutant.id;
    switches.hitCount = hitLimit === undefined ? undefined : 0;
    switches.hitLimit = hitLimit;
    const chosen = testFilter === undefined ? null : new Set(testFilter);
    const own = ownTests(activeMutant.fileName);
    const files = testFiles().filter((file) => hasAny(chosen, sourceOf(file)));
    let count = 0;
    for (const batch of [files.filter(own), files.filter((file) => !own(file))]) {
      const tests: CollectedTest[] = [];
      try {
        for (const file of batch) tests.push(...(await this.#load(file)));
      } catch (error) {
        // Every test of the file would fail like this.
        return { status: 'killed', killedBy: [], failureMessage: text(error), nrOfTests: count };
      }
      switches.activeMutant = activeMutant.id;
      const selected = tests.filter(({ id }) => chosen === null || chosen.has(id));
      const result = await this.#firstFailure(selected, hitLimit);
      if (result !== null) return result;
      count += selected.length;
    }
    return { status: 'survived', nrOfTests: count };
  }

  /** Runs tests, fast ones first, until one fails; null when none does. */
  async #firstFailure(
    tests: readonly CollectedTest[],
    hitLimit: number | undefined,
  ): Promise<MutantRunResult | null> {
    const durationMs = ({ id }: CollectedTest): number => this.#durationsMs[id] ?? 0;
    let count = 0;
    for (const test of tests.toSorted((one, other) => durationMs(one) - durationMs(other))) {
      count += 1;
      const rounds = Math.ceil((DURATION_FACTOR * durationMs(test)) / ROUND_MS);
      const failure = await this.#outcome(test, Math.max(rounds, ROUNDS));
      if (failure === null) continue;
      if (hitLimit !== undefined && (this.#switches.hitCount ?? 0) > hitLimit) {
        return { status: 'timeout', reason: 'hit limit reached' };
      }
      if (failure instanceof Error && failure.message === HANG_MESSAGE) {
        return { status: 'timeout', reason: test.id };
      }
      return {
        status: 'killed',
        killedBy: [test.id],
        failureMessage: text(failure),
        nrOfTests: count,
      };
    }
    return null;
  }

  /** The tests of a compiled file, loaded in this generation. */
  async #load(file: string): Promise<readonly CollectedTest[]> {
    const known = this.#tests.get(file);
    if (known !== undefined) return known;
    const url = pathToFileURL(resolve(file));
    url.searchParams.set(GENERATION, String(this.#generation));
    const collected = await collectFrom(sourceOf(file), () => import(url.href));
    const { leavesOut } = AREAS.find(({ name }) => name === area) ?? {};
    const tests = collected.filter(({ id }) => leavesOut?.test(id) !== true);
    this.#tests.set(file, tests);
    return tests;
  }

  /** Null when the test passes, else the failure. */
  async #outcome(test: CollectedTest, rounds: number): Promise<unknown> {
    this.#stray = null;
    let settled = false;
    let failure: unknown = null;
    const ended = run(test)
      .catch((error: unknown) => {
        failure = error ?? new Error('a test failed without an error');
      })
      .finally(() => {
        settled = true;
      });
    let timer: NodeJS.Timeout | undefined;
    const roundEnd = (): Promise<void> =>
      new Promise((resolveRound) => {
        timer = startTimer(resolveRound, ROUND_MS);
      });
    for (let round = 0; round < rounds && !settled; round++) {
      await Promise.race([ended, roundEnd()]);
      stopTimer(timer);
    }
    if (!settled) return new Error(HANG_MESSAGE);
    return failure ?? this.#stray;
  }
}

function testFiles(): readonly string[] {
  const { runs = 1, tests = [] } = AREAS.find(({ name }) => name === area) ?? {};
  process.env['VIBING_RUNS'] ??= String(runs);
  return tests.flatMap(([folder, pattern]) => {
    const compiled = join('build', folder);
    if (!existsSync(compiled)) return [];
    const paths = readdirSync(compiled, { recursive: true, encoding: 'utf8' });
    const chosen = paths.filter((path) => pattern.test(basename(path)));
    return chosen.sort().map((path) => join(compiled, path));
  });
}

function sourceOf(file: string): string {
  return file.replace(/^build\//, '').replace(/\.js$/, '.ts');
}

/** Whether a file contains the tests of the mutated one. */
function ownTests(mutated: string): (file: string) => boolean {
  const name = /([\w-]+\/[\w-]+)\.ts$/.exec(mutated.replaceAll('\\', '/'))?.[1] ?? '';
  return (file) => file.includes(`${name}.`) || file.includes(`${name}-`);
}

/** Whether one of the chosen tests is in this file; true without a choice. */
function hasAny(chosen: ReadonlySet<string> | null, source: string): boolean {
  if (chosen === null) return true;
  for (const id of chosen) if (id.startsWith(`${source} > `)) return true;
  return false;
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

interface Plugin {
  readonly kind: string;
  readonly name: string;
  readonly factory: (() => InProcessTestRunner) & { readonly inject: readonly string[] };
}

/** The export that Stryker reads from a plugin. */
export const strykerPlugins: readonly Plugin[] = [
  {
    kind: 'TestRunner',
    name: 'in-process',
    factory: Object.assign(() => new InProcessTestRunner(), { inject: [] }),
  },
];
