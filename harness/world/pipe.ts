// One direction of a connection: bytes in transit, in order, and bytes that arrived and are unread.
// Both share one capacity, like the buffers of two kernels; half of it is the receiver's. Bytes
// beyond the receiver's half wait at the sender and are not acknowledged.

import type { Random } from '../../testing/random.ts';
import type { Schedule } from './clock.ts';
import type { Faults } from './faults.ts';

/** A segment in transit: bytes, the end of the stream, or a reset. */
type Segment = Uint8Array | 'end' | 'reset';

const SEGMENT_BYTES_MAX = 1460;

/** Copies are parts of large allocations: an allocation for each copy takes longer. */
const POOL_BYTES = 1 << 18;
let pool: Uint8Array = new Uint8Array(POOL_BYTES);
let poolUsed = 0;

function copyOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > POOL_BYTES >> 2) return new Uint8Array(bytes);
  if (poolUsed + length > POOL_BYTES) {
    pool = new Uint8Array(POOL_BYTES);
    poolUsed = 0;
  }
  const copy = pool.subarray(poolUsed, poolUsed + length);
  poolUsed += length;
  copy.set(bytes);
  return copy;
}

export interface PipeOptions {
  readonly schedule: Schedule;
  readonly faults: Faults;
  readonly random: Random;
  readonly lane: number;
  readonly capacity: number;
  readonly latencyMs: number;
  /** Bytes, the end or a reset arrived. */
  readonly arrived: () => void;
  /** `roomBytes` or more are free again. */
  readonly roomAvailable: () => void;
  readonly roomBytes: number;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #transit: Segment[] = [];
  #transitBytes = 0;
  /** Bytes that a reset lost: their sender never hears of them. */
  #lostBytes = 0;
  #lastArrivalMs = 0;
  readonly #arrived: Uint8Array[] = [];
  arrivedBytes = 0;
  /** What the sender did, and what of it has arrived. */
  endSent = false;
  ended = false;
  resetSent = false;
  resetArrived = false;
  /** Totals since the beginning. */
  writtenBytes = 0;
  readBytes = 0;
  /** When the sender last received an acknowledgement of new bytes. */
  ackedMs = 0;
  /** When a reset arrived. */
  resetArrivedMs: number = Number.NaN;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  get room(): number {
    const taken = this.#lostBytes + this.#transitBytes + this.arrivedBytes;
    return Math.max(this.#options.capacity - taken, 0);
  }

  /** As the sender's kernel counts it: the end of the stream counts as one byte. */
  get unacknowledged(): number {
    const beyondWindow = this.#transitBytes + this.arrivedBytes - (this.#options.capacity >> 1);
    const bytes = this.#lostBytes + Math.max(this.#transitBytes, beyondWindow);
    if (!this.endSent) return bytes;
    return this.ended && bytes === 0 ? 0 : bytes + 1;
  }

  /** Notes an acknowledgement, if fewer bytes are unacknowledged than before. */
  #note(before: number): void {
    if (this.unacknowledged < before) this.ackedMs = this.#options.schedule.clock.nowMs;
  }

  /** True when a read would return at once. */
  get readable(): boolean {
    return this.arrivedBytes > 0 || this.ended || this.resetArrived;
  }

  /** Copies the bytes; the caller has checked the room. */
  write(bytes: Uint8Array): void {
    this.writtenBytes += bytes.length;
    const { faults, lane, random } = this.#options;
    const copy = copyOf(bytes);
    if (!faults.hit('segments', lane)) {
      this.#launch(copy);
      return;
    }
    // Not too many segments: a large body in single bytes would take too long to simulate.
    const most = random.pick([SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX, 100, 7]);
    let at = 0;
    for (let left = 12; at < bytes.length && left > 0; left--) {
      const end = left === 1 ? bytes.length : Math.min(at + random.between(1, most), bytes.length);
      this.#launch(copy.subarray(at, end));
      at = end;
    }
  }

  end(): void {
    if (this.endSent || this.resetSent) return;
    this.endSent = true;
    this.#launch('end');
  }

  /** A random part of what is in transit is lost; the rest arrives before the reset. */
  reset(): void {
    if (this.resetSent) return;
    this.resetSent = true;
    const before = this.unacknowledged;
    const kept = this.#options.random.between(0, this.#transit.length);
    for (let index = kept; index < this.#transit.length; index++) {
      const segment = this.#transit[index];
      if (typeof segment !== 'string') this.#transitBytes -= segment.length;
      // Its arrival stays scheduled, without bytes.
      this.#transit[index] = new Uint8Array(0);
    }
    this.#lostBytes += before - this.unacknowledged;
    this.#launch('reset');
  }

  #launch(segment: Segment): void {
    const { schedule, faults, random, lane, latencyMs } = this.#options;
    if (typeof segment !== 'string') this.#transitBytes += segment.length;
    this.#transit.push(segment);
    let atMs = schedule.clock.nowMs + latencyMs + random.ms(0, latencyMs / 8);
    if (faults.hit('delay', lane)) atMs += faults.random('delay').ms(1, 250);
    this.#lastArrivalMs = Math.max(atMs, this.#lastArrivalMs);
    schedule.at(this.#lastArrivalMs, () => this.#arrive());
  }

  /** The next segment arrives: segments keep their order. */
  #arrive(): void {
    const segment = this.#transit.shift();
    if (segment === undefined || this.resetArrived) return;
    const before = this.unacknowledged;
    if (segment === 'end') this.ended = true;
    else if (segment === 'reset') this.#break();
    else if (segment.length === 0) return;
    else {
      this.#transitBytes -= segment.length;
      this.#arrived.push(segment);
      this.arrivedBytes += segment.length;
    }
    this.#note(before);
    this.#options.arrived();
  }

  #break(): void {
    const { faults, lane } = this.#options;
    this.resetArrived = true;
    this.resetArrivedMs = this.#options.schedule.clock.nowMs;
    if (faults.hit('discardOnReset', lane)) this.discard();
  }

  /** Drops what arrived and is unread. */
  discard(): void {
    const before = this.unacknowledged;
    this.#arrived.length = 0;
    this.arrivedBytes = 0;
    this.#lostBytes += before - this.unacknowledged;
  }

  /** Moves at most `max` bytes into `target`. */
  readInto(target: Uint8Array, at: number, max: number): number {
    let count = 0;
    while (count < max && this.#arrived.length > 0) {
      const first = this.#arrived[0];
      const taken = Math.min(first.length, max - count);
      target.set(taken === first.length ? first : first.subarray(0, taken), at + count);
      count += taken;
      if (taken === first.length) this.#arrived.shift();
      else this.#arrived[0] = first.subarray(taken);
    }
    this.#countRead(count);
    return count;
  }

  /** At most `max` of the bytes that arrived, in one buffer. */
  read(max: number): Uint8Array {
    const first = this.#arrived[0];
    if (this.#arrived.length === 1 && first.length <= max) {
      this.#arrived.length = 0;
      this.#countRead(first.length);
      return first;
    }
    const bytes = new Uint8Array(Math.min(max, this.arrivedBytes));
    this.readInto(bytes, 0, bytes.length);
    return bytes;
  }

  #countRead(count: number): void {
    const before = this.unacknowledged;
    this.arrivedBytes -= count;
    this.readBytes += count;
    this.#note(before);
    if (count > 0 && this.room >= this.#options.roomBytes) this.#options.roomAvailable();
  }
}
