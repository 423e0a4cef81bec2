// Makes a release of a clean tree: version, heading of the changelog, tarball, list of the packages
// that it brings (SBOM), commit and tag. It never pushes and never publishes. Plain JavaScript, so
// that it runs before anything is compiled.
//
//   npm run release -- VERSION [--dry-run]

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const USAGE = `usage: npm run release -- VERSION [--dry-run]

Checks that the tree is clean, that VERSION is not below that of package.json and has no tag yet,
and that CHANGELOG.md has an unreleased section. Then it writes the version and the date, packs the
package and lists its dependencies in build/release/, commits and tags. It never pushes or
publishes.

  VERSION     as 1.2.3 or 1.2.3-beta.1
  --dry-run   only the checks: says what would be done, and changes nothing
  --help      this text

Exit codes: 0, 1 when something failed, 2 when an argument is wrong, 130 after Ctrl-C. Unless it is
0, nothing is changed.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'build', 'release');
/** What a release changes. */
const VERSION_FILE = 'src/base/version.ts';
const FILES = ['package.json', 'package-lock.json', 'CHANGELOG.md', VERSION_FILE];
const VERSION_LINE = /^export const VERSION = '.*';$/m;
const IS_WINDOWS = process.platform === 'win32';
const NPM = IS_WINDOWS ? 'npm.cmd' : 'npm';
/** A number, or a name with a letter or a hyphen; numbers have no leading zeros (semver.org 9). */
const NUMBER = '(?:0|[1-9]\\d*)';
const PART = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`;
const VERSION = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${PART}(?:\\.${PART})*))?$`,
);
const UNRELEASED = /^## (?:\S+ )?\(?unreleased\)?$/im;

/** Exit codes by the signal that ended a release. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 };

class Problem extends Error {}

/** The signal that has interrupted a release, and the command of npm that runs. */
let interruption = null;
let runningNpm = null;

process.exitCode = await main(process.argv.slice(2));

async function main(given) {
  const flags = given.filter((word) => word.startsWith('-'));
  const [version, ...others] = given.filter((word) => !word.startsWith('-'));
  if (flags.includes('--help') || flags.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  const unknown = flags.find((flag) => flag !== '--dry-run');
  if (unknown !== undefined) return usageError(`unknown option ${unknown}`);
  if (version === undefined) return usageError('a version is needed, as 1.2.3');
  if (others.length > 0) return usageError(`one version is needed, given also ${others.join(' ')}`);
  if (!VERSION.test(version)) return usageError(`${version} is no version: write it as 1.2.3`);
  try {
    const changelog = await checked(version);
    if (flags.includes('--dry-run')) plan(version, changelog);
    else await release(version, changelog);
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`no release: ${error.message}`);
    return interruption === null ? 1 : SIGNALS[interruption];
  }
}

/** Also errors of files. */
function isExpected(error) {
  return error instanceof Problem || typeof error?.code === 'string';
}

function usageError(problem) {
  console.error(`${problem}; --help explains the arguments`);
  return 2;
}

/** Throws for a tree that cannot be released; returns the changelog with its new heading. */
async function checked(version) {
  const changed = (await run('git', ['status', '--porcelain'])).trimEnd();
  if (changed !== '') {
    throw new Problem(`the tree is not clean; commit or remove these first:\n${changed}`);
  }
  const { version: current } = parsed(read('package.json'), 'package.json');
  if (compare(version, current) < 0) {
    throw new Problem(`${version} is below ${current}, the version of package.json`);
  }
  const tag = `v${version}`;
  if ((await run('git', ['tag', '--list', tag])) !== '')
    throw new Problem(`the tag ${tag} exists already`);
  const changelog = read('CHANGELOG.md');
  const heading = UNRELEASED.exec(changelog);
  if (heading === null) {
    throw new Problem('CHANGELOG.md has no heading such as "## 1.2.3 (unreleased)"');
  }
  const rest = changelog.slice(heading.index + heading[0].length);
  const section = rest.slice(0, /^## /m.exec(rest)?.index ?? rest.length);
  if (section.trim() === '') throw new Problem('the unreleased section of CHANGELOG.md is empty');
  const date = new Date().toISOString().slice(0, 10);
  return changelog.replace(UNRELEASED, () => `## ${version} (${date})`);
}

function plan(version, changelog) {
  const heading = changelog.split('\n').find((line) => line.startsWith(`## ${version} `));
  console.log(`dry run: nothing is changed. The release of ${version} would
  write version ${version} to package.json, package-lock.json and ${VERSION_FILE}
  write the heading "${heading}" to CHANGELOG.md
  pack build/release/vibing-${version}.tgz and list its packages beside it
  commit that as "release: ${version}", with the tag v${version}`);
}

async function release(version, changelog) {
  for (const signal of Object.keys(SIGNALS)) process.on(signal, interrupt);
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  try {
    const { tarball, digest } = await make(version, changelog);
    report(version, tarball, digest);
  } catch (error) {
    await undo(version, error);
    throw error;
  }
}

