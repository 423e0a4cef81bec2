// What is being sent from outside of the slab: memory (content of handlers, prepared responses,
// cached files) and open files. Each is a numbered region of the driver until its owner releases
// it.

import { assert } from '../base/assert.ts';
import type { Driver } from '../driver/driver.ts';
import { ContentFiles } from './content-files.ts';
import type { FileOwner } from './file-owner.ts';

const NO_BYTES = new Uint8Array(0);

/** The slab's number; the others follow. */
export const SLAB_REGION = 0;

export class Regions {
  readonly #driver: Driver;
  /** Unmapped numbers, the next to use on top. */
  readonly #free: number[] = [];
  #next = 1;
  /** The same for files, whose numbers are negative. */
  readonly #freeFiles: number[] = [];
  #nextFile = -1;
  readonly #contentFiles: ContentFiles;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#contentFiles = new ContentFiles(driver);
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

  /** As map(), for content that never changes. */
  mapConstant(content: Uint8Array): Region {
    const file = this.#contentFiles.acquire(content);
    const region = file === null ? null : this.mapFile(file.file, file);
    if (region !== null) return region;
    file?.released();
    return this.map(content);
  }

  /**
   * Null when the driver cannot send from files. The descriptor stays open until release(), which
   * notifies the `owner` if there is one.
   */
  mapFile(fd: number, owner: FileOwner | null): Region | null {
    const region = this.#freeFiles.pop() ?? this.#nextFile--;
    if (this.#driver.mapFile(region, fd, owner?.identity ?? 0))
      return new Region(this, region, NO_BYTES, owner);
    this.#freeFiles.push(region);
    return null;
  }

  /** Regions in use; for checks. */
  get count(): number {
    const files = -1 - this.#nextFile - this.#freeFiles.length;
    return this.#next - 1 - this.#free.length + files;
  }

  /** Every region is unmapped. */
  close(): void {
    this.#contentFiles.closeAll();
  }

  unmap(region: number): void {
    this.#driver.unmap(region);
    if (region < 0) this.#freeFiles.push(region);
    else this.#free.push(region);
  }
}

/** Mapped memory or a mapped file (without bytes here), until release(). */
export class Region {
  readonly bytes: Uint8Array;
  readonly region: number;
  /** Of a file that is sent without a writer that waits for it. */
  readonly owner: FileOwner | null;
  readonly #regions: Regions;
  #isMapped = true;

  constructor(regions: Regions, region: number, bytes: Uint8Array, owner: FileOwner | null = null) {
    this.#regions = regions;
    this.region = region;
    this.bytes = bytes;
    this.owner = owner;
  }

  release(): void {
    assert(this.#isMapped, 'a region is released once');
    this.#isMapped = false;
    this.#regions.unmap(this.region);
    this.owner?.released();
  }
}
