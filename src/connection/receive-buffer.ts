// Hot: runs for every receive. Measured by perf/micro/connection.ts. Received blocks joined into
// what the parser sees: the bytes from `start` to `end` of `memory`, always in one piece, so that a
// head never lies in two. A second block may wait behind it; while it does, nothing more is
// received. Bytes that have to wait while blocks are short move to memory of their own: otherwise
// clients that send one byte too many could hold all blocks for ever.

import { assert } from '../base/assert.ts';
import type { Slab } from '../base/slab.ts';

const NONE = -1;

/** The least that bytes out of the slab get: room for a few more of them. */
const SHELF_BYTES = 512;

export class ReceiveBuffer {
  readonly #slab: Slab;
  /** What the unread bytes lie in: a block of the slab, or memory of their own, or nothing. */
  #block: number;
  #shelf: Uint8Array | null;
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
    this.#shelf = null;
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
    return this.#shelf ?? this.#slab.bytes;
  }

  get empty(): boolean {
    return this.start === this.end;
  }

  /** True when another received block can be taken. */
  get hasRoom(): boolean {
    return this.#nextBlock === NONE;
  }

  /** True when bytes that nobody wants yet fill half a block outside the slab: they are enough. */
  get isHeavy(): boolean {
    return this.#shelf !== null && this.end - this.start >= this.#slab.blockBytes >> 1;
  }

  /** Takes over a received block with `bytes` bytes in it. */
  add(block: number, bytes: number): void {
    assert(this.#nextBlock === NONE, 'a block is received only when there is room for it');
    const start = this.#slab.start(block);
    if (this.#block === NONE && this.#shelf === null) {
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
    if (this.#shelf === null) this.#slab.bytes.copyWithin(this.end, from, from + moved);
    else this.#shelf.set(this.#slab.bytes.subarray(from, from + moved), this.end);
    this.end += moved;
    this.#nextStart += moved;
    if (this.#nextStart === this.#nextEnd) {
      this.#slab.release(this.#nextBlock);
      this.#nextBlock = NONE;
    }
    return moved > 0;
  }

  /** Moves the unread bytes to the front; a shelf also grows, up to the size of a block. */
  #makeRoom(wanted: number): void {
    const unread = this.end - this.start;
    const { blockBytes } = this.#slab;
    if (this.#shelf !== null && unread + wanted > this.#high && this.#high < blockBytes) {
      const larger = new Uint8Array(blockBytes);
      larger.set(this.#shelf.subarray(this.start, this.end));
      this.#shelf = larger;
      this.#high = blockBytes;
    } else {
      this.memory.copyWithin(this.#low, this.start, this.end);
    }
    this.start = this.#low;
    this.end = this.#low + unread;
  }

  /** Gives the blocks back though there are unread bytes, which move to memory of their own. */
  shelve(): void {
    if (this.#block === NONE || this.empty) return;
    const unread = this.end - this.start;
    const shelf = new Uint8Array(Math.max(unread, SHELF_BYTES));
    shelf.set(this.#slab.bytes.subarray(this.start, this.end));
    this.#drop();
    this.#shelf = shelf;
    this.#low = 0;
    this.#high = shelf.length;
    this.start = 0;
    this.end = unread;
    this.join();
  }

  /** `bytes` more are read; their memory stays until trim() or join(). */
  consume(bytes: number): void {
    assert(bytes <= this.end - this.start, 'no more is consumed than is there');
    this.start += bytes;
  }

  /** Gives memory back that holds nothing unread. Nobody refers to it any more. */
  trim(): void {
    if (!this.empty) return;
    if (this.#nextBlock !== NONE) this.join();
    else this.#drop();
  }

  #drop(): void {
    if (this.#block !== NONE) this.#slab.release(this.#block);
    this.#block = NONE;
    this.#shelf = null;
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
