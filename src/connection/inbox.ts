// Hot: runs for every receive. Measured by perf/micro/connection.ts.
// Received blocks joined into what the parser sees: the bytes from `start` to `end`, always in one
// block, so that a head never lies in two. A second block may wait behind it; while it does,
// nothing more is received.

import { assert } from '../base/assert.ts';
import type { Slab } from '../base/slab.ts';

const NONE = -1;

export class Inbox {
  readonly #slab: Slab;
  #block: number;
  /** The unread bytes of the first block, as positions in the slab's memory. */
  start: number;
  end: number;
  #nextBlock: number;
  #nextStart: number;
  #nextEnd: number;

  constructor(slab: Slab) {
    this.#slab = slab;
    this.#block = NONE;
    this.start = 0;
    this.end = 0;
    this.#nextBlock = NONE;
    this.#nextStart = 0;
    this.#nextEnd = 0;
  }

  get empty(): boolean {
    return this.start === this.end;
  }

  /** True when another received block can be taken. */
  get hasRoom(): boolean {
    return this.#nextBlock === NONE;
  }

  /** Takes over a received block with `bytes` bytes in it. */
  add(block: number, bytes: number): void {
    assert(this.hasRoom, 'a block is received only when there is room for it');
    const start = this.#slab.start(block);
    if (this.#block === NONE) {
      this.#block = block;
      this.start = start;
      this.end = start + bytes;
      return;
    }
    this.#nextBlock = block;
    this.#nextStart = start;
    this.#nextEnd = start + bytes;
    this.join();
  }

  /** Moves bytes of the second block up to the first, as many as fit. False when none moved. */
  join(): boolean {
    if (this.#nextBlock === NONE) return false;
    if (this.empty) {
      this.#slab.release(this.#block);
      this.#block = this.#nextBlock;
      this.start = this.#nextStart;
      this.end = this.#nextEnd;
      this.#nextBlock = NONE;
      return true;
    }
    const { bytes, blockBytes } = this.#slab;
    const blockStart = this.#slab.start(this.#block);
    const wanted = this.#nextEnd - this.#nextStart;
    if (this.end + wanted > blockStart + blockBytes && this.start > blockStart) {
      bytes.copyWithin(blockStart, this.start, this.end);
      this.end -= this.start - blockStart;
      this.start = blockStart;
    }
    const moved = Math.min(wanted, blockStart + blockBytes - this.end);
    bytes.copyWithin(this.end, this.#nextStart, this.#nextStart + moved);
    this.end += moved;
    this.#nextStart += moved;
    if (this.#nextStart === this.#nextEnd) {
      this.#slab.release(this.#nextBlock);
      this.#nextBlock = NONE;
    }
    return moved > 0;
  }

  /** `bytes` more are read; their memory stays until trim() or join(). */
  consume(bytes: number): void {
    assert(bytes <= this.end - this.start, 'no more is consumed than is there');
    this.start += bytes;
  }

  /** Gives blocks back that hold nothing unread. Nobody refers to their memory any more. */
  trim(): void {
    if (!this.empty || this.#block === NONE) return;
    if (this.#nextBlock !== NONE) {
      this.join();
      return;
    }
    this.#slab.release(this.#block);
    this.#block = NONE;
    this.start = 0;
    this.end = 0;
  }

  /** Forgets everything. */
  clear(): void {
    if (this.#nextBlock !== NONE) this.#slab.release(this.#nextBlock);
    this.#nextBlock = NONE;
    this.start = this.end;
    this.trim();
  }
}
