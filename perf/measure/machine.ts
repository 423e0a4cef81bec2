// The machine, commit and versions that figures belong to, and pinning this process to a core.

import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import type { RunFacts } from './results.ts';

export function describeMachine(): Readonly<Record<string, string>> {
  const { startedAt, commit, cores, machine, node, kernel } = runFacts();
  return {
    date: startedAt,
    commit: `commit ${commit}`,
    machine: `${cores} cores of ${machine}`,
    node: `Node ${node}`,
    kernel: `Linux ${kernel}`,
  };
}

/** The same facts as every line of results has them. */
export function runFacts(): RunFacts {
  const all = cpus();
  return {
    startedAt: new Date().toISOString(),
    commit: commit(),
    machine: all[0]?.model.trim() ?? 'unknown processors',
    cores: all.length,
    node: process.version,
    kernel: release(),
  };
}

/** A short hash, followed by '+' when a tracked file outside of reports/ was changed. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const tracked = ['status', '--porcelain', '--untracked-files=no'];
    const changes = [...tracked, '--', ':/', ':(top,exclude)reports'];
    return `${git('rev-parse', '--short=9', 'HEAD')}${git(...changes) === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}

/** Pins all threads of this process, so that its load stays off the server's core. */
export function pinSelf(core: number): void {
  const args = ['-a', '-c', '-p', String(core), String(process.pid)];
  execFileSync('taskset', args, { stdio: 'pipe' });
}
