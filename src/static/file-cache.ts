// Hot: runs for every request for a file. Measured by perf/micro/static.ts.
// What was found at paths below the root, in bounded memory. A new file is on probation: it moves
// to the kept ones when it is still requested at its next check. Files on probation are evicted
// first, so that a crawl through all files, each requested once, evicts none that is kept.

import { ByteMap } from '../base/byte-map.ts';
import type { CachedFile } from './cached-file.ts';

/** The part of the memory that kept files may use; new ones always have the rest. */
const KEPT_SHARE = 0.8;

export class FileCache {
  readonly #bytesMax: number;
  readonly #files: ByteMap<CachedFile> = new ByteMap<CachedFile>();
  /** The same files, the next one to evict first. Each is in one of the sets. */
  readonly #probation: Set<CachedFile> = new Set<CachedFile>();
  readonly #kept: Set<CachedFile> = new Set<CachedFile>();
  #probationBytes = 0;
  #keptBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#probationBytes + this.#keptBytes;
  }

  get(path: Uint8Array, from: number, to: number): CachedFile | null {
    return this.#files.get(path, from, to);
  }

  add(file: CachedFile): void {
    const old = this.#files.get(file.key, 0, file.key.length);
    if (old !== null) this.remove(old);
    if (file.memoryBytes > this.#bytesMax) return;
    this.#makeRoom(file.memoryBytes);
    this.#files.set(file.key, file);
    this.#probation.add(file);
    this.#probationBytes += file.memoryBytes;
  }

  /** Records that a check for a request found the file unchanged; it is evicted last. */
  refresh(file: CachedFile, nowMs: number): void {
    file.checkedMs = nowMs;
    if (this.#kept.delete(file)) {
      this.#kept.add(file);
      return;
    }
    if (!this.#probation.delete(file)) return;
    this.#probationBytes -= file.memoryBytes;
    this.#kept.add(file);
    this.#keptBytes += file.memoryBytes;
    this.#boundKept();
  }

  remove(file: CachedFile): void {
    if (this.#probation.delete(file)) this.#probationBytes -= file.memoryBytes;
    else if (this.#kept.delete(file)) this.#keptBytes -= file.memoryBytes;
    else return;
    this.#files.delete(file.key);
  }

  #makeRoom(bytes: number): void {
    while (this.bytes + bytes > this.#bytesMax) {
      const first = firstOf(this.#probation) ?? firstOf(this.#kept);
      if (first === null) return;
      this.remove(first);
    }
  }

  /** The least recently checked of the kept files are on probation again. */
  #boundKept(): void {
    while (this.#keptBytes > this.#bytesMax * KEPT_SHARE) {
      const first = firstOf(this.#kept);
      if (first === null) return;
      this.#kept.delete(first);
      this.#keptBytes -= first.memoryBytes;
      this.#probation.add(first);
      this.#probationBytes += first.memoryBytes;
    }
  }
}

function firstOf(files: ReadonlySet<CachedFile>): CachedFile | null {
  for (const file of files) return file;
  return null;
}
