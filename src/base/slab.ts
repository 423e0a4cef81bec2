// Hot: runs for every receive. Measured by perf/micro/pools.ts.
// One buffer cut into numbered blocks. A block's number travels, its bytes do not. Taking is last
// in, first out, so that a busy server keeps using the same warm memory.

import { assert } from './assert.ts';

/**
 * Blocks lie a cache line or three more than their size apart: with a stride of a power of two the
 * first lines of all blocks would fight for the same few sets of the processor's caches.
 */
const BLOCK_GAP_BYTES = 192;

/** Why there are so many blocks stands beside blockCount in limits.ts. */
export class Slab {
  readonly blockBytes: number;
  readonly blockCount: number;
  /** The memory of all blocks; block b is bytes start(b) to start(b) + blockBytes. */
  readonly bytes: Uint8Array;
  readonly #strideBytes: number;
  /** Free block numbers, the next to take on top. */
  readonly #free: Int32Array;
  #freeCount: number;
  readonly #shortCount: number;
  /** 1 while a block is out; finds double releases. */
  readonly #out: Uint8Array;
  /** Called once when the next block comes back, then null again: for who found none. */
  whenFree: (() => void) | null;

  constructor(blockBytes: number, blockCount: number) {
    assert(blockBytes > 0 && blockBytes % 64 === 0, 'a block is a whole number of cache lines');
    assert(blockCount > 0, 'a slab has blocks');
    this.blockBytes = blockBytes;
    this.blockCount = blockCount;
    this.#strideBytes = blockBytes + BLOCK_GAP_BYTES;
    this.bytes = new Uint8Array(this.#strideBytes * blockCount);
    this.#free = new Int32Array(blockCount);
    for (let index = 0; index < blockCount; index++) this.#free[index] = blockCount - 1 - index;
    this.#freeCount = blockCount;
    // A guess: an eighth is enough for a turn's receives.
    this.#shortCount = blockCount >> 3;
    this.#out = new Uint8Array(blockCount);
    this.whenFree = null;
  }

  /** True when what is left should go to those who receive. */
  get isShort(): boolean {
    return this.#freeCount < this.#shortCount;
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** A block's number, or -1 when all are out. */
  acquire(): number {
    if (this.#freeCount === 0) return -1;
    this.#freeCount -= 1;
    const block = this.#free[this.#freeCount];
    this.#out[block] = 1;
    return block;
  }

  release(block: number): void {
    assert(this.#out[block] === 1, 'a released block was out');
    this.#out[block] = 0;
    this.#free[this.#freeCount] = block;
    this.#freeCount += 1;
    if (this.whenFree !== null) this.#tellFree();
  }

  #tellFree(): void {
    const told = this.whenFree;
    this.whenFree = null;
    told?.();
  }

  /** The block that position `at` of `bytes` lies in. */
  blockAt(at: number): number {
    return (at / this.#strideBytes) | 0;
  }

  /** Where a block begins in `bytes`. */
  start(block: number): number {
    return block * this.#strideBytes;
  }
}
