// Hot: runs for every answer. Measured by perf/micro/driver.ts.
// What waits to be sent on one connection: a queue of spans, in slab blocks that are filled in turn or
// in mapped regions, with one send in flight. Answers of a pipeline share a block and so a send.

import { assert } from '../base/assert.ts';
import type { Slab } from '../base/slab.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { type Region, SLAB_REGION } from '../reactor/regions.ts';

/** Somebody who waits until the first `target` bytes of the connection are sent. */
interface Waiter {
  readonly target: number;
  readonly resolve: () => void;
}

export class Outbox {
  readonly #reactor: Reactor;
  readonly #slab: Slab;
  #slot: number;
  /** The queue: entries #first to #count - 1 of parallel lists, rewound when it is empty. */
  readonly #numbers: number[];
  readonly #starts: number[];
  readonly #ends: number[];
  /** The slab block of an entry, or -1 and the region that holds its bytes. */
  readonly #blocks: number[];
  readonly #regions: (Region | null)[];
  #first: number;
  #count: number;
  /** Bytes ever queued and ever sent. */
  queuedTotal: number;
  sentTotal: number;
  #waiters: Waiter[] | null;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#slab = reactor.slab;
    this.#slot = -1;
    this.#numbers = [];
    this.#starts = [];
    this.#ends = [];
    this.#blocks = [];
    this.#regions = [];
    this.#first = 0;
    this.#count = 0;
    this.queuedTotal = 0;
    this.sentTotal = 0;
    this.#waiters = null;
  }

  open(slot: number): void {
    assert(this.#count === 0, 'a new connection has nothing to send');
    this.#slot = slot;
    this.queuedTotal = 0;
    this.sentTotal = 0;
  }

  /** Bytes queued and not sent. */
  get waiting(): number {
    return this.queuedTotal - this.sentTotal;
  }

  /**
   * Where `bytes` can be written one after the other in the slab's memory, to be followed by
   * commit(); -1 when they fit in no block or no block is free.
   */
  reserve(bytes: number): number {
    const slab = this.#slab;
    if (bytes > slab.blockBytes) return -1;
    const last = this.#count - 1;
    if (last >= this.#first && this.#blocks[last] >= 0) {
      const end = this.#ends[last];
      if (end + bytes <= slab.start(this.#blocks[last]) + slab.blockBytes) return end;
    }
    const block = slab.acquire();
    if (block < 0) return -1;
    const start = slab.start(block);
    this.#push(SLAB_REGION, start, start, block, null);
    return start;
  }

  /** The bytes from where reserve() said up to `end` are written. */
  commit(end: number): void {
    const last = this.#count - 1;
    this.queuedTotal += end - this.#ends[last];
    this.#ends[last] = end;
  }

  /** Queues a span of a region, which is released when it is sent. */
  attach(region: Region, start: number, end: number): void {
    assert(end > start, 'an attached span has bytes');
    this.#dropUnused();
    this.#push(region.region, start, end, -1, region);
    this.queuedTotal += end - start;
  }

  #push(number: number, start: number, end: number, block: number, region: Region | null): void {
    const at = this.#count;
    this.#numbers[at] = number;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#blocks[at] = block;
    this.#regions[at] = region;
    this.#count = at + 1;
  }

  /** A block that was reserved and never written to must not stand before other spans. */
  #dropUnused(): void {
    const last = this.#count - 1;
    if (last < this.#first || this.#blocks[last] < 0) return;
    if (this.#ends[last] > this.#starts[last] || this.#reactor.sending(this.#slot)) return;
    this.#slab.release(this.#blocks[last]);
    this.#count = last;
  }

  /** Sends the first span unless one is on its way. */
  flush(): void {
    if (this.waiting === 0 || this.#reactor.sending(this.#slot)) return;
    const at = this.#first;
    const more = at + 1 < this.#count;
    const start = this.#starts[at];
    this.#reactor.send(this.#slot, this.#numbers[at], start, this.#ends[at], more);
  }

  /** A send came back with this many bytes. */
  sent(bytes: number): void {
    const at = this.#first;
    const start = this.#starts[at] + bytes;
    assert(start <= this.#ends[at], 'no more is sent than was asked');
    this.#starts[at] = start;
    this.sentTotal += bytes;
    if (start === this.#ends[at]) this.#pop();
    if (this.#waiters !== null) this.#resolveReached();
  }

  #pop(): void {
    const at = this.#first;
    if (this.#blocks[at] >= 0) this.#slab.release(this.#blocks[at]);
    const region = this.#regions[at];
    if (region !== null) {
      this.#regions[at] = null;
      region.release();
    }
    this.#first = at + 1;
    if (this.#first === this.#count) {
      this.#first = 0;
      this.#count = 0;
    }
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
      if (waiter.target <= this.sentTotal) waiter.resolve();
      else {
        this.#waiters ??= [];
        this.#waiters.push(waiter);
      }
    }
  }

  /** Lets all waiters go on: the connection is lost, and they find that out by themselves. */
  giveUp(): void {
    const waiters = this.#waiters;
    this.#waiters = null;
    if (waiters !== null) for (const waiter of waiters) waiter.resolve();
  }

  /** Gives everything back. No send is in flight. */
  clear(): void {
    this.giveUp();
    while (this.#first < this.#count) this.#pop();
    this.queuedTotal = 0;
    this.sentTotal = 0;
  }
}

/** Shared, so that a write with room makes no promise. */
const SETTLED: Promise<void> = Promise.resolve();
