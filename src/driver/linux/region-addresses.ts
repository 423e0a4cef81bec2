// The addresses of regions, which a driver receives into and sends from. Region 0 is the slab.

import { assert } from '../../base/assert.ts';
import type { Slab } from '../../base/slab.ts';
import type { Syscalls } from './syscalls.ts';

export class RegionAddresses {
  readonly #calls: Syscalls;
  readonly #slab: Slab;
  readonly #addresses: number[];
  /** References to their memory, so that it is not collected while the kernel may read it. */
  readonly #regions: (Uint8Array | null)[];
  /**
   * The address of each block, computed beforehand. An address is too large for V8's small
   * integers: computed for a call it becomes an object each time, which was most of a request's
   * garbage (22 scavenges in a million requests versus 6). The null makes this an array of objects,
   * which are passed on as they are; an array of numbers alone would hold doubles, and allocate an
   * object at each read.
   */
  readonly #blocks: (number | null)[];

  constructor(calls: Syscalls, slab: Slab) {
    this.#calls = calls;
    this.#slab = slab;
    const base = calls.addressOf(slab.bytes);
    this.#addresses = [base];
    this.#regions = [slab.bytes];
    this.#blocks = [null];
    for (let block = 0; block < slab.blockCount; block++) {
      this.#blocks.push(base + slab.start(block));
    }
  }

  map(region: number, bytes: Uint8Array): void {
    assert(region > 0, 'region 0 is the slab');
    this.#regions[region] = bytes;
    this.#addresses[region] = this.#calls.addressOf(bytes);
  }

  unmap(region: number): void {
    assert(this.#regions[region] !== null, 'an unmapped region was mapped');
    this.#regions[region] = null;
    this.#addresses[region] = 0;
  }

  block(block: number): number {
    return this.#blocks[block + 1] as number;
  }

  /** Where a region begins. */
  base(region: number): number {
    return this.#addresses[region];
  }

  /** The address of byte `at` of a region. */
  address(region: number, at: number): number {
    if (region === 0) {
      const block = this.#slab.blockAt(at);
      // Most responses begin where their block does.
      if (this.#slab.start(block) === at) return this.#blocks[block + 1] as number;
    }
    return this.#addresses[region] + at;
  }
}
