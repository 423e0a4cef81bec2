// What the simulated driver sends from: memory and open files, by the numbers that the server
// chose.

import { ensure } from './violation.ts';

export class SimRegions {
  readonly #memory = new Map<number, Uint8Array>();
  /** Descriptors of files; the simulation does not use their numbers again. */
  readonly #files = new Map<number, number>();
  readonly #fileBytes: (fd: number) => Uint8Array | undefined;

  constructor(slab: Uint8Array, fileBytes: (fd: number) => Uint8Array | undefined) {
    this.#memory.set(0, slab);
    this.#fileBytes = fileBytes;
  }

  map(region: number, bytes: Uint8Array): void {
    ensure(region > 0 && !this.#memory.has(region), 'contract', 'a mapped region is new');
    this.#memory.set(region, bytes);
  }

  mapFile(region: number, fd: number): boolean {
    ensure(region < 0 && !this.#files.has(region), 'contract', 'a mapped file is new');
    this.#files.set(region, fd);
    return true;
  }

  unmap(region: number): void {
    const isMapped = region < 0 ? this.#files.delete(region) : this.#memory.delete(region);
    ensure(isMapped, 'contract', 'an unmapped region was mapped');
  }

  /** Regions besides the slab. */
  get count(): number {
    return this.#memory.size - 1 + this.#files.size;
  }

  bytes(region: number): Uint8Array {
    const fd = this.#files.get(region);
    const bytes = fd === undefined ? this.#memory.get(region) : this.#fileBytes(fd);
    ensure(bytes !== undefined, 'memory', `region ${region} is mapped while it is sent from`);
    return bytes;
  }
}
