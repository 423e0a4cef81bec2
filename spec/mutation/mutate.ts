// Mutation testing with StrykerJS: npm run mutate. It compiles all mutants into a copy of the tree,
// runs the tests that reach each of them (test-runner.ts), and reports the surviving mutants.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportUsageError } from '../../testing/usage-error.ts';
import { type MutateArguments, parseMutateArguments, USAGE } from './mutate-arguments.ts';
import { type Explained, judge, type MutationReport, summaryText } from './summary.ts';

/** The compiled file is in build/spec/mutation/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = 'spec/mutation';
const STRYKER = join(FOLDER, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const REPORTS = 'reports/mutation';
const CONFIG = join(REPORTS, 'stryker.config.json');
/** The results of all runs so far, also of runs for some of the files. */
const RESULTS = join(REPORTS, 'results.json');
/** In the source tree, so that a change of it is visible. */
const SUMMARY = join(FOLDER, 'summary.md');
const EXPLAINED = join(FOLDER, 'explained.json');

/** Random tests must do the same for every mutant. */
const SEED = '1';

process.chdir(ROOT);
process.exitCode = main();

function main(): number {
  const given = parseMutateArguments(process.argv.slice(2));
  if (typeof given === 'string') return reportUsageError(given);
  if (given.help) {
    console.log(USAGE);
    return 0;
  }
  if (!given.summaryOnly && !(install() && mutate(given))) return 1;
  if (!existsSync(RESULTS)) {
    console.error('there are no results yet; run npm run mutate without --summary');
    return 1;
  }
  const report: MutationReport = JSON.parse(readFileSync(RESULTS, 'utf8'));
  const explained: readonly Explained[] = JSON.parse(readFileSync(EXPLAINED, 'utf8'));
  const verdict = judge(report, explained);
  writeFileSync(SUMMARY, summaryText(verdict));
  console.log(`\n${verdict.lines.join('\n')}`);
  console.log(`${SUMMARY} lists the mutants that no test detects`);
  return verdict.isMet ? 0 : 1;
}

/** Installs Stryker unless it is installed as in the lock file. */
function install(): boolean {
  const installed = join(FOLDER, 'node_modules/.package-lock.json');
  if (existsSync(STRYKER) && existsSync(installed)) return true;
  console.log('installing StrykerJS below spec/mutation');
  return run('npm', ['ci', '--prefix', FOLDER, '--no-audit', '--no-fund']);
}

function mutate({ files, concurrency, fresh }: MutateArguments): boolean {
  mkdirSync(REPORTS, { recursive: true });
  const configured = { ...configuration(files, concurrency), force: fresh };
  writeFileSync(CONFIG, JSON.stringify(configured, null, 2));
  return run(process.execPath, [STRYKER, 'run', CONFIG]);
}

/** Stryker's configuration, with its names. */
function configuration(mutate: readonly string[], concurrency: number): object {
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
    incrementalFile: RESULTS,
    reporters: ['html', 'progress-append-only'],
    htmlReporter: { fileName: join(REPORTS, 'index.html') },
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

function run(command: string, parameters: readonly string[]): boolean {
  const { status, error } = spawnSync(command, parameters, {
    stdio: 'inherit',
    env: { ...process.env, VIBING_SEED: SEED },
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  return status === 0;
}
