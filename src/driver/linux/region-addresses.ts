// Where the regions lie that a driver sends from. Region 0 is the slab.

import { assert } from '../../base/assert.ts';
import type { Syscalls } from './syscalls.ts';

export class RegionAddresses {
  readonly #calls: Syscalls;
  readonly #addresses: number[];
  /** Their memory is held here, so that it stays while the kernel may read it. */
  readonly #regions: (Uint8Array | null)[];

  constructor(calls: Syscalls, slabBytes: Uint8Array) {
    this.#calls = calls;
    this.#addresses = [calls.addressOf(slabBytes)];
    this.#regions = [slabBytes];
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

  /** The address of byte `at` of a region. */
  address(region: number, at: number): number {
    return this.#addresses[region] + at;
  }
}
