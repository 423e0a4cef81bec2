// What figures were taken on, to stand above them, and pinning this process to a core.

import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';

export function describeMachine(): Readonly<Record<string, string>> {
  const all = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: `${all.length} cores of ${all[0]?.model.trim() ?? 'an unknown kind'}`,
    node: `Node ${process.version}`,
    kernel: `Linux ${release()}`,
  };
}

function commit(): string {
  try {
    const command = ['describe', '--always', '--dirty'];
    return `commit ${execFileSync('git', command, { encoding: 'utf8', stdio: 'pipe' }).trim()}`;
  } catch {
    return 'commit unknown';
  }
}

/** All threads of this process; a load made here stays off the server's core. */
export function pinSelf(core: number): void {
  const args = ['-a', '-c', '-p', String(core), String(process.pid)];
  execFileSync('taskset', args, { stdio: 'pipe' });
}
