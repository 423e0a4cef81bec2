// An input under construction: bytes in a buffer of the maximum length. Mutations leave the control
// bytes at the front alone.

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

  /** Starts with a copy of `base`; missing control bytes become zeros. */
  begin(base: Uint8Array): void {
    const kept = Math.min(base.length, this.bytes.length);
    this.bytes.fill(0, 0, this.controlBytes);
    this.bytes.set(base.length > kept ? base.subarray(0, kept) : base);
    this.length = Math.max(kept, this.controlBytes);
  }

  get isEmpty(): boolean {
    return this.length <= this.controlBytes;
  }

  /** A random byte; the draft is not empty. */
  place(random: Random): number {
    return this.controlBytes + random.below(this.length - this.controlBytes);
  }

  /** A random position for an insertion. */
  gap(random: Random): number {
    return this.controlBytes + random.below(this.length - this.controlBytes + 1);
  }

  /** Makes room for `count` bytes at `at`, or for as many as fit; returns how many. */
  open(at: number, count: number): number {
    const made = Math.min(count, this.bytes.length - this.length);
    this.bytes.copyWithin(at + made, at, this.length);
    this.length += made;
    return made;
  }

  /** Removes `count` bytes. */
  close(at: number, count: number): void {
    this.bytes.copyWithin(at, at + count, this.length);
    this.length -= count;
  }

  insert(at: number, bytes: Uint8Array): void {
    const made = this.open(at, bytes.length);
    this.bytes.set(made < bytes.length ? bytes.subarray(0, made) : bytes, at);
  }

  /** The start of the line that contains `at`. */
  lineStart(at: number): number {
    let start = at;
    while (start > this.controlBytes && this.bytes[start - 1] !== LF) start -= 1;
    return start;
  }

  /** The start of the next line, or the end. */
  lineEnd(at: number): number {
    let end = at;
    while (end < this.length && this.bytes[end] !== LF) end += 1;
    return Math.min(end + 1, this.length);
  }
}
