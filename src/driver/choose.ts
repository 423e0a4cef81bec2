// The best driver that works here, and why the others do not.

import type { Driver, DriverOptions } from './driver.ts';
import { inlineMore } from './inlining.ts';
import { EpollDriver, epollProblem } from './linux/epoll.ts';
import { UringDriver } from './linux/uring.ts';
import { uringProblem } from './linux/uring-problem.ts';
import { NetDriver } from './net/net.ts';
import { growYoungGeneration } from './young-generation.ts';

export type DriverName = 'auto' | 'uring' | 'epoll' | 'net';

export interface Choice {
  readonly driver: Driver;
  /** One line, when 'auto' could not take the fastest: which it took and why. */
  readonly note: string | null;
}

/** A driver that may not run here. */
export interface Candidate {
  readonly name: 'uring' | 'epoll';
  /** One line that says why not, or null. */
  problem(): string | null;
  make(options: DriverOptions): Driver;
}

/** The fastest first. `net` runs everywhere. */
const CANDIDATES: readonly Candidate[] = [
  { name: 'uring', problem: () => uringProblem(), make: makeUring },
  { name: 'epoll', problem: epollProblem, make: makeEpoll },
];

/** Throws an Error with the reason when a driver asked for by name cannot run here. */
export function chooseDriver(
  name: DriverName,
  options: DriverOptions,
  candidates: readonly Candidate[] = CANDIDATES,
): Choice {
  inlineMore();
  growYoungGeneration([...process.execArgv, process.env['NODE_OPTIONS'] ?? '']);
  /** Why not, and who is meant: often it is the same for all of them. */
  const reasons = new Map<string, string[]>();
  for (const candidate of candidates) {
    if (name !== 'auto' && name !== candidate.name) continue;
    const problem = candidate.problem();
    if (problem === null) {
      return { driver: candidate.make(options), note: noteOf(candidate.name, reasons) };
    }
    if (name === candidate.name) {
      const message = `the ${name} driver cannot run here: ${problem}`;
      throw Object.assign(new Error(message), { code: 'ENOTSUP' });
    }
    reasons.set(problem, [...(reasons.get(problem) ?? []), candidate.name]);
  }
  return { driver: new NetDriver(options), note: noteOf('net', reasons) };
}

function noteOf(name: string, reasons: ReadonlyMap<string, readonly string[]>): string | null {
  if (reasons.size === 0) return null;
  const told = [...reasons].map(
    ([problem, names]) => `${names.join(' and ')} cannot run here: ${problem}`,
  );
  return `driver ${name}; ${told.join('; ')}`;
}

function makeUring(options: DriverOptions): Driver {
  return new UringDriver(options);
}

function makeEpoll(options: DriverOptions): Driver {
  return new EpollDriver(options);
}
