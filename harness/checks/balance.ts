// The resources that must be released when a server has closed: memory, slots, files, timers.

import type { Counters } from '../../src/metrics/counters.ts';
import type { Meter } from '../../src/metrics/meter.ts';
import { Reader } from '../../src/metrics/reader.ts';
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
  readonly meter: Meter | null;
}

/** Throws a Violation for the first resource that is not released. */
export function ensureReleased({
  driver,
  reactor,
  asyncIo,
  loop,
  counters,
  spansUsed,
  meter,
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
  if (meter !== null) ensureCounted(meter, counters);
}

/** Metrics and counters agree, and every request has ended in one of two ways. */
function ensureCounted({ segment }: Meter, counters: Readonly<Counters>): void {
  const totals = totalsOf(new Reader(() => [{ id: 0, buffer: segment.buffer }]));
  const total = (name: string): number => totals.get(name) ?? 0;
  for (const [name, expected] of [
    ['vibing_connections_open', 0],
    ['http_server_active_requests', 0],
    ['vibing_connections_accepted_total', counters.accepted],
    ['vibing_connections_closed_total', counters.closed],
    ['vibing_faults_total', counters.faults],
    ['vibing_timeouts_total', counters.timeouts],
    ['vibing_handler_errors_total', counters.handlerErrors],
    ['vibing_accept_failures_total', counters.acceptFaults],
    ['http_server_response_body_size_bytes', total('http_server_request_duration_seconds')],
  ] as const) {
    ensure(total(name) === expected, 'balance', `${name} is ${total(name)}, not ${expected}`);
  }
  const requests = total('vibing_worker_requests_total');
  const ended = total('http_server_request_duration_seconds');
  const aborted = total('vibing_requests_aborted_total');
  const what = `${requests} requests, ${ended} responses, ${aborted} aborted`;
  ensure(requests === ended + aborted, 'balance', what);
}

/** By family, the sum of the values or counts of its series. */
function totalsOf(reader: Reader): Map<string, number> {
  for (const _ of reader.update());
  const totals = new Map<string, number>();
  for (const { family, series } of reader.families()) {
    let total = 0;
    for (const one of series) {
      const isHistogram = family.type === 'histogram';
      total += isHistogram ? reader.distribution(one).count : (reader.value(family, one) ?? 0);
    }
    totals.set(family.name, total);
  }
  return totals;
}
