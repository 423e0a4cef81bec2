// Runs the tests: npm test -- [word...] [--all] [--drivers epoll,net] [--no-coverage] [--test-...].
//
// Without words it runs lint, then the tests with coverage, which has a minimum; of the slow tests
// one part in turn. With words it runs the test files whose path contains one of them. Options that
// begin with --test- are passed to node.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Slab } from '../src/base/slab.ts';
import { chooseDriver } from '../src/driver/choose.ts';
import { FIFTHS, THIRDS, TURN_VARIABLE, turnOf } from '../testing/rotation.ts';
import { reportUsageError } from '../testing/usage-error.ts';
import { parseRunArguments, RUN_USAGE } from './run-arguments.ts';
import { sharedProcesses } from './run-groups.ts';
import { formatBegin } from './versions-found.ts';

/** This file is compiled to build/spec/. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COVERAGE = join(ROOT, 'coverage');
const LINES_MIN = 90;
/** For one test file. */
const TEST_TIMEOUT_MS = 240_000;
/** Test files at a time: more than two cores need, since many wait for processes and timeouts. */
const CONCURRENCY = 4;
/** Modules that import the test files which share a process. */
const GROUPS = 'build/groups';

/** Both compiled forms of src/ count: tests import build/, processes start from dist/. */
const COVERED = ['build/src', 'dist'];

process.chdir(ROOT);
process.exitCode = main();

function main(): number {
  const options = parseRunArguments(process.argv.slice(2));
  if (typeof options === 'string') return reportUsageError(options);
  if (options.help) {
    console.log(RUN_USAGE);
    return 0;
  }
  const all = below('build/spec').filter(isTest);
  const chosen = all.filter(
    (path) => options.words.length === 0 || options.words.some((word) => path.includes(word)),
  );
  if (chosen.length === 0)
    return fail(`no path of a test file contains ${options.words.join(' or ')}`, 2);
  if (options.drivers !== '') process.env['VIBING_DRIVERS'] = options.drivers;
  console.log(formatBegin({ node: process.version, driver: usualDriver() }));
  if (!options.all && options.words.length === 0) chooseTurn();

  const files = options.words.length === 0 ? inGroups(chosen) : chosen;
  const isFull = options.words.length === 0 && options.forNode.length === 0 && options.coverage;
  if (!isFull) return runTests(files, options.forNode, {});
  const lintStatus = lint();
  const raw = join(COVERAGE, 'tmp');
  rmSync(raw, { recursive: true, force: true });
  mkdirSync(raw, { recursive: true });
  const status = runTests(files, [], { NODE_V8_COVERAGE: raw }) || reportCoverage(raw);
  // Lint errors do not prevent the tests; they are reported again at the end.
  return lintStatus === 0
    ? status
    : fail('lint failed, see the beginning of the output', status || 1);
}

/** The files to start processes with: a module for each group that shares one, and the others. */
function inGroups(files: readonly string[]): readonly string[] {
  rmSync(GROUPS, { recursive: true, force: true });
  mkdirSync(GROUPS, { recursive: true });
  const groups = sharedProcesses(files, (file) => readFileSync(sourceOf(file), 'utf8'));
  const modules = groups.map((group, index) => {
    const path = `${GROUPS}/${String(index).padStart(2, '0')}.test.js`;
    writeFileSync(path, group.map((file) => `import '../../${file}';\n`).join(''));
    return path;
  });
  const grouped = new Set(groups.flat());
  return [...files.filter((file) => !grouped.has(file)), ...modules];
}

/** All parts where there is no commit. */
function chooseTurn(): void {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  if (status !== 0) return;
  const turn = turnOf(stdout, Number.parseInt(process.versions.node, 10));
  process.env[TURN_VARIABLE] = String(turn);
  const third = `third ${(turn % THIRDS) + 1}`;
  const fifth = `fifth ${(turn % FIFTHS) + 1}`;
  const commit = stdout.slice(0, 9);
  console.log(`slow tests: ${third}, ${fifth}, of commit ${commit}; --all runs all of them`);
}

/** The driver that a server chooses here, with the reason when it is not the fastest. */
function usualDriver(): string {
  const { driver, note } = chooseDriver('auto', { slab: new Slab(1024, 4), slots: 4, backlog: 8 });
  driver.destroy();
  return note ?? `driver ${driver.name}`;
}

function runTests(
  files: readonly string[],
  forNode: readonly string[],
  environment: Readonly<Record<string, string>>,
): number {
  return run(
    [
      '--test',
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      `--test-concurrency=${CONCURRENCY}`,
      '--test-reporter=spec',
      ...forNode,
      ...files,
    ],
    environment,
  );
}

function lint(): number {
  const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
  return run([biome, 'check', '--error-on-warnings'], {});
}

/** Fails below the minimum. Files that no test loads count as uncovered. */
function reportCoverage(raw: string): number {
  const typesOnly = COVERED.flatMap(below).filter(holdsNothing);
  return run(
    [
      join('node_modules', 'c8', 'bin', 'c8.js'),
      'report',
      '--all',
      '--check-coverage',
      `--lines=${LINES_MIN}`,
      `--temp-directory=${raw}`,
      `--reports-dir=${COVERAGE}`,
      '--merge-async',
      '--reporter=text',
      '--reporter=text-summary',
      '--skip-full',
      // It runs in a browser.
      '--exclude=dist/viewer/page/**',
      ...COVERED.flatMap((folder) => [`--src=${folder}`, `--include=${folder}/**/*.js`]),
      '--exclude=**/*.d.ts',
      ...typesOnly.map((path) => `--exclude=${path}`),
    ],
    {},
  );
}

/** A file with types only has no code. */
function holdsNothing(path: string): boolean {
  if (!path.endsWith('.js')) return false;
  const code = readFileSync(path, 'utf8').replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '');
  return code.replace(/export \{\};/, '').trim() === '';
}

function run(command: readonly string[], environment: Readonly<Record<string, string>>): number {
  const { status, signal } = spawnSync(process.execPath, command, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  return signal === null ? (status ?? 1) : fail(`stopped by ${signal}`, 1);
}

/** Whether a compiled file is a test whose source exists. */
function isTest(path: string): boolean {
  return path.endsWith('.test.js') && existsSync(sourceOf(path));
}

function sourceOf(compiled: string): string {
  return compiled.replace(/^build\//, '').replace(/\.js$/, '.ts');
}

/** The files below a folder, sorted, with slashes on every system. */
function below(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...below(path));
    else found.push(path);
  }
  return found.sort();
}

function fail(problem: string, status: number): number {
  console.error(problem);
  return status;
}