async function make(version, changelog) {
  await step(NPM, ['version', version, '--no-git-tag-version', '--allow-same-version']);
  writeFileSync(join(ROOT, 'CHANGELOG.md'), changelog);
  writeVersion(version);
  await step(NPM, ['pack', '--pack-destination', OUT]);
  const list = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const packages = await step(NPM, list);
  parsed(packages, 'the list of packages');
  writeFileSync(join(OUT, `vibing-${version}.cdx.json`), packages);
  const tarball = join(OUT, `vibing-${version}.tgz`);
  const digest = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  writeFileSync(`${tarball}.sha256`, `${digest}  vibing-${version}.tgz\n`);
  await step('git', ['add', '--', ...FILES]);
  await step('git', ['commit', '--quiet', '--message', `release: ${version}`]);
  const message = ['--message', `vibing ${version}`];
  await step('git', ['tag', '--annotate', `v${version}`, ...message]);
  return { tarball, digest };
}

/** Writes the version that the code knows. */
function writeVersion(version) {
  const text = read(VERSION_FILE);
  if (!VERSION_LINE.test(text)) throw new Problem(`${VERSION_FILE} has no line with the version`);
  const line = `export const VERSION = '${version}';`;
  writeFileSync(
    join(ROOT, VERSION_FILE),
    text.replace(VERSION_LINE, () => line),
  );
}

/** A command of a release, which a signal interrupts. */
async function step(command, parameters) {
  const output = await run(command, parameters).catch((error) => error);
  if (interruption !== null) throw new Problem(`interrupted by ${interruption}`);
  if (typeof output !== 'string') throw output;
  return output;
}

/** npm is ended; git ends by itself, soon, and leaves no half of its work. */
function interrupt(signal) {
  interruption ??= signal;
  if (runningNpm === null) return;
  try {
    if (IS_WINDOWS) runningNpm.kill();
    else process.kill(-runningNpm.pid, 'SIGTERM');
  } catch {
    // It has just ended.
  }
}

/**
 * The tree was clean, and the tag was not there, so all is that of the last commit before the
 * release.
 */
async function undo(version, reason) {
  try {
    await run('git', ['tag', '--delete', `v${version}`]).catch(() => {});
    const subject = (await run('git', ['log', '-1', '--format=%s'])).trim();
    const before = ['reset', '--quiet', '--soft', 'HEAD~1'];
    if (subject === `release: ${version}`) await run('git', before);
    await run('git', ['reset', '--quiet', '--', ...FILES]);
    await run('git', ['checkout', '--quiet', '--', ...FILES]);
    rmSync(OUT, { recursive: true, force: true });
  } catch (error) {
    const advice = 'what it changed could not be undone, see "git status"';
    throw new Problem(`${reason.message}\n${advice}: ${error.message}`);
  }
}

function report(version, tarball, digest) {
  const path = relative(ROOT, tarball);
  console.log(`released ${version} in this repository, and nowhere else:
  ${path}
  sha256 ${digest}

next, when it is right:
  git push --follow-tags
  npm publish ${path}

to undo it before that:
  git tag --delete v${version} && git reset --hard HEAD~1`);
}

/** Negative when `a` is below `b` (semver.org 11). */
function compare(a, b) {
  const [, ...left] = VERSION.exec(a) ?? [];
  const [, ...right] = VERSION.exec(b) ?? [];
  for (let at = 0; at < 3; at++) {
    const difference = Number(left[at]) - Number(right[at]);
    if (difference !== 0) return difference;
  }
  return comparePrerelease(left[3], right[3]);
}

/** A version without one is above those with one. */
function comparePrerelease(a, b) {
  if (a === undefined || b === undefined)
    return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
  const [left, right] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]];
    if (one === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
    if (isNumber && isOtherNumber) return Number(one) - Number(other);
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return left.length - right.length;
}

function parsed(text, name) {
  try {
    return JSON.parse(text);
  } catch ({ message }) {
    throw new Problem(`${name} is not JSON: ${message}`);
  }
}

function read(name) {
  return readFileSync(join(ROOT, name), 'utf8');
}

/**
 * The standard output of a command that must succeed. It has a group of its own: Ctrl-C reaches
 * this program alone.
 */
function run(command, parameters) {
  const child = spawn(command, parameters, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: !IS_WINDOWS,
    // What npm passes to its scripts would be read by the npm that is started here.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    shell: IS_WINDOWS && command === NPM,
  });
  if (command === NPM && child.pid !== undefined) runningNpm = child;
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const { promise, resolve, reject } = withResolvers();
  const fail = (how) => {
    const output = `${stdout}${stderr}`.trimEnd();
    reject(new Problem(`${command} ${parameters.join(' ')} ${how}\n${output}`));
  };
  child.once('error', ({ message }) => fail(`could not be started: ${message}`));
  child.once('close', (status, signal) => {
    runningNpm = null;
    if (status === 0) resolve(stdout);
    else fail(`ended with ${status ?? signal}`);
  });
  return promise;
}

/** Promise.withResolvers(), which Node 20 does not have. */
function withResolvers() {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
