// One direction of a connection: bytes on their way, in order, and bytes that arrived and were not
// read. Both together have room for so many bytes, as the buffers of two kernels do: half of it is
// the receiver's. What is beyond that waits at the sender's, so it is not acknowledged.

import type { Random } from '../../testing/random.ts';
import type { Schedule } from './clock.ts';
import type { Faults } from './faults.ts';

/** A segment on its way: bytes, or the end of the stream, or a reset. */
type Segment = Uint8Array | 'end' | 'reset';

const SEGMENT_BYTES_MAX = 1460;

/** Copies are cut from large pieces of memory: one of its own for each takes longer to get. */
const PIECE_BYTES = 1 << 18;
let piece: Uint8Array = new Uint8Array(PIECE_BYTES);
let pieceUsed = 0;

function copyOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length > PIECE_BYTES >> 2) return new Uint8Array(bytes);
  if (pieceUsed + length > PIECE_BYTES) {
    piece = new Uint8Array(PIECE_BYTES);
    pieceUsed = 0;
  }
  const copy = piece.subarray(pieceUsed, pieceUsed + length);
  pieceUsed += length;
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
  /** Something arrived, or an end did. */
  readonly arrived: () => void;
  /** There is room again: so much of it as a sender waits for. */
  readonly roomy: () => void;
  readonly roomBytes: number;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #transit: Segment[] = [];
  #transitBytes = 0;
  #lastArrivalMs = 0;
  readonly #arrived: Uint8Array[] = [];
  arrivedBytes = 0;
  /** What the sender did, and what the receiver knows of it. */
  endSent = false;
  ended = false;
  resetSent = false;
  broken = false;
  /** All that was ever written, and read. */
  writtenBytes = 0;
  readBytes = 0;
  /** When the sender last heard that something of it was acknowledged. */
  ackedMs = 0;
  /** When the receiver heard of a reset. */
  brokenMs: number = Number.NaN;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  get room(): number {
    return Math.max(this.#options.capacity - this.#transitBytes - this.arrivedBytes, 0);
  }

  /** As the sender's kernel counts it; the end of the stream is one. */
  get unacknowledged(): number {
    const beyondWindow = this.#transitBytes + this.arrivedBytes - (this.#options.capacity >> 1);
    const bytes = Math.max(this.#transitBytes, beyondWindow);
    if (!this.endSent) return bytes;
    return this.ended && bytes === 0 ? 0 : bytes + 1;
  }

  /** Something came closer to the receiver: whether the sender hears of it. */
  #note(before: number): void {
    if (this.unacknowledged < before) this.ackedMs = this.#options.schedule.clock.nowMs;
  }

  /** True when a read would not wait. */
  get readable(): boolean {
    return this.arrivedBytes > 0 || this.ended || this.broken;
  }

  /** Takes a copy; there is room. */
  write(bytes: Uint8Array): void {
    this.writtenBytes += bytes.length;
    const { faults, lane, random } = this.#options;
    const copy = copyOf(bytes);
    if (!faults.hit('segments', lane)) {
      this.#launch(copy);
      return;
    }
    // Not too many: a large body in single bytes would make one run out of all time.
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

  /** What was not sent out by now is lost; the rest of it arrives before the reset. */
  reset(): void {
    if (this.resetSent) return;
    this.resetSent = true;
    const kept = this.#options.random.between(0, this.#transit.length);
    for (let index = kept; index < this.#transit.length; index++) {
      const segment = this.#transit[index];
      if (typeof segment !== 'string') this.#transitBytes -= segment.length;
      // Its arrival stays scheduled, with nothing in it.
      this.#transit[index] = new Uint8Array(0);
    }
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

  /** The next segment is there; they do not overtake one another. */
  #arrive(): void {
    const segment = this.#transit.shift();
    if (segment === undefined || this.broken) return;
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
    this.broken = true;
    this.brokenMs = this.#options.schedule.clock.nowMs;
    if (faults.hit('discardOnReset', lane)) this.discard();
  }

  /** Forgets what arrived and was not read. */
  discard(): void {
    this.#arrived.length = 0;
    this.arrivedBytes = 0;
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
    this.#took(count);
    return count;
  }

  /** At most `max` of the bytes that arrived, in one piece. */
  read(max: number): Uint8Array {
    const first = this.#arrived[0];
    if (this.#arrived.length === 1 && first.length <= max) {
      this.#arrived.length = 0;
      this.#took(first.length);
      return first;
    }
    const bytes = new Uint8Array(Math.min(max, this.arrivedBytes));
    this.readInto(bytes, 0, bytes.length);
    return bytes;
  }

  #took(count: number): void {
    const before = this.unacknowledged;
    this.arrivedBytes -= count;
    this.readBytes += count;
    this.#note(before);
    if (count > 0 && this.room >= this.#options.roomBytes) this.#options.roomy();
  }
}
