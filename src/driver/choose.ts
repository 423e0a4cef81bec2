// The best driver that works here, and why the others do not.

import type { Driver, DriverOptions } from './driver.ts';
import { EpollDriver, epollProblem } from './epoll.ts';
import { NetDriver } from './net.ts';
import { UringDriver, uringProblem } from './uring.ts';

export type DriverName = 'auto' | 'uring' | 'epoll' | 'net';

export interface Choice {
  readonly driver: Driver;
  /** One line, when 'auto' could not take the fastest: which it took and why. */
  readonly note: string | null;
}

/** Those that may not run here, the fastest first. `net` runs everywhere. */
const CANDIDATES = [
  { name: 'uring', problem: uringProblem, make: makeUring },
  { name: 'epoll', problem: epollProblem, make: makeEpoll },
] as const;

/** Throws an Error with the reason when a driver asked for by name cannot run here. */
export function chooseDriver(name: DriverName, options: DriverOptions): Choice {
  const reasons: string[] = [];
  for (const candidate of CANDIDATES) {
    if (name !== 'auto' && name !== candidate.name) continue;
    const problem = candidate.problem();
    if (problem === null) {
      const note = reasons.length === 0 ? null : noteOf(candidate.name, reasons);
      return { driver: candidate.make(options), note };
    }
    if (name === candidate.name) {
      const message = `the ${name} driver cannot run here: ${problem}`;
      throw Object.assign(new Error(message), { code: 'ENOTSUP' });
    }
    reasons.push(`${candidate.name} cannot run here: ${problem}`);
  }
  const note = reasons.length === 0 ? null : noteOf('net', reasons);
  return { driver: new NetDriver(options), note };
}

function noteOf(name: string, reasons: readonly string[]): string {
  return `driver ${name}; ${reasons.join('; ')}`;
}

function makeUring(options: DriverOptions): Driver {
  return new UringDriver(options);
}

function makeEpoll(options: DriverOptions): Driver {
  return new EpollDriver(options);
}
