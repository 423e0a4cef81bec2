// An input in the making: bytes in a buffer that is as long as an input may be. The bytes at the
// front that say how it is run are no place for mutations.

import type { Random } from '../../testing/random.ts';

const LF = 0x0a;

export class Draft {
  readonly bytes: Uint8Array;
  readonly controlBytes: number;
  length: number;

  constructor(bytesMax: number, controlBytes: number) {
    this.bytes = new Uint8Array(bytesMax);
    this.controlBytes = controlBytes;
    this.length = 0;
  }

  /** Begins with a copy; one without all of its bytes at the front gets zeros there. */
  begin(base: Uint8Array): void {
    const kept = Math.min(base.length, this.bytes.length);
    this.bytes.fill(0, 0, this.controlBytes);
    this.bytes.set(base.length > kept ? base.subarray(0, kept) : base);
    this.length = Math.max(kept, this.controlBytes);
  }

  get isEmpty(): boolean {
    return this.length <= this.controlBytes;
  }

  /** Somewhere a byte is; there is one. */
  place(random: Random): number {
    return this.controlBytes + random.below(this.length - this.controlBytes);
  }

  /** Somewhere a byte could be put in: in front of another or at the end. */
  gap(random: Random): number {
    return this.controlBytes + random.below(this.length - this.controlBytes + 1);
  }

  /** Makes room for `count` bytes at `at`, or for as many as fit: gives how many. */
  open(at: number, count: number): number {
    const made = Math.min(count, this.bytes.length - this.length);
    this.bytes.copyWithin(at + made, at, this.length);
    this.length += made;
    return made;
  }

  /** Takes `count` bytes out. */
  close(at: number, count: number): void {
    this.bytes.copyWithin(at, at + count, this.length);
    this.length -= count;
  }

  insert(at: number, piece: Uint8Array): void {
    const made = this.open(at, piece.length);
    this.bytes.set(made < piece.length ? piece.subarray(0, made) : piece, at);
  }

  /** Where the line begins that holds `at`. */
  lineStart(at: number): number {
    let start = at;
    while (start > this.controlBytes && this.bytes[start - 1] !== LF) start -= 1;
    return start;
  }

  /** Where the next line begins, or the end. */
  lineEnd(at: number): number {
    let end = at;
    while (end < this.length && this.bytes[end] !== LF) end += 1;
    return Math.min(end + 1, this.length);
  }
}
