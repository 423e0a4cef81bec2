// Mutation testing with StrykerJS: npm run mutate. It compiles all mutants into a copy of the tree,
// runs the tests that reach each of them (test-runner.ts), and reports the surviving mutants.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportUsageError } from '../../testing/usage-error.ts';
import { AREAS, type Area } from './areas.ts';
import { type MutateArguments, parseMutateArguments, USAGE } from './mutate-arguments.ts';
import { LEFT_OUT, type LeftOut, MUTATION_RUN_VARIABLE, type MutationRun } from './run.ts';
import type { Slice } from './slice.ts';
import {
  type Explained,
  indexText,
  judge,
  type MutationReport,
  resultLines,
  summaryText,
  type Verdict,
  withoutUntested,
} from './summary.ts';

/** The compiled file is in build/spec/mutation/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'spec/mutation';
const STRYKER = join(FOLDER, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const REPORTS = 'reports/mutation';
/** In the source tree, so that a change of it is visible. */
const SUMMARY = join(FOLDER, 'summary.md');
const SUMMARIES = join(FOLDER, 'summaries');
const EXPLAINED = join(FOLDER, 'explained.json');

/** The first run of all tests takes some minutes on a busy machine. */
const DRY_RUN_MINUTES_MAX = 30;

/** Random tests must do the same for every mutant. */
const SEED = '1';
/** Tests that start servers do so on this driver only. */
const DRIVER = process.platform === 'linux' ? 'epoll' : 'net';

process.chdir(ROOT);
process.exitCode = main();

function main(): number {
  const given = parseMutateArguments(process.argv.slice(2));
  if (typeof given === 'string') return reportUsageError(given);
  if (given.help) {
    console.log(USAGE);
    return 0;
  }
  const changed = given.changedSince === '' ? null : changedSince(given.changedSince);
  if (!given.summaryOnly && !install()) return 1;
  const verdicts: Verdict[] = [];
  for (const area of AREAS.filter(({ name }) => given.areas.includes(name))) {
    const files = filesOf(area, given.files, changed);
    const isRun = !given.summaryOnly && files.length > 0;
    if (isRun && !mutate(area, files, given)) return 1;
    const verdict = summarize(area);
    if (verdict !== null) verdicts.push(verdict);
  }
  if (verdicts.length === 0) {
    console.error('there are no results of these folders');
    return given.changedSince === '' ? 1 : 0;
  }
  writeFileSync(SUMMARY, indexText(AREAS.map((area) => [area, firstLines(area)])));
  console.log(`\n${verdicts.flatMap(({ lines }) => lines).join('\n')}`);
  console.log(`${SUMMARIES} lists the mutants that no test detects`);
  return verdicts.every(({ isMet }) => isMet) ? 0 : 1;
}

/** The patterns of an area's sources that are mutated. */
function filesOf(
  { name }: Area,
  files: readonly string[] | null,
  changed: readonly string[] | null,
): readonly string[] {
  const folder = `src/${name}/`;
  const own = (paths: readonly string[]): readonly string[] =>
    paths.filter((path) => path.startsWith(folder));
  if (changed !== null) return own(changed);
  return files === null ? [`${folder}**/*.ts`] : own(files);
}

