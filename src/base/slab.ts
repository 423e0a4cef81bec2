// Hot: runs for every receive. Measured by perf/micro/pools.ts.
// One buffer cut into numbered blocks. Layers pass a block's number; its bytes stay in place. The
// block released last is acquired first, so that a busy server keeps using the same warm memory.

import { assert } from './assert.ts';

/**
 * Blocks lie a cache line or three more than their size apart: with a stride of a power of two the
 * first lines of all blocks would compete for the same few sets of the processor's caches.
 */
const BLOCK_GAP_BYTES = 192;

/** blockCount in limits.ts says why there are so many blocks. */
export class Slab {
  readonly blockBytes: number;
  readonly blockCount: number;
  /** The memory of all blocks; block b is bytes start(b) to start(b) + blockBytes. */
  readonly bytes: Uint8Array;
  readonly #strideBytes: number;
  /**
   * Free block numbers, the next to acquire on top, at #freeCount - 1. A FreeStack instead takes 2
   * ns more for a block (6 to 8, perf/micro/pools.ts).
   */
  readonly #free: Int32Array;
  #freeCount: number;
  readonly #shortCount: number;
  /** 1 while a block is in use; finds double releases. */
  readonly #inUse: Uint8Array;
  /**
   * Called once, when the next block is released, then null again: for a receive without a block.
   */
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
    this.#inUse = new Uint8Array(blockCount);
    this.whenFree = null;
  }

  /** True when the blocks that are left should go to receives. */
  get isShort(): boolean {
    return this.#freeCount < this.#shortCount;
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  /** A block's number, or -1 when all are in use. */
  acquire(): number {
    if (this.#freeCount === 0) return -1;
    this.#freeCount -= 1;
    const block = this.#free[this.#freeCount];
    this.#inUse[block] = 1;
    return block;
  }

  release(block: number): void {
    assert(this.#inUse[block] === 1, 'a released block was in use');
    this.#inUse[block] = 0;
    this.#free[this.#freeCount] = block;
    this.#freeCount += 1;
    if (this.whenFree !== null) this.#notifyFree();
  }

  #notifyFree(): void {
    const notify = this.whenFree;
    this.whenFree = null;
    notify?.();
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
