// The resources that must be released when a server has closed: memory, slots, files, timers.

import type { Counters } from '../../src/metrics/counters.ts';
import type { Reactor } from '../../src/reactor/reactor.ts';
import type { SimAsyncIo } from '../world/async-io.ts';
import type { SimDriver } from '../world/driver.ts';
import type { VirtualLoop } from '../world/loop.ts';
import { ensure } from '../world/violation.ts';

export interface Closed {
  readonly driver: SimDriver;
  readonly reactor: Reactor;
  readonly asyncIo: SimAsyncIo;
  readonly loop: VirtualLoop;
  readonly counters: Readonly<Counters>;
  readonly spansUsed: number;
}

/** Throws a Violation for the first resource that is not released. */
export function ensureReleased({
  driver,
  reactor,
  asyncIo,
  loop,
  counters,
  spansUsed,
}: Closed): void {
  const { slab, sockets } = reactor;
  ensure(slab.freeCount === slab.blockCount, 'balance', 'all blocks are released');
  ensure(sockets.openCount === 0, 'balance', 'all slots are free');
  ensure(driver.regionCount === 0, 'balance', `${driver.regionCount} regions are still mapped`);
  ensure(asyncIo.openCount === 0, 'async-io', `${asyncIo.openCount} files are still open`);
  for (let slot = 0; slot < sockets.slots; slot++) {
    ensure(reactor.armed(slot) < 0, 'balance', `free slot ${slot} has no deadline`);
  }
  ensure(loop.timerCount === 0, 'balance', 'no timer is left');
  ensure(counters.accepted === counters.closed, 'balance', 'every accepted connection was closed');
  ensure(spansUsed === 0, 'balance', 'all spans are released');
}
