// Checks the package as its users get it: npm run package:check. It packs a clean clone of the last
// commit, installs the packed file in an empty project, and uses it there: the command, a server,
// every entry with its types. With --git a project installs it from the repository, too.

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../testing/child-program.ts';
import { start } from '../../testing/program.ts';
import { reportUsageError, unknownOption } from '../../testing/usage-error.ts';

const USAGE = `usage: npm run package:check -- [--git]

Packs a clean clone of the last commit, installs the packed file in an empty project, and uses it
there.

  --git   also installs the package from the repository, which installs and compiles it once more
  --help  this text

Exit codes: 0 when the package works, 1 when it does not, 2 when the arguments are wrong.`;

/** A package of this size is downloaded in a second. The metrics viewer is 45 KB of it. */
const PACKED_BYTES_MAX = 300_000;
/** For one command. Installing from the repository takes longest. */
const COMMAND_MS_MAX = 300_000;
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';
/**
 * What the consumer prints: version, JSON, file, status, injected text, if a load ran, if a viewer
 * found no metrics, if it serves the charts library and the script of its page, and the functions
 * in the stack of an error.
 */
const CONSUMER_PRINTS = (version: string): string =>
  `["${version}","{\\"id\\":\\"7\\"}","a file",418,"GET",true,` +
  'true,true,true,["readStock","listStock"]]';

/** Set when the checks begin; removed with everything in it. */
let folder = '';

class PackageProblem extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(given: readonly string[]): Promise<number> {
  if (given.includes('--help') || given.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  const unknown = given.find((argument) => argument !== '--git');
  if (unknown !== undefined) return reportUsageError(unknownOption(unknown, ['git']));
  folder = mkdtempSync(join(tmpdir(), 'vibing-package-'));
  try {
    await check(given.includes('--git'));
    return 0;
  } catch (error) {
    if (!(error instanceof PackageProblem)) throw error;
    console.error(`the package does not work: ${error.message}`);
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function check(fromGit: boolean): Promise<void> {
  const publint = join(ROOT, 'node_modules', 'publint', 'src', 'cli.js');
  succeeds(process.execPath, [publint, 'run', '--strict'], ROOT);
  const clone = join(folder, 'clone');
  succeeds(
    'git',
    ['clone', '--quiet', '--no-local', '--depth', '1', `file://${ROOT}`, clone],
    ROOT,
  );
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
  const packed = pack(clone, `vibing-${version}.tgz`);
  await uses(project('from-file', packed), version);
  console.log(`the packed file works in an empty project: vibing ${version}`);
  if (!fromGit) return;
  await uses(project('from-git', `git+file://${clone}`), version);
  console.log('so does the package installed from the repository');
}

/** Packs the clone, which without its dependencies must fail and say why. */
function pack(clone: string, name: string): string {
  const { status, output } = run(NPM, ['pack'], clone);
  if (status === 0) throw new PackageProblem('npm pack succeeds where dist/ cannot be compiled');
  if (!output.includes('run npm ci first')) {
    throw new PackageProblem(`npm pack fails without advice\n${output}`);
  }
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
  succeeds(NPM, ['pack', '--pack-destination', folder], clone);
  const packed = join(folder, name);
  const { size } = statSync(packed);
  console.log(`${name}: ${size} bytes`);
  if (size > PACKED_BYTES_MAX) {
    throw new PackageProblem(`the packed file has ${size} bytes, the limit is ${PACKED_BYTES_MAX}`);
  }
  // It is installed by npm itself next, without links to this tree.
  rmSync(join(clone, 'node_modules'));
  return packed;
}

/** An empty project with the package installed. */
function project(name: string, dependency: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  const manifest = { name: 'consumer', version: '1.0.0', private: true, type: 'module' };
  writeFileSync(join(path, 'package.json'), JSON.stringify(manifest));
  succeeds(NPM, ['install', '--prefer-offline', '--no-audit', '--no-fund', dependency], path);
  return path;
}

async function uses(path: string, version: string): Promise<void> {
  expects(
    'npx vibing --version',
    succeeds(NPM, ['exec', 'vibing', '--', '--version'], path),
    version,
  );
  const bin = join(path, 'node_modules', 'vibing', 'dist', 'cli', 'main.js');
  const site = join(ROOT, 'examples', 'site');
  const server = await start(bin, ['serve', site, '--host', '127.0.0.1', '--port', '0']);
  try {
    const response = await fetch(server.url);
    expects('the response to GET /', String(response.status), '200');
    expects('its content', await response.text(), readFileSync(join(site, 'index.html'), 'utf8'));
  } finally {
    await server.stop();
  }
  makesProject(path);
  compile(path);
  const printed = succeeds(process.execPath, ['consumer.js'], path);
  expects('the program of a user', printed, CONSUMER_PRINTS(version));
}

/** `vibing init` makes a project beside the installed package, whose tests pass. */
function makesProject(path: string): void {
  succeeds(NPM, ['exec', 'vibing', '--', 'init', 'app'], path);
  const app = join(path, 'app');
  const modules = join(app, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  for (const name of ['typescript', join('@types', 'node')]) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  }
  const { dependencies } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  if (!existsSync(join(app, dependencies.vibing.replace(/^file:/, '')))) {
    throw new PackageProblem(`a project depends on vibing ${dependencies.vibing}`);
  }
  const named = readFileSync(join(app, 'README.md'), 'utf8').matchAll(/`(node_modules\/\S+)`/g);
  for (const [, file] of named) {
    if (existsSync(join(path, file))) continue;
    throw new PackageProblem(`a project names ${file}, which is not in the package`);
  }
  succeeds(NPM, ['test'], app);
}

/** Compiles a program that uses every entry, as Node and as bundlers resolve them. */
function compile(path: string): void {
  const types = join(path, 'node_modules', '@types');
  mkdirSync(types, { recursive: true });
  if (!existsSync(join(types, 'node'))) {
    symlinkSync(join(ROOT, 'node_modules', '@types', 'node'), join(types, 'node'), 'junction');
  }
  const source = join(ROOT, 'spec', 'package', 'consumer.ts');
  copyFileSync(source, join(path, 'consumer.ts'));
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  for (const [module, resolution] of [
    ['esnext', 'bundler'],
    ['nodenext', 'nodenext'],
  ]) {
    const options = { module, moduleResolution: resolution, target: 'es2023', types: ['node'] };
    const compilerOptions = { ...options, strict: true, skipLibCheck: false };
    const config = { compilerOptions, files: ['consumer.ts'] };
    writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(config));
    succeeds(process.execPath, [compiler, '-p', '.'], path);
  }
}

function expects(what: string, found: string, expected: string): void {
  if (found.trim() === expected.trim()) return;
  throw new PackageProblem(`${what}: expected ${expected}, found ${found}`);
}

/** The output of a command that must succeed. */
function succeeds(command: string, parameters: readonly string[], cwd: string): string {
  const { status, output, printed } = run(command, parameters, cwd);
  if (status === 0) return printed;
  throw new PackageProblem(`${command} ${parameters.join(' ')} ended with ${status}\n${output}`);
}

function run(
  command: string,
  parameters: readonly string[],
  cwd: string,
): { readonly status: number | null; readonly printed: string; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd,
    // What npm passes to its scripts would be read by the npm that is started here.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    encoding: 'utf8',
    timeout: COMMAND_MS_MAX,
    shell: process.platform === 'win32' && command === NPM,
  });
  const printed = stdout ?? '';
  return { status, printed, output: `${printed}${stderr ?? ''}${error?.message ?? ''}` };
}
