// Memory outside the slab that is being sent from: content of handlers, prepared responses, cached
// files. Each is a numbered region of the driver until its last holder releases it.

import { assert } from '../base/assert.ts';
import type { Driver } from '../driver/driver.ts';

/** The slab's number; the others follow. */
export const SLAB_REGION = 0;

export class Regions {
  readonly #driver: Driver;
  /** Unmapped numbers, the next to use on top. */
  readonly #free: number[] = [];
  #next = 1;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Maps `bytes`, with one holder. */
  map(bytes: Uint8Array): Region {
    const region = this.#free.pop() ?? this.#next++;
    try {
      this.#driver.map(region, bytes);
    } catch (error) {
      this.#free.push(region);
      throw error;
    }
    return new Region(this, region, bytes);
  }

  /** Regions in use; for checks. */
  get count(): number {
    return this.#next - 1 - this.#free.length;
  }

  unmap(region: number): void {
    this.#driver.unmap(region);
    this.#free.push(region);
  }
}

/** Mapped memory with a count of its holders. */
export class Region {
  readonly bytes: Uint8Array;
  readonly region: number;
  readonly #regions: Regions;
  #holders = 1;

  constructor(regions: Regions, region: number, bytes: Uint8Array) {
    this.#regions = regions;
    this.region = region;
    this.bytes = bytes;
  }

  hold(): void {
    assert(this.#holders > 0, 'only mapped memory is held');
    this.#holders += 1;
  }

  release(): void {
    assert(this.#holders > 0, 'a released region was held');
    this.#holders -= 1;
    if (this.#holders === 0) this.#regions.unmap(this.region);
  }
}
