// Received blocks joined into what the parser reads: the bytes from `start` to `end` of `memory`,
// always contiguous, so that a head never lies in two blocks. A second block may wait; while it
// does, nothing more is received. Bytes that wait while blocks are short spill to memory of their
// own: otherwise clients that each send one byte could hold all blocks.

import { assert } from '../base/assert.ts';
import type { Slab } from '../base/slab.ts';

const NONE = -1;

/** The smallest spill: it has room for a few more bytes. */
const SPILL_BYTES_MIN = 512;

export class ReceiveBuffer {
  readonly #slab: Slab;
  /** Where the unread bytes lie: in a block of the slab, in memory of their own, or nowhere. */
  #block: number;
  #spilled: Uint8Array | null;
  /** Where that memory begins and ends. */
  #low: number;
  #high: number;
  start: number;
  end: number;
  #nextBlock: number;
  #nextStart: number;
  #nextEnd: number;

  constructor(slab: Slab) {
    this.#slab = slab;
    this.#block = NONE;
    this.#spilled = null;
    this.#low = 0;
    this.#high = 0;
    this.start = 0;
    this.end = 0;
    this.#nextBlock = NONE;
    this.#nextStart = 0;
    this.#nextEnd = 0;
  }

  /** What start and end count in. */
  get memory(): Uint8Array {
    return this.#spilled ?? this.#slab.bytes;
  }

  get empty(): boolean {
    return this.start === this.end;
  }

  /** True when another received block can be taken. */
  get hasRoom(): boolean {
    return this.#nextBlock === NONE;
  }

  /** True when spilled bytes that nothing reads yet fill half a block: no more are received. */
  get isLarge(): boolean {
    return this.#spilled !== null && this.end - this.start >= this.#slab.blockBytes >> 1;
  }

  /** Takes over a received block with `bytes` bytes in it. */
  add(block: number, bytes: number): void {
    assert(this.#nextBlock === NONE, 'a block is received only when there is room for it');
    const start = this.#slab.start(block);
    if (this.#block === NONE && this.#spilled === null) {
      this.#take(block, start, start + bytes);
      return;
    }
    this.#nextBlock = block;
    this.#nextStart = start;
    this.#nextEnd = start + bytes;
    this.join();
  }

  #take(block: number, start: number, end: number): void {
    this.#block = block;
    this.#low = this.#slab.start(block);
    this.#high = this.#low + this.#slab.blockBytes;
    this.start = start;
    this.end = end;
  }

  /** Moves bytes of the second block up to the first, as many as fit. False when none moved. */
  join(): boolean {
    if (this.#nextBlock === NONE) return false;
    if (this.empty) {
      this.#drop();
      this.#take(this.#nextBlock, this.#nextStart, this.#nextEnd);
      this.#nextBlock = NONE;
      return true;
    }
    const wanted = this.#nextEnd - this.#nextStart;
    if (this.end + wanted > this.#high) this.#makeRoom(wanted);
    const moved = Math.min(wanted, this.#high - this.end);
    const from = this.#nextStart;
    if (this.#spilled === null) this.#slab.bytes.copyWithin(this.end, from, from + moved);
    else this.#spilled.set(this.#slab.bytes.subarray(from, from + moved), this.end);
    this.end += moved;
    this.#nextStart += moved;
    if (this.#nextStart === this.#nextEnd) {
      this.#slab.release(this.#nextBlock);
      this.#nextBlock = NONE;
    }
    return moved > 0;
  }

  /** Moves the unread bytes to the front; spilled memory also grows, up to the size of a block. */
  #makeRoom(wanted: number): void {
    const unread = this.end - this.start;
    const { blockBytes } = this.#slab;
    if (this.#spilled !== null && unread + wanted > this.#high && this.#high < blockBytes) {
      const larger = new Uint8Array(blockBytes);
      larger.set(this.#spilled.subarray(this.start, this.end));
      this.#spilled = larger;
      this.#high = blockBytes;
    } else {
      this.memory.copyWithin(this.#low, this.start, this.end);
    }
    this.start = this.#low;
    this.end = this.#low + unread;
  }

  /** Releases the blocks, and moves the unread bytes to memory of their own. */
  spill(): void {
    if (this.#block === NONE || this.empty) return;
    const unread = this.end - this.start;
    const spilled = new Uint8Array(Math.max(unread, SPILL_BYTES_MIN));
    spilled.set(this.#slab.bytes.subarray(this.start, this.end));
    this.#drop();
    this.#spilled = spilled;
    this.#low = 0;
    this.#high = spilled.length;
    this.start = 0;
    this.end = unread;
    this.join();
  }

  /** `bytes` more are read; their memory stays until trim() or join(). */
  consume(bytes: number): void {
    assert(bytes <= this.end - this.start, 'no more is consumed than is there');
    this.start += bytes;
  }

  /** Releases memory that holds nothing unread. Nothing may refer to it any more. */
  trim(): void {
    if (!this.empty) return;
    if (this.#nextBlock !== NONE) this.join();
    else this.#drop();
  }

  #drop(): void {
    if (this.#block !== NONE) this.#slab.release(this.#block);
    this.#block = NONE;
    this.#spilled = null;
    this.start = 0;
    this.end = 0;
  }

  /** Drops all bytes and releases all memory. */
  clear(): void {
    if (this.#nextBlock !== NONE) this.#slab.release(this.#nextBlock);
    this.#nextBlock = NONE;
    this.start = this.end;
    this.trim();
  }
}
