// Runs npm test on several versions of Node: npm run test:versions -- [version...] [option...].
// With --traces it compares runs of the simulator on all versions: npm run sim:versions.
//
// The versions are installed from the npm registry, each in its own folder below
// node_modules/.cache/. All of them run the same build and dependencies of the project, which stay
// unchanged.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportUsageError } from '../testing/usage-error.ts';
import {
  parseVersionsArguments,
  VERSIONS_USAGE,
  type VersionsArguments,
} from './versions-arguments.ts';
import {
  beginIn,
  compareVersions,
  countsIn,
  packageFor,
  releaseFor,
  relevantPart,
  SYSTEMS,
  tracesIn,
} from './versions-found.ts';

/** This file is compiled to build/spec/. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Git ignores it, and npm ci empties it. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'node-versions');

const SIMULATOR = join(ROOT, 'build', 'harness', 'run.js');

/** For a request to the registry, and for the download of some 50 MB. */
const REGISTRY_MS_MAX = 600_000;
/** For all tests on one version. They take minutes; longer means that a test hangs. */
const TESTS_MS_MAX = 3_600_000;
/** The lines that are printed of a failed run. All of them are in its log. */
const LINES_SHOWN = 120;

const OLD_NPM = 'npm was not found: start this as npm run test:versions';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  /** It took too long and was stopped. */
  readonly isLate: boolean;
}

/** An error that is printed without a stack. */
class Problem extends Error {}

/** The running child. It is stopped at every exit of this process. */
let running: ChildProcess | null = null;
process.on('exit', () => end(running));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

process.exitCode = await main();

