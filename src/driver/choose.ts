// The best driver that works here, and why the others do not.

import type { Driver, DriverOptions } from './driver.ts';
import { EpollDriver, epollProblem } from './epoll.ts';
import { NetDriver } from './net.ts';

export type DriverName = 'auto' | 'epoll' | 'net';

export interface Choice {
  readonly driver: Driver;
  /** One line, when 'auto' could not take the fastest: which it took and why. */
  readonly note: string | null;
}

/** Throws an Error with the reason when a driver asked for by name cannot run here. */
export function chooseDriver(name: DriverName, options: DriverOptions): Choice {
  if (name === 'net') return { driver: new NetDriver(options), note: null };
  const problem = epollProblem();
  if (problem === null) return { driver: new EpollDriver(options), note: null };
  if (name === 'epoll') {
    const message = `the epoll driver cannot run here: ${problem}`;
    throw Object.assign(new Error(message), { code: 'ENOTSUP' });
  }
  const note = `driver net; epoll cannot run here: ${problem}`;
  return { driver: new NetDriver(options), note };
}
