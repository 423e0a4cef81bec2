// Figures of processes and cores from /proc: processor time, memory, descriptors. The parsers take
// text, so that tests run on any system.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Ticks in /proc are hundredths of a second (USER_HZ), whatever the kernel's own clock rate. */
const TICK_MICROSECONDS = 10_000;

/** Microseconds of processor time from /proc/PID/stat: utime + stime of all threads. */
export function processorMicroseconds(stat: string): number {
  // The second field is a name in parentheses that may itself have blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

export function usedMicroseconds(pid: number): number {
  return processorMicroseconds(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** The same with all descendants: a server with workers. */
export function usedMicrosecondsOfTree(pid: number): number {
  return (
    usedMicroseconds(pid) +
    childrenOf(pid).reduce((sum, one) => sum + usedMicrosecondsOfTree(one), 0)
  );
}

/**
 * The same to the microsecond, where the kernel has schedstat: in a window of one second at a low
 * rate a process uses only a few ticks.
 */
export function workedMicroseconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  if (!existsSync(`/proc/${pid}/schedstat`)) return usedMicrosecondsOfTree(pid);
  const own = tasks.reduce((sum, task) => {
    return sum + runMicroseconds(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1'));
  }, 0);
  return own + childrenOf(pid).reduce((sum, one) => sum + workedMicroseconds(one), 0);
}

/** Of the main thread alone, in milliseconds. */
export function threadMilliseconds(pid: number): number {
  return runMicroseconds(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1')) / 1000;
}

/** The first number of a schedstat: nanoseconds on a processor, user and system. */
export function runMicroseconds(schedstat: string): number {
  return Number(schedstat.trim().split(' ', 1)[0]) / 1000;
}

export function childrenOf(pid: number): readonly number[] {
  const text = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1'),
  );
  return text.join(' ').split(/\s+/).filter(Boolean).map(Number);
}

/** How often a thread went to sleep by itself, from the text of its status. */
export function voluntarySwitches(status: string): number {
  const match = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status);
  if (match === null) throw new Error('the status of a thread has no voluntary_ctxt_switches');
  return Number(match[1]);
}

/** Of the main thread, which runs the server. */
export function wakeUps(pid: number): number {
  return voluntarySwitches(readFileSync(`/proc/${pid}/task/${pid}/status`, 'latin1'));
}

export function descriptorCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Ticks of a core since the system started, from /proc/stat. */
export interface CoreTicks {
  readonly all: number;
  readonly busy: number;
  /** The part of busy that processes used, or that another guest of the host took (steal). */
  readonly worked: number;
}

export function coreTicks(stat: string, core: number): CoreTicks {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(stat)?.[1];
  if (line === undefined) throw new Error(`/proc/stat has no line for core ${core}`);
  // user nice system idle iowait irq softirq steal; guest time is part of user time.
  const ticks = line.trim().split(/\s+/).slice(0, 8).map(Number);
  const all = ticks.reduce((sum, count) => sum + count, 0);
  const [user, nice, system, idle, waiting, , , stolen] = ticks;
  return { all, busy: all - idle - waiting, worked: user + nice + system + stolen };
}

export function readCoreTicks(core: number): CoreTicks {
  return coreTicks(readFileSync('/proc/stat', 'latin1'), core);
}

/** The share of the time between two readings in which the core was busy, 0 to 1. */
export function busyShare(before: CoreTicks, after: CoreTicks): number {
  return after.all === before.all ? 0 : (after.busy - before.busy) / (after.all - before.all);
}

/**
 * The share of a core's time between two readings that went to other processes than the one that
 * used `microseconds`, 0 to 1.
 */
export function othersShare(before: CoreTicks, after: CoreTicks, microseconds: number): number {
  const all = (after.all - before.all) * TICK_MICROSECONDS;
  const worked = (after.worked - before.worked) * TICK_MICROSECONDS;
  return all === 0 ? 0 : Math.max(0, (worked - microseconds) / all);
}

/** Bytes of a field of /proc/PID/status, such as VmRSS. */
export function statusBytes(status: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc/PID/status has no ${field}`);
  return Number(match[1]) * 1024;
}

/** Resident memory now, or its maximum since resetPeak(). */
export function residentBytes(pid: number, which: 'now' | 'peak'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return statusBytes(status, which === 'now' ? 'VmRSS' : 'VmHWM');
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