function changedSince(commit: string): readonly string[] {
  const diff = ['diff', '--name-only', '--diff-filter=d', commit, '--', 'src'];
  const { status, stdout, stderr } = spawnSync('git', diff, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git diff failed: ${stderr}`);
  return stdout.split('\n').filter((path) => path.endsWith('.ts'));
}

/** The results of all runs of an area so far, also of runs for a part of it. */
function resultsOf({ name }: Area): string {
  return join(REPORTS, `${name}.json`);
}

function summaryOf({ name }: Area): string {
  return join(SUMMARIES, `${name}.md`);
}

/** Null where an area has no results here; its last summary stays. */
function summarize(area: Area): Verdict | null {
  const results = resultsOf(area);
  if (!existsSync(results)) return null;
  const report: MutationReport = JSON.parse(readFileSync(results, 'utf8'));
  const explained: readonly Explained[] = JSON.parse(readFileSync(EXPLAINED, 'utf8'));
  const verdict = judge(area, report, explained);
  mkdirSync(SUMMARIES, { recursive: true });
  writeFileSync(summaryOf(area), summaryText(area, verdict));
  return verdict;
}

function firstLines(area: Area): readonly string[] {
  const path = summaryOf(area);
  return existsSync(path) ? resultLines(readFileSync(path, 'utf8')) : [];
}

/** Installs Stryker unless it is installed as in the lock file. */
function install(): boolean {
  const installed = join(FOLDER, 'node_modules/.package-lock.json');
  if (existsSync(STRYKER) && existsSync(installed)) return true;
  console.log('installing StrykerJS below spec/mutation');
  return run('npm', ['ci', '--prefix', FOLDER, '--no-audit', '--no-fund'], {});
}

function mutate(area: Area, files: readonly string[], given: MutateArguments): boolean {
  const { concurrency, fresh, slice } = given;
  mkdirSync(REPORTS, { recursive: true });
  const results = resultsOf(area);
  // Stryker would reuse that a mutant was not tested.
  if (existsSync(results)) {
    const report: MutationReport = JSON.parse(readFileSync(results, 'utf8'));
    writeFileSync(results, JSON.stringify(withoutUntested(report)));
  }
  console.log(`mutating ${files.join(', ')}${slice === null ? '' : sliceText(slice)}`);
  const config = join(REPORTS, 'stryker.config.json');
  const configured = { ...configuration(area, files, concurrency), force: fresh };
  writeFileSync(config, JSON.stringify(configured, null, 2));
  const forRunner: MutationRun = { area: area.name, root: ROOT, slice };
  const isDone = run(process.execPath, [STRYKER, 'run', config], {
    VIBING_SEED: SEED,
    VIBING_DRIVERS: area.isOnAllDrivers === true ? '' : DRIVER,
    [MUTATION_RUN_VARIABLE]: JSON.stringify(forRunner),
  });
  printLeftOut();
  return isDone;
}

/** Tests that fail or are slow in one process: without them mutants may survive. */
function printLeftOut(): void {
  if (!existsSync(LEFT_OUT)) return;
  const leftOut: readonly LeftOut[] = JSON.parse(readFileSync(LEFT_OUT, 'utf8'));
  for (const { test, reason } of leftOut) {
    console.log(`left out: ${test}: ${reason.split('\n', 1)[0]}`);
  }
}

function sliceText({ number, of, seed }: Slice): string {
  return `, slice ${number} of ${of}, seed ${seed}`;
}

/** Stryker's configuration, with its names. */
function configuration(area: Area, mutate: readonly string[], concurrency: number): object {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  return {
    mutate,
    concurrency,
    plugins: [join(ROOT, 'build/spec/mutation/test-runner.js')],
    testRunner: 'in-process',
    coverageAnalysis: 'perTest',
    // Mutants often have type errors, so types are not checked.
    buildCommand: [process.execPath, compiler, '-p', `${FOLDER}/tsconfig.json`, '--noCheck']
      .map(word)
      .join(' '),
    // The installed compiler has no API that Stryker's TypeScript support could use.
    tsconfigFile: 'none',
    disableTypeChecks: false,
    checkers: [],
    ignorePatterns: ['build', 'dist', 'coverage', 'reports', 'examples', 'perf', 'fuzz', 'docs'],
    tempDirName: join(REPORTS, 'copies'),
    cleanTempDir: 'always',
    incremental: true,
    incrementalFile: resultsOf(area),
    reporters: ['html', 'progress-append-only'],
    htmlReporter: { fileName: join(REPORTS, `${area.name}.html`) },
    dryRunTimeoutMinutes: DRY_RUN_MINUTES_MAX,
    timeoutMS: 10_000,
    timeoutFactor: 4,
    allowConsoleColors: false,
    disableBail: false,
  };
}

/** One word of a command line that is not run by a shell. */
function word(path: string): string {
  return path.replaceAll(' ', '\\ ');
}

function run(
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): boolean {
  const { status, error } = spawnSync(command, parameters, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  return status === 0;
}