async function main(): Promise<number> {
  const options = parseVersionsArguments(process.argv.slice(2));
  if (typeof options === 'string') return reportUsageError(options);
  if (options.help) {
    console.log(VERSIONS_USAGE);
    return 0;
  }
  try {
    return await testAll(options);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function testAll({ wanted, forTests, traces }: VersionsArguments): Promise<number> {
  const name = packageFor(process.platform, process.arch);
  if (name === '') {
    const system = `${process.platform}-${process.arch}`;
    throw new Problem(`the registry has no Node for ${system}, only for ${SYSTEMS}`);
  }
  const releases = chosenOf(wanted, name, await publishedOf(name));
  // All are installed first: a missing version is reported before minutes of tests.
  const nodes = new Map<string, string>();
  for (const release of releases) nodes.set(release, await install(name, release));
  if (traces > 0) return compareTraces(nodes, traces);
  const failed: string[] = [];
  for (const [release, folder] of nodes) {
    if (!(await testOn(release, folder, forTests))) failed.push(release);
  }
  console.log(failed.length === 0 ? 'all passed' : `failed on Node ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

async function publishedOf(name: string): Promise<readonly string[]> {
  const { code, output } = await npm(['view', name, 'versions', '--json']);
  if (code !== 0)
    throw new Problem(
      `cannot get the versions of ${name} from the registry:\n${npmProblem(output)}`,
    );
  try {
    // A single version is not a list.
    return [JSON.parse(output.slice(output.search(/^[["]/m)))].flat().map(String);
  } catch {
    throw new Problem(`cannot parse the response of the registry for ${name}:\n${output}`);
  }
}

function chosenOf(
  wanted: readonly string[],
  name: string,
  published: readonly string[],
): readonly string[] {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { engines } = JSON.parse(text) as { readonly engines: { readonly node: string } };
  const oldest = engines.node.replace(/^>=/, '');
  const chosen = wanted.map((one) => {
    const release = releaseFor(one, published);
    if (release === '') throw new Problem(`there is no Node ${one} in ${name}`);
    if (compareVersions(release, oldest) < 0) {
      throw new Problem(`Node ${release} is older than ${oldest}, the oldest that is supported`);
    }
    return release;
  });
  return [...new Set(chosen)];
}

/** The folder with the program `node` of a release, after a check that it runs. */
async function install(name: string, release: string): Promise<string> {
  const prefix = join(FOLDER, release);
  const bin = join(prefix, 'node_modules', name, 'bin');
  if (await isNode(bin, release)) return bin;
  console.log(`Node ${release}: fetching ${name}`);
  mkdirSync(prefix, { recursive: true });
  // Without one npm uses that of the project.
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n');
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const command = ['install', '--prefix', prefix, ...flags, `${name}@${release}`];
  const { code, output } = await npm(command);
  if (code !== 0) throw new Problem(`Node ${release} cannot be installed:\n${npmProblem(output)}`);
  if (await isNode(bin, release)) return bin;
  throw new Problem(`Node ${release} was installed in ${bin} but does not run on this system`);
}

async function isNode(bin: string, release: string): Promise<boolean> {
  const program = programIn(bin);
  if (!existsSync(program)) return false;
  const { output } = await run([program, '--version'], process.env, REGISTRY_MS_MAX);
  return output.trim() === `v${release}`;
}

function programIn(bin: string): string {
  return join(bin, process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Runs the tests on one version and prints the result; true when they passed. */
async function testOn(release: string, bin: string, forTests: readonly string[]): Promise<boolean> {
  const isOfRunning = release.split('.')[0] === process.versions.node.split('.')[0];
  const more = isOfRunning || forTests.includes('--no-coverage') ? [] : ['--no-coverage'];
  const log = join(FOLDER, `${release}.log`);
  const startedMs = performance.now();
  const command = [programIn(bin), npmProgram(), 'test', '--', ...forTests, ...more];
  const ended = await run(command, environmentOf(bin), TESTS_MS_MAX);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  writeFileSync(log, ended.output);

  const begin = beginIn(ended.output);
  const counts = countsIn(ended.output);
  const result =
    counts === null
      ? 'the tests did not finish'
      : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  const driver = begin === null ? '' : `; ${begin.driver}`;
  console.log(`Node ${release}: ${result}, ${seconds} s${driver}`);
  let problem = '';
  if (ended.isLate) problem = `ended after ${TESTS_MS_MAX / 1000} s`;
  else if (ended.code !== 0) problem = `exit code ${ended.code}`;
  else if (begin?.node !== `v${release}`) problem = `it ran on ${begin?.node ?? 'an unknown Node'}`;
  else if (counts === null || counts.passed === 0) problem = 'no test ran';
  if (problem === '') return true;
  console.log(
    `${relevantPart(ended.output, LINES_SHOWN)}\nNode ${release}: ${problem}; see ${log}`,
  );
  return false;
}

/** Runs seeds of the simulator on each version; 0 when all traces are those of the first. */
async function compareTraces(nodes: ReadonlyMap<string, string>, seeds: number): Promise<number> {
  let first: ReadonlyMap<string, string> | null = null;
  let differing = 0;
  for (const [release, bin] of nodes) {
    const given = ['--seed', '1', '--seeds', String(seeds), '--traces'];
    const command = [programIn(bin), SIMULATOR, ...given];
    const { code, output } = await run(command, environmentOf(bin), TESTS_MS_MAX);
    const traces = tracesIn(output);
    if (code !== 0 || traces.size !== seeds) {
      console.log(`${relevantPart(output, LINES_SHOWN)}\nNode ${release}: exit code ${code}`);
      return 1;
    }
    first ??= traces;
    const others = [...traces].filter(([seed, trace]) => first?.get(seed) !== trace);
    for (const [seed, trace] of others) {
      console.log(`seed ${seed}: trace ${trace}, and ${first.get(seed)} on the first`);
    }
    console.log(`Node ${release}: ${traces.size} traces, ${others.length} differ from the first`);
    differing += others.length;
  }
  console.log(differing === 0 ? 'all traces are the same' : `${differing} traces differ`);
  return differing === 0 ? 0 : 1;
}

/** The environment of this process with `node` from `bin`, so that npm scripts use it as well. */
function environmentOf(bin: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' };
  // Node warns when it is set together with NO_COLOR.
  delete environment['FORCE_COLOR'];
  // Names are case-insensitive on Windows, but not in an object.
  const path = Object.keys(environment).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  environment[path] = [bin, environment[path] ?? ''].join(delimiter);
  environment['npm_node_execpath'] = programIn(bin);
  environment['NODE'] = programIn(bin);
  return environment;
}

function npmProgram(): string {
  const program = process.env['npm_execpath'] ?? '';
  if (!/npm-cli\.[cm]?js$/.test(program)) throw new Problem(OLD_NPM);
  return program;
}

function npm(args: readonly string[]): Promise<Ended> {
  const environment = { ...process.env, NO_COLOR: '1', npm_config_loglevel: 'error' };
  return run([process.execPath, npmProgram(), ...args], environment, REGISTRY_MS_MAX);
}

/** The error that npm prints, without its stack. */
function npmProblem(output: string): string {
  const lines = output.split('\n').filter((line) => !/^npm error\s+at /.test(line));
  return lines.slice(0, 8).join('\n').trimEnd();
}

/** Runs a program until it exits, or for `timeoutMs`: its exit code and its output. */
async function run(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that the test runner, a child of the child, is stopped too.
    detached: process.platform !== 'win32',
  });
  running = child;
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    end(child);
  }, timeoutMs);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`));
      resolve(null);
    });
    child.once('close', resolve);
  });
  clearTimeout(timer);
  running = null;
  return { code, output: Buffer.concat(chunks).toString(), isLate };
}

function end(child: ChildProcess | null): void {
  if (child?.pid === undefined) return;
  if (process.platform === 'win32') {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch {
    // It has exited by itself.
  }
}
