// Makes a release of a clean tree: version, heading of the changelog, tarball, list of the packages
// that it brings (SBOM), commit and tag. It never pushes and never publishes. Plain JavaScript, so
// that it runs before anything is compiled.
//
//   npm run release -- VERSION [--dry-run]

import { spawnSync } from 'node:child_process';
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

Exit codes: 0, 1 when something failed (then nothing is changed), 2 when an argument is wrong.`;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'build', 'release');
/** What a release changes. */
const FILES = ['package.json', 'package-lock.json', 'CHANGELOG.md'];
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const VERSION =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;
const UNRELEASED = /^## (?:\S+ )?\(?unreleased\)?$/im;

class Problem extends Error {}

process.exitCode = main(process.argv.slice(2));

function main(given) {
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
    const changelog = checked(version);
    if (flags.includes('--dry-run')) plan(version, changelog);
    else release(version, changelog);
    return 0;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(`no release: ${error.message}`);
    return 1;
  }
}

function usageError(problem) {
  console.error(`${problem}; --help explains the arguments`);
  return 2;
}

/** Throws for a tree that cannot be released; returns the changelog with its new heading. */
function checked(version) {
  const changed = run('git', ['status', '--porcelain']).trimEnd();
  if (changed !== '') {
    throw new Problem(`the tree is not clean; commit or remove these first:\n${changed}`);
  }
  const { version: current } = JSON.parse(read('package.json'));
  if (compare(version, current) < 0) {
    throw new Problem(`${version} is below ${current}, the version of package.json`);
  }
  const tag = `v${version}`;
  if (run('git', ['tag', '--list', tag]) !== '') throw new Problem(`the tag ${tag} exists already`);
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
  write version ${version} to package.json and package-lock.json
  write the heading "${heading}" to CHANGELOG.md
  pack build/release/vibing-${version}.tgz and list its packages beside it
  commit that as "release: ${version}", with the tag v${version}`);
}

function release(version, changelog) {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  try {
    run(NPM, ['version', version, '--no-git-tag-version', '--allow-same-version']);
    writeFileSync(join(ROOT, 'CHANGELOG.md'), changelog);
    run(NPM, ['pack', '--pack-destination', OUT]);
    const list = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
    const packages = run(NPM, list);
    JSON.parse(packages);
    writeFileSync(join(OUT, `vibing-${version}.cdx.json`), packages);
    const tarball = join(OUT, `vibing-${version}.tgz`);
    const digest = createHash('sha256').update(readFileSync(tarball)).digest('hex');
    writeFileSync(`${tarball}.sha256`, `${digest}  vibing-${version}.tgz\n`);
    run('git', ['add', '--', ...FILES]);
    run('git', ['commit', '--quiet', '--message', `release: ${version}`]);
    run('git', ['tag', '--annotate', `v${version}`, '--message', `vibing ${version}`]);
    report(version, tarball, digest);
  } catch (error) {
    undo(version);
    throw error;
  }
}

/** The tree was clean, so these files are those of the last commit before the release. */
function undo(version) {
  const subject = run('git', ['log', '-1', '--format=%s']).trim();
  if (subject === `release: ${version}`) run('git', ['reset', '--quiet', '--soft', 'HEAD~1']);
  run('git', ['reset', '--quiet', '--', ...FILES]);
  run('git', ['checkout', '--quiet', '--', ...FILES]);
  rmSync(OUT, { recursive: true, force: true });
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

function read(name) {
  return readFileSync(join(ROOT, name), 'utf8');
}

/** The standard output of a command that must succeed. */
function run(command, parameters) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // What npm passes to its scripts would be read by the npm that is started here.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    shell: process.platform === 'win32' && command === NPM,
  });
  if (status === 0) return stdout;
  const output = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trimEnd();
  throw new Problem(`${command} ${parameters.join(' ')} ended with ${status}\n${output}`);
}
