// Hot: runs for every receive. Measured by perf/micro/driver.ts.
// Blocks of the slab that the kernel may receive into (a provided buffer ring): it takes one when
// bytes are there, so a thousand quiet sockets share a few.

import { assert } from '../../base/assert.ts';
import { FreeStack } from '../../base/free-stack.ts';
import type { Slab } from '../../base/slab.ts';
import { callFault } from './call-fault.ts';
import type { Mapping, UringCalls } from './uring-calls.ts';
import {
  BUFFER_BYTES,
  BUFFER_TAIL,
  BUFFER_WORDS,
  HIGH,
  REGISTER_PBUF_RING,
} from './uring-layout.ts';

const NONE = -1;
/** The kernel cycles through its buffers: few stay in the processor's caches. */
const BUFFERS_MAX = 128;

/** An eighth of the slab at most: blocks that wait here are of no use elsewhere. */
export function bufferCountFor(slab: Slab): number {
  let count = 1;
  while (count < BUFFERS_MAX && count * 16 <= slab.blockCount) count *= 2;
  return count;
}

export class ProvidedBuffers {
  readonly #calls: UringCalls;
  readonly #slab: Slab;
  readonly #base: number;
  readonly #mapping: Mapping;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #mask: number;
  /** The block of each buffer that the kernel has, by the buffer's number, else NONE. */
  readonly #blocks: Int32Array;
  /** Numbers of buffers that the kernel does not have. */
  readonly #spare: FreeStack;
  #tail = 0;

  /** `count` is a power of two, and less than the slab's blocks. */
  constructor(calls: UringCalls, ring: number, group: number, slab: Slab, count: number) {
    assert((count & (count - 1)) === 0, 'a ring of buffers is a power of two');
    this.#calls = calls;
    this.#slab = slab;
    this.#base = calls.addressOf(slab.bytes);
    this.#mask = count - 1;
    const mapping = calls.mapMemory(-1, Math.max(count * BUFFER_BYTES, 4096), 0);
    if (typeof mapping === 'number') throw callFault('mmap', -mapping);
    this.#mapping = mapping;
    this.#words = new Int32Array(mapping.memory);
    this.#halves = new Uint16Array(mapping.memory);
    this.#blocks = new Int32Array(count).fill(NONE);
    this.#spare = new FreeStack(count);
    const status = calls.register(ring, REGISTER_PBUF_RING, registration(mapping, count, group), 1);
    if (status < 0) {
      calls.unmapMemory(mapping);
      throw callFault('io_uring_register', -status);
    }
  }

  /** Buffers that the kernel has. */
  get count(): number {
    return this.#mask + 1 - this.#spare.count;
  }

  /** Provides blocks to the kernel until it has `count`, or the slab has no more. */
  refill(): void {
    if (this.#spare.count > 0) this.#refill();
  }

  #refill(): void {
    const { blockBytes } = this.#slab;
    while (this.#spare.count > 0) {
      const block = this.#slab.acquire();
      if (block < 0) break;
      const number = this.#spare.acquire();
      this.#blocks[number] = block;
      const address = this.#base + this.#slab.start(block);
      const at = (this.#tail & this.#mask) * BUFFER_WORDS;
      this.#words[at] = address | 0;
      this.#words[at + 1] = (address / HIGH) | 0;
      this.#words[at + 2] = blockBytes;
      this.#halves[2 * at + 6] = number;
      this.#tail = (this.#tail + 1) & 0xffff;
    }
    Atomics.store(this.#halves, BUFFER_TAIL, this.#tail);
  }

  /** The kernel used this buffer: its block belongs to the caller now. */
  take(number: number): number {
    const block = this.#blocks[number];
    assert(block !== NONE, 'the kernel uses a buffer that it has');
    this.#blocks[number] = NONE;
    this.#spare.release(number);
    return block;
  }

  /** The ring is closed: the kernel's blocks are released. */
  destroy(): void {
    for (const block of this.#blocks) if (block !== NONE) this.#slab.release(block);
    this.#calls.unmapMemory(this.#mapping);
  }
}

/** struct io_uring_buf_reg: address, entries, group. */
function registration(mapping: Mapping, count: number, group: number): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(mapping.address), true);
  view.setUint32(8, count, true);
  view.setUint16(12, group, true);
  return bytes;
}
