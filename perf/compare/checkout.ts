// A commit of the project in a worktree of its own, compiled. It is removed when this process ends.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../measure/child-process.ts';

/** Compiled, this file lies in build/perf/compare/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Not below node_modules: there the compiler takes imported files for those of packages. */
const CACHE = join(tmpdir(), 'vibing-perf-compare');
const BUILD_MS_MAX = 300_000;
const INSTALL_MS_MAX = 300_000;
const ANY_CORE = -1;

export interface Checkout {
  /** As it was given on the command line. */
  readonly name: string;
  readonly hash: string;
  readonly folder: string;
}

/** The full hash of a commit by any of its names, '' when there is no such commit. */
export function commitHash(name: string): string {
  // A name that begins with a dash would be an option.
  if (name.startsWith('-')) return '';
  const { status, stdout } = git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  return status === 0 ? stdout.trim() : '';
}

/** `role` distinguishes the two folders when both commits are the same. */
export async function checkOut(name: string, hash: string, role: string): Promise<Checkout> {
  const folder = join(CACHE, `${hash.slice(0, 12)}-${role}-${process.pid}`);
  mkdirSync(CACHE, { recursive: true });
  process.on('exit', () => remove(folder));
  const added = git('worktree', 'add', '--detach', '--force', folder, hash);
  if (added.status !== 0) throw new Error(`git worktree add failed: ${added.stderr.trim()}`);
  await provide(folder);
  console.log(`compiling ${name} (${hash.slice(0, 12)})`);
  const command = [process.execPath, join(folder, '.ci', 'build.mjs'), 'all'];
  const { code, output } = await runProgram(command, ANY_CORE, BUILD_MS_MAX);
  if (code !== 0) throw new Error(`${name} does not compile\n${output}`);
  return { name, hash, folder };
}

/**
 * The compiled form of a script of a commit, by the first of the given paths below perf/ that it
 * has: older commits have some scripts at other places. '' when it has none of them.
 */
export function scriptIn({ folder }: Pick<Checkout, 'folder'>, ...names: string[]): string {
  const paths = names.map((name) => join(folder, 'build', 'perf', name.replace(/\.ts$/, '.js')));
  return paths.find((path) => existsSync(path)) ?? '';
}

/** Provides its packages: ours when its lock file has no others. */
async function provide(folder: string): Promise<void> {
  const lock = 'package-lock.json';
  const theirs = readFileSync(join(folder, lock), 'utf8');
  const ours = readFileSync(join(ROOT, lock), 'utf8');
  if (needsNoOther(JSON.parse(theirs), JSON.parse(ours))) {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    return;
  }
  const command = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  const { code, output } = await runProgram(command, ANY_CORE, INSTALL_MS_MAX);
  if (code !== 0) throw new Error(`npm ci failed in ${folder}\n${output}`);
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
}

/** Whether the second lock file has all packages of the first in the same versions. */
export function needsNoOther(theirs: Lock, ours: Lock): boolean {
  return Object.entries(theirs.packages).every(
    ([path, { version }]) => path === '' || ours.packages[path]?.version === version,
  );
}

function remove(folder: string): void {
  const packages = join(folder, 'node_modules');
  try {
    // A link to our packages: it goes first, so that their files are not removed through it.
    unlinkSync(packages);
  } catch {
    // The folder has packages of its own, or none.
  }
  git('worktree', 'remove', '--force', folder);
  rmSync(folder, { recursive: true, force: true });
  git('worktree', 'prune');
}

function git(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}
