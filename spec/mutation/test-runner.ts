// A test runner for StrykerJS that runs this project's tests within its own process: a mutant costs
// milliseconds there, where a process for each would cost seconds. Stryker compiles all mutants
// into the code at once, each behind a switch, and says here which one to turn on.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CollectedTest, collectFrom, run } from './collected-tests.ts';
import { GENERATION } from './resolve-hooks.ts';

/** Where tests lie, and what their files are called: those of the code that is mutated. */
const TESTS: readonly [folder: string, name: RegExp][] = [
  ['spec/http', /\.test\.js$/],
  ['spec/connection', /\.test\.js$/],
  ['spec/mutation', /^quick-cases\.js$/],
];

/** What the mutated code and Stryker share (INSTRUMENTER_CONSTANTS of its API). */
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
  readonly failureMessage?: string;
}

interface MutantRunOptions {
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
  readonly activeMutant: { readonly id: string; readonly fileName: string };
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
  | { readonly status: 'timeout'; readonly reason: string };

/** TestStatus of Stryker's API. */
const SUCCESS = 0;
const FAILED = 1;

/** A test hangs when it takes so many times as long as without a mutant, and so many rounds. */
const PATIENCE = 20;
const ROUNDS = 5;
const ROUND_MS = 150;
/** Without a mutant no test hangs. */
const DRY_ROUNDS = 1000;
/** How long each test takes without a mutant, for the processes that come after the first. */
const DURATIONS = 'reports/test-durations.json';
const HANGS = 'the test does not come to an end';

class InProcessTestRunner {
  readonly #switches: Switchboard;
  /** Modules of one generation know each other alone; a new one has everything loaded anew. */
  #generation = 0;
  /** The tests of the files that this generation has loaded. */
  #tests = new Map<string, readonly CollectedTest[]>();
  /** How long each test takes without a mutant: quick ones are tried first. */
  #durationsMs: Record<string, number> = {};
  /** What no test awaits; the one that runs gets the blame. */
  #stray: unknown = null;

  constructor() {
    const world = globalThis as { __stryker__?: Switchboard };
    world.__stryker__ ??= {};
    this.#switches = world.__stryker__;
    register('./resolve-hooks.js', import.meta.url);
    process.on('unhandledRejection', (reason) => {
      this.#stray = reason ?? new Error('a rejection that nobody handles');
    });
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true };
  }

  async dryRun(): Promise<DryRunResult> {
    const loaded: CollectedTest[] = [];
    try {
      for (const file of testFiles()) loaded.push(...(await this.#load(file)));
    } catch (error) {
      return { status: 'error', errorMessage: text(error) };
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
      if (failure === null) tests.push({ ...result, status: SUCCESS });
      else tests.push({ ...result, status: FAILED, failureMessage: text(failure) });
    }
    this.#switches.currentTestId = undefined;
    mkdirSync(dirname(DURATIONS), { recursive: true });
    writeFileSync(DURATIONS, JSON.stringify(this.#durationsMs));
    return { status: 'complete', tests, mutantCoverage: this.#switches.mutantCoverage };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, hitLimit, testFilter, reloadEnvironment } = options;
    const switches = this.#switches;
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
    for (const some of [files.filter(own), files.filter((file) => !own(file))]) {
      const tests: CollectedTest[] = [];
      try {
        for (const file of some) tests.push(...(await this.#load(file)));
      } catch (error) {
        // Every test of the file would say so.
        return { status: 'killed', killedBy: [], failureMessage: text(error), nrOfTests: count };
      }
      switches.activeMutant = activeMutant.id;
      const wanted = tests.filter(({ id }) => chosen === null || chosen.has(id));
      const result = await this.#firstFailure(wanted, hitLimit);
      if (result !== null) return result;
      count += wanted.length;
    }
    return { status: 'survived', nrOfTests: count };
  }

  /** Runs tests, the quick ones first, until one fails; null when none does. */
  async #firstFailure(
    tests: readonly CollectedTest[],
    hitLimit: number | undefined,
  ): Promise<MutantRunResult | null> {
    const durationMs = ({ id }: CollectedTest): number => this.#durationsMs[id] ?? 0;
    let count = 0;
    for (const test of tests.toSorted((one, other) => durationMs(one) - durationMs(other))) {
      count += 1;
      const rounds = Math.ceil((PATIENCE * durationMs(test)) / ROUND_MS);
      const failure = await this.#outcome(test, Math.max(rounds, ROUNDS));
      if (failure === null) continue;
      if (hitLimit !== undefined && (this.#switches.hitCount ?? 0) > hitLimit) {
        return { status: 'timeout', reason: 'it loops' };
      }
      if (failure instanceof Error && failure.message === HANGS) {
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
    const tests = await collectFrom(sourceOf(file), () => import(url.href));
    this.#tests.set(file, tests);
    return tests;
  }

  /** Null when the test passes, else why it does not. */
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
    const bell = (): Promise<void> =>
      new Promise((ring) => {
        timer = setTimeout(ring, ROUND_MS);
      });
    for (let round = 0; round < rounds && !settled; round++) {
      await Promise.race([ended, bell()]);
      clearTimeout(timer);
    }
    if (!settled) return new Error(HANGS);
    return failure ?? this.#stray;
  }
}

function testFiles(): readonly string[] {
  return TESTS.flatMap(([folder, pattern]) => {
    const compiled = join('build', folder);
    if (!existsSync(compiled)) return [];
    const names = readdirSync(compiled).filter((name) => pattern.test(name));
    return names.sort().map((name) => join(compiled, name));
  });
}

function sourceOf(file: string): string {
  return file.replace(/^build\//, '').replace(/\.js$/, '.ts');
}

/** Whether a file holds the tests of the mutated one. */
function ownTests(mutated: string): (file: string) => boolean {
  const name = /([\w-]+\/[\w-]+)\.ts$/.exec(mutated.replaceAll('\\', '/'))?.[1] ?? '';
  return (file) => file.includes(`${name}.`) || file.includes(`${name}-`);
}

/** Whether one of the chosen tests is of this file; all are when none is chosen. */
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

/** How Stryker finds what a plugin brings. */
export const strykerPlugins: readonly Plugin[] = [
  {
    kind: 'TestRunner',
    name: 'in-process',
    factory: Object.assign(() => new InProcessTestRunner(), { inject: [] }),
  },
];
