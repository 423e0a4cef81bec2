// Memory outside the slab that is being sent from: content of handlers, prepared responses, cached
// files. Each is a numbered region of the driver until its owner releases it.

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

/** Mapped memory, until release(). */
export class Region {
  readonly bytes: Uint8Array;
  readonly region: number;
  readonly #regions: Regions;
  #isMapped = true;

  constructor(regions: Regions, region: number, bytes: Uint8Array) {
    this.#regions = regions;
    this.region = region;
    this.bytes = bytes;
  }

  release(): void {
    assert(this.#isMapped, 'a region is released once');
    this.#isMapped = false;
    this.#regions.unmap(this.region);
  }
}
