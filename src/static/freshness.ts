// Hot: runs for every request for a file. Measured by perf/micro/static.ts.
// How long what was found counts as unchanged, and whether it still is: a file by its identity,
// size and times, a missing one by its absence.

import { type AsyncIo, FileKind, type FileStat } from '../async-io/async-io.ts';
import type { Services } from '../exchange/exchange.ts';
import { isMissing } from '../exchange/file-fault.ts';

/**
 * How long a file counts as unchanged after a check: hardly longer than a program takes to change
 * it and request it again, long enough that a busy file is checked once in a hundred requests.
 */
export const FRESH_MS = 1;

/** The same where stat() is slow. */
export const RECHECK_MS = 5;

/**
 * How long after a check the system still has the file's state in memory, so that stat() is fast.
 */
export const STAT_CACHED_MS = 10_000;

/** How long a file may be served without a new check while one is in progress. */
export const GRACE_MS = 50;

/**
 * When a look-up began. What it finds was true at some moment since then, so whether a file could
 * still change within a step of the clock is to be decided by this time, not by a later one.
 */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

export function momentOf(services: Services): Moment {
  return { nowMs: services.nowMs(), wallMs: services.wallMs() };
}

/** What is at a path, on which something that was found depends. */
export interface Probe {
  /** In the file system, before links are resolved. */
  readonly path: string;
  /** Null: nothing is there. */
  readonly stat: FileStat | null;
}

/** Whether a result means that nothing is at a path. */
export function isAbsent(result: FileStat | number): boolean {
  return typeof result === 'number' && isMissing(result);
}

/** Whether a result of stat() is what the probe has found before. */
export function isSame(probe: Probe, result: FileStat | number): boolean {
  const { stat } = probe;
  if (stat === null) return isAbsent(result);
  return typeof result !== 'number' && isSameFile(stat, result);
}

/**
 * The time of the last change (ctime) differs after every change of content or permissions, also
 * when a program restores the modification time. A directory changes with its entries, of which
 * those that matter have probes of their own.
 */
export function isSameFile(one: FileStat, other: FileStat): boolean {
  if (one.kind !== other.kind || one.inode !== other.inode || one.device !== other.device) {
    return false;
  }
  if (one.kind === FileKind.Directory) return true;
  return (
    one.bytes === other.bytes &&
    one.changedMs === other.changedMs &&
    one.modifiedMs === other.modifiedMs
  );
}

export const Check = { Same: 0, Changed: 1, Unknown: 2 } as const;
export type Check = (typeof Check)[keyof typeof Check];

/** Synchronous; Unknown where stat() is slow now. */
export function checkNow(asyncIo: AsyncIo, probes: readonly Probe[]): Check {
  for (let index = 0; index < probes.length; index++) {
    const result = asyncIo.statNow(probes[index].path);
    if (result === null) return Check.Unknown;
    if (!isSame(probes[index], result)) return Check.Changed;
  }
  return Check.Same;
}

/** True when everything is as it was. */
export async function checkLater(asyncIo: AsyncIo, probes: readonly Probe[]): Promise<boolean> {
  for (const probe of probes) {
    if (!isSame(probe, await asyncIo.stat(probe.path))) return false;
  }
  return true;
}

/** As stat(), from memory where that is fast. */
export async function statOf(asyncIo: AsyncIo, path: string): Promise<FileStat | number> {
  const now = asyncIo.statNow(path);
  return now ?? (await asyncIo.stat(path));
}
