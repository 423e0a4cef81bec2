// What a measurement needs of the machine: Linux, two cores, programs on the PATH, descriptors.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

const HOW_TO_INSTALL: Readonly<Record<string, string>> = {
  taskset: 'apt-get install util-linux',
  prlimit: 'apt-get install util-linux',
  perf: 'apt-get install linux-perf',
  wrk: 'apt-get install wrk, or .ci/install-apt wrk',
};

/** Why no run with one core for the server and one for the load can start; null when it can. */
export function pairingProblem(programs: readonly string[] = ['wrk']): string | null {
  if (process.platform !== 'linux')
    return 'this runs on Linux only: it pins processes to cores and reads /proc';
  for (const program of ['taskset', ...programs]) {
    if (isOnPath(program)) continue;
    const how = HOW_TO_INSTALL[program] ?? `apt-get install ${program}`;
    return `${program} is not installed: ${how}`;
  }
  if (availableParallelism() < 2)
    return 'two cores are needed, one for the server and one for the load';
  for (const core of ['0', '1']) {
    const { status } = spawnSync('taskset', ['-c', core, 'true'], { stdio: 'ignore' });
    if (status !== 0) return `this process may not run on core ${core}`;
  }
  return null;
}

/** Whether a folder of the PATH has the program. */
export function isOnPath(program: string, path: string = process.env['PATH'] ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** How many of `wanted` descriptors a child can have: raising the hard limit needs a privilege. */
export function descriptorsOf(wanted: number): number {
  const command = [`--nofile=${wanted}:${wanted}`, 'true'];
  const { status } = spawnSync('prlimit', command, { stdio: 'ignore' });
  return status === 0 ? wanted : hardLimit(readFileSync('/proc/self/limits', 'latin1'));
}

/** From the text of /proc/PID/limits. */
export function hardLimit(limits: string): number {
  const match = /^Max open files\s+\d+\s+(\d+)\s/m.exec(limits);
  if (match === null) throw new Error('/proc/PID/limits has no line about open files');
  return Number(match[1]);
}
