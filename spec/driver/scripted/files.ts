// Files in memory for the scripted kernels: their bytes, and which of them are not cached.

import { CachedPages } from '../../../src/driver/linux/file-calls.ts';

export class ScriptedFiles {
  readonly contents: Map<number, Uint8Array> = new Map();
  /** The bytes from here on are not cached. */
  cachedTo: number = Number.POSITIVE_INFINITY;
  /** The kernel does not count pages. */
  isUnknown = false;
  /** Questions about single bytes, by position. */
  readonly probes: number[] = [];

  #end(file: number): number {
    return Math.min(this.contents.get(file)?.length ?? 0, this.cachedTo);
  }

  cachedPages(file: number, position: number, bytes: number): CachedPages {
    if (this.isUnknown) return CachedPages.Unknown;
    return position + bytes <= this.#end(file) ? CachedPages.All : CachedPages.Some;
  }

  isCached(file: number, position: number): boolean {
    this.probes.push(position);
    return position < this.#end(file);
  }

  /** What sendfile() reads. */
  bytes(file: number, position: number, count: number): Uint8Array {
    const content = this.contents.get(file) ?? new Uint8Array(0);
    return content.subarray(position, position + count);
  }
}
