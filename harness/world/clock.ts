// Virtual time: a clock that only the simulation moves, and a schedule of events. Events of one
// moment run in the order they were scheduled in, or in an order drawn from the seed.

import type { Random } from '../../testing/random.ts';

export class Clock {
  /**
   * Milliseconds, as the driver reports them, in steps of a microsecond: sums stay exact enough.
   */
  nowMs = 1000;
  /** Milliseconds since 1970 at the driver's zero; a fault may move it in either direction. */
  wallOffsetMs: number = Date.UTC(2026, 2, 1, 9, 30);
  /** How long the server was stopped, or time was skipped: deadlines may be late by this much. */
  stalledMs = 0;

  get wallMs(): number {
    return this.wallOffsetMs + this.nowMs;
  }
}

export class ScheduledEvent {
  readonly atMs: number;
  /** The order of events of one moment. */
  readonly order: number;
  run: (() => void) | null;

  constructor(atMs: number, order: number, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    this.run = null;
  }
}

const SHUFFLE_BITS = 0x100000;

export class Schedule {
  readonly clock: Clock;
  /** When given, it decides the order of events of one moment. */
  readonly shuffle: Random | null;
  readonly #heap: ScheduledEvent[] = [];
  #sequence = 0;

  constructor(clock: Clock, shuffle: Random | null) {
    this.clock = clock;
    this.shuffle = shuffle;
  }

  get length(): number {
    return this.#heap.length;
  }

  /** The moment of the next event, Infinity without one. */
  get nextMs(): number {
    this.#dropCancelled();
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].atMs;
  }

  after(ms: number, run: () => void): ScheduledEvent {
    return this.at(this.clock.nowMs + ms, run);
  }

  at(atMs: number, run: () => void): ScheduledEvent {
    this.#sequence += 1;
    const chance = this.shuffle === null ? 0 : this.shuffle.next() % SHUFFLE_BITS;
    const rounded = Math.round(Math.max(atMs, this.clock.nowMs) * 1000) / 1000;
    const event = new ScheduledEvent(rounded, chance * 2 ** 32 + this.#sequence, run);
    this.#push(event);
    return event;
  }

  /** Runs the next event if it is due by `untilMs`. */
  step(untilMs: number): boolean {
    this.#dropCancelled();
    const first = this.#heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    this.#pop();
    if (first.atMs > this.clock.nowMs) this.clock.nowMs = first.atMs;
    const { run } = first;
    first.run = null;
    run?.();
    return true;
  }

  #dropCancelled(): void {
    while (this.#heap.length > 0 && this.#heap[0].run === null) this.#pop();
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above])) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below += 1;
      if (!isBefore(heap[below], last)) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: ScheduledEvent, other: ScheduledEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
