// A commit of the project in a folder of its own, compiled, which goes when this process ends.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../measure/child-process.ts';

/** Compiled, this file lies in build/perf/compare/. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'perf-compare');
const BUILD_MS_MAX = 300_000;
const INSTALL_MS_MAX = 300_000;
const ANY_CORE = -1;

export interface Checkout {
  /** As it was asked for. */
  readonly name: string;
  readonly hash: string;
  readonly folder: string;
}

/** The whole hash of what a name stands for, or '' when there is no such commit. */
export function commitHash(name: string): string {
  // A name that begins with a dash would be an option.
  if (name.startsWith('-')) return '';
  const { status, stdout } = git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  return status === 0 ? stdout.trim() : '';
}

/** `role` keeps two folders apart when both commits are the same. */
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

/** The compiled form of a script below its perf/, '' when it has none. */
export function scriptIn({ folder }: Checkout, name: string): string {
  const path = join(folder, 'build', 'perf', name.replace(/\.ts$/, '.js'));
  return existsSync(path) ? path : '';
}

/** Gives it packages: ours when it asks for no others. */
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

/** Whether all packages of the first lock file stand in the second, in the same versions. */
export function needsNoOther(theirs: Lock, ours: Lock): boolean {
  return Object.entries(theirs.packages).every(
    ([path, { version }]) => path === '' || ours.packages[path]?.version === version,
  );
}

function remove(folder: string): void {
  const packages = join(folder, 'node_modules');
  try {
    // A link to our packages; nothing may follow it.
    unlinkSync(packages);
  } catch {
    // They are its own, or it never got any.
  }
  git('worktree', 'remove', '--force', folder);
  rmSync(folder, { recursive: true, force: true });
  git('worktree', 'prune');
}

function git(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
}
