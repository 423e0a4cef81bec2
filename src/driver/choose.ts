// Chooses the fastest driver that works here, and says why a faster one does not.

import type { Driver, DriverOptions } from './driver.ts';
import { inlineMore } from './inlining.ts';
import { errnoOf } from './linux/call-fault.ts';
import { EpollDriver, epollProblem } from './linux/epoll.ts';
import { UringDriver } from './linux/uring.ts';
import { uringProblem } from './linux/uring-problem.ts';
import { NetDriver } from './net/net.ts';
import { growYoungGeneration } from './young-generation.ts';

export type DriverName = 'auto' | 'uring' | 'epoll' | 'net';

export interface Choice {
  readonly driver: Driver;
  /** One line when 'auto' did not choose the fastest driver: the chosen one and the reasons. */
  readonly note: string | null;
}

/** A driver that does not run everywhere. */
export interface Candidate {
  readonly name: 'uring' | 'epoll';
  /** Null when it can run here, else the reason why not and a remedy, in one line. */
  problem(): string | null;
  make(options: DriverOptions): Driver;
}

/** The fastest first. `net` runs everywhere. */
const CANDIDATES: readonly Candidate[] = [
  { name: 'uring', problem: () => uringProblem(), make: makeUring },
  { name: 'epoll', problem: epollProblem, make: makeEpoll },
];

/** Throws an Error with the reason when a driver chosen by name cannot run here. */
export function chooseDriver(
  name: DriverName,
  options: DriverOptions,
  candidates: readonly Candidate[] = CANDIDATES,
): Choice {
  inlineMore();
  growYoungGeneration([...process.execArgv, process.env['NODE_OPTIONS'] ?? '']);
  /** The names of drivers by the reason why they cannot run, which is often the same for all. */
  const reasons = new Map<string, string[]>();
  for (const candidate of candidates) {
    if (name !== 'auto' && name !== candidate.name) continue;
    const made = candidate.problem() ?? madeBy(candidate, options);
    if (typeof made !== 'string') return { driver: made, note: noteOf(candidate.name, reasons) };
    if (name === candidate.name) {
      const message = `the driver ${name} cannot run here: ${made}; 'auto' chooses one that can`;
      throw Object.assign(new Error(message), { code: 'ENOTSUP' });
    }
    reasons.set(made, [...(reasons.get(made) ?? []), candidate.name]);
  }
  return { driver: new NetDriver(options), note: noteOf('net', reasons) };
}

/** The driver, or why the kernel does not let it start: descriptors or memory are used up. */
function madeBy(candidate: Candidate, options: DriverOptions): Driver | string {
  try {
    return candidate.make(options);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return (error as Error).message;
  }
}

function noteOf(name: string, reasons: ReadonlyMap<string, readonly string[]>): string | null {
  if (reasons.size === 0) return null;
  const parts = [...reasons].map(
    ([problem, names]) => `${names.join(' and ')} cannot run here: ${problem}`,
  );
  return `driver ${name}; ${parts.join('; ')}`;
}

function makeUring(options: DriverOptions): Driver {
  return new UringDriver(options);
}

function makeEpoll(options: DriverOptions): Driver {
  return new EpollDriver(options);
}
