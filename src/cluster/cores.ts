// The number of workers: configured, or the cores that this process may use. These are the cores of
// its affinity mask, limited by the processor quota of its control groups.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { allowedCores } from '../driver/linux/affinity.ts';
import type { Config } from '../server/config/config.ts';

/** The text of a file, or null when it cannot be read. */
export type ReadText = (path: string) => string | null;

const MOUNT = '/sys/fs/cgroup';

/** Where the cpu controller of version 1 is mounted: alone, or together with cpuacct. */
const MOUNTS_V1 = [`${MOUNT}/cpu`, `${MOUNT}/cpu,cpuacct`];

/** The default period of cpu.max. */
const PERIOD_US = 100_000;

export function workerCount(config: Config): number {
  return config.workers === 'auto' ? availableCores() : config.workers;
}

/** What `workers: "auto"` means; at least 1. */
export function availableCores(): number {
  return coresWithin(allowedCores().length || availableParallelism(), readTextFile);
}

/** The smaller of `allowed` and the quota of the control groups, rounded up. */
export function coresWithin(allowed: number, read: ReadText): number {
  return Math.max(1, Math.min(allowed, Math.ceil(quotaCores(read))));
}

/** The processor quota of the control groups in cores; Infinity without a limit. */
export function quotaCores(read: ReadText): number {
  let least = Number.POSITIVE_INFINITY;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    for (const group of withParents(path)) {
      if (hierarchy === '0' && controllers === '') {
        least = Math.min(least, coresFrom((read(`${MOUNT}${group}/cpu.max`) ?? '').split(/\s+/)));
      } else if (controllers.split(',').includes('cpu')) {
        for (const mount of MOUNTS_V1) {
          const quota = read(`${mount}${group}/cpu.cfs_quota_us`);
          const period = read(`${mount}${group}/cpu.cfs_period_us`);
          least = Math.min(least, coresFrom([quota?.trim() ?? '', period?.trim() ?? '']));
        }
      }
    }
  }
  return least;
}

/**
 * A group and all its parents, the root as ''. A container may see only its own part of the tree,
 * but the path of its group from outside (with '..'): then only the root is visible.
 */
function withParents(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '');
  if (names.includes('..')) return [''];
  return [...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`), ''];
}

/** Infinity for 'max', -1, '', and anything that is not a number. */
function coresFrom([quota, period = '']: readonly string[]): number {
  if (!/^[0-9]+$/.test(quota) || !/^[0-9]*$/.test(period)) return Number.POSITIVE_INFINITY;
  const cores = Number(quota) / (period === '' ? PERIOD_US : Number(period));
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function readTextFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
