// Hot: runs for every response. Measured by perf/micro/connection.ts.
// What waits to be sent on one connection: a queue of spans, in slab blocks that are filled in turn
// or in mapped regions, memory or files, with one send in flight. Responses of a pipeline share a
// block and a send.

import { assert } from '../base/assert.ts';
import type { Slab } from '../base/slab.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { type Region, SLAB_REGION } from '../reactor/regions.ts';
import type { Span, SpanPool } from './span.ts';

/** A writer that waits until the first `target` bytes of the connection are sent. */
interface Waiter {
  readonly target: number;
  readonly resolve: () => void;
}

export class SendQueue {
  readonly #reactor: Reactor;
  readonly #slab: Slab;
  #slot: number;
  readonly #spans: SpanPool;
  /** The queue; the first span may be in flight, the last may still be written to. */
  #first: Span | null;
  #last: Span | null;
  /** Bytes ever queued and ever sent. */
  queuedTotal: number;
  sentTotal: number;
  #waiters: Waiter[] | null;
  /** The file at the front whose next bytes are being read; nothing is sent meanwhile. */
  #reading: Region | null;

  constructor(reactor: Reactor, spans: SpanPool) {
    this.#reactor = reactor;
    this.#slab = reactor.slab;
    this.#spans = spans;
    this.#slot = -1;
    this.#first = null;
    this.#last = null;
    this.queuedTotal = 0;
    this.sentTotal = 0;
    this.#waiters = null;
    this.#reading = null;
  }

  open(slot: number): void {
    assert(this.#first === null, 'a new connection has nothing to send');
    this.#slot = slot;
    this.queuedTotal = 0;
    this.sentTotal = 0;
  }

  /** Bytes queued and not sent. */
  get waiting(): number {
    return this.queuedTotal - this.sentTotal;
  }

  /**
   * Returns where `bytes` can be written contiguously in the slab's memory, before commit(); -1
   * when they fit in no block or no block is free.
   */
  reserve(bytes: number): number {
    const slab = this.#slab;
    if (bytes > slab.blockBytes) return -1;
    const last = this.#last;
    if (last !== null && last.block >= 0) {
      if (last.end + bytes <= slab.start(last.block) + slab.blockBytes) return last.end;
    }
    // The last blocks are for receiving: a response can have memory of its own instead.
    const block = slab.isShort ? -1 : slab.acquire();
    if (block < 0) return -1;
    const start = slab.start(block);
    this.#push(SLAB_REGION, start, start, block, null);
    return start;
  }

  /** The bytes from the place that reserve() returned up to `end` were written. */
  commit(end: number): void {
    const last = this.#last;
    assert(last !== null, 'only what was reserved is committed');
    this.queuedTotal += end - last.end;
    last.end = end;
  }

  /** Queues a span of a region, which is released when it is sent. */
  attach(region: Region, start: number, end: number): void {
    assert(end > start, 'an attached span has bytes');
    this.#push(region.region, start, end, -1, region);
    this.queuedTotal += end - start;
  }

  #push(number: number, start: number, end: number, block: number, region: Region | null): void {
    const span = this.#spans.acquire();
    span.number = number;
    span.start = start;
    span.end = end;
    span.block = block;
    span.region = region;
    if (this.#last === null) this.#first = span;
    else this.#last.next = span;
    this.#last = span;
  }

  /** Sends the first span unless a send is in flight. */
  flush(): void {
    if (this.waiting === 0 || this.#reactor.sending(this.#slot) || this.#reading !== null) return;
    let span = this.#first;
    // A block that was reserved and not written to.
    while (span !== null && span.end === span.start) span = this.#pop(span);
    assert(span !== null, 'bytes that wait lie in a span');
    const more = this.waiting > span.end - span.start;
    this.#reactor.send(this.#slot, span.number, span.start, span.end, more);
  }

  /** A send completed with this many bytes. */
  sent(bytes: number): void {
    const span = this.#first;
    assert(span !== null, 'bytes that were sent lay in a span');
    span.start += bytes;
    assert(span.start <= span.end, 'no more is sent than was asked');
    this.sentTotal += bytes;
    if (span.start === span.end) this.#pop(span);
    if (this.#waiters !== null) this.#resolveReached();
  }

  /**
   * A send from a file completed with NOT_CACHED. A file with a writer that waits for it is last in
   * the queue: it is removed, and its writer continues. One with an owner has to be read: returns
   * its span, at the front until read() or clear().
   */
  notCached(): Span | null {
    const span = this.#first;
    assert(span !== null && span.region !== null && span.number < 0, 'a file was being sent');
    if (span.region.owner !== null) {
      this.#reading = span.region;
      return span;
    }
    assert(span.next === null, 'nothing follows a file whose writer waits');
    this.queuedTotal -= span.end - span.start;
    this.#pop(span);
    this.#resolveReached();
    return null;
  }

  /** True while the next bytes are read from a file: nothing is sent until they are in memory. */
  get isWaitingForFile(): boolean {
    return this.#reading !== null;
  }

  /** True while the bytes of this file are still wanted. */
  isReading(file: Region): boolean {
    return this.#reading === file;
  }

  /** The next bytes of the file that is being read are in memory. */
  read(bytes: Region): void {
    const file = this.#first;
    assert(file !== null && this.#reading === file.region, 'a file is being read');
    this.#reading = null;
    const span = this.#spans.acquire();
    span.number = bytes.region;
    span.start = 0;
    span.end = bytes.bytes.length;
    span.block = -1;
    span.region = bytes;
    file.start += span.end;
    assert(file.start <= file.end, 'no more is read than was queued');
    this.#first = span;
    if (file.start < file.end) span.next = file;
    else {
      span.next = this.#pop(file);
      this.#first = span;
      this.#last ??= span;
    }
  }

  /** Drops all that was not sent. No send is in flight. */
  drop(): void {
    this.#reading = null;
    while (this.#first !== null) this.#pop(this.#first);
    this.queuedTotal = this.sentTotal;
    this.#resolveReached();
  }

  /** Removes the first span and returns the next one. */
  #pop(span: Span): Span | null {
    const { next } = span;
    this.#first = next;
    if (next === null) this.#last = null;
    if (span.block >= 0) this.#slab.release(span.block);
    span.region?.release();
    span.region = null;
    this.#spans.release(span);
    return next;
  }

  /** Resolves once the first `target` bytes ever queued are sent, or the connection is gone. */
  reached(target: number): Promise<void> {
    if (this.sentTotal >= target) return SETTLED;
    return new Promise((resolve) => {
      this.#waiters ??= [];
      this.#waiters.push({ target, resolve });
    });
  }

  #resolveReached(): void {
    const waiters = this.#waiters;
    if (waiters === null) return;
    this.#waiters = null;
    for (const waiter of waiters) {
      // A target beyond what is queued: the rest of a file was removed.
      const { target } = waiter;
      if (target <= this.sentTotal || target > this.queuedTotal) waiter.resolve();
      else {
        this.#waiters ??= [];
        this.#waiters.push(waiter);
      }
    }
  }

  /** Resolves all waiters: the connection is broken, which they check when they continue. */
  resolveWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = null;
    if (waiters !== null) for (const waiter of waiters) waiter.resolve();
  }

  /** Releases everything. No send is in flight. */
  clear(): void {
    this.resolveWaiters();
    this.#reading = null;
    while (this.#first !== null) this.#pop(this.#first);
    this.queuedTotal = 0;
    this.sentTotal = 0;
  }
}

/** Shared, so that a write with room makes no promise. */
const SETTLED: Promise<void> = Promise.resolve();
