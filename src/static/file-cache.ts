// Hot: runs for every request for a file. Measured by perf/micro/static.ts.
// Small static files in memory, by requested path, each ready to be sent. A file that was not
// checked within the last milliseconds is checked by stat() before it is sent.

import type { FileStat } from '../async-io/async-io.ts';
import { ByteMap } from '../base/byte-map.ts';
import { type Prepared, partsOf } from '../exchange/prepared.ts';
import type { Representation } from '../exchange/representation.ts';

/**
 * How long a file counts as unchanged after a check: hardly longer than a program takes to change
 * it and request it again, long enough that a busy file is checked once in a hundred requests.
 */
export const FRESH_MS = 1;

/** The same where stat() is slow. */
export const RECHECK_MS = 5;

/**
 * How long after a check the system still has the file's state in memory, so that stat() is fast.
 */
export const STAT_CACHED_MS = 10_000;

/** How long a file may be served without a new check while one is in progress. */
export const GRACE_MS = 50;

export interface CachedFile {
  /** The decoded path below the root. */
  readonly key: Uint8Array;
  /** The path in the file system, before symbolic links are resolved. */
  readonly file: string;
  readonly stat: FileStat;
  readonly representation: Representation;
  readonly response: Prepared;
  checkedMs: number;
  /** The check in progress; resolves to true when the file is unchanged. */
  checking: Promise<boolean> | null;
}

export class FileCache {
  readonly #bytesMax: number;
  readonly #files: ByteMap<CachedFile> = new ByteMap<CachedFile>();
  /** The same files, the next one to evict first. */
  readonly #order: Set<CachedFile> = new Set<CachedFile>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(path: Uint8Array, from: number, to: number): CachedFile | null {
    return this.#files.get(path, from, to);
  }

  add(file: CachedFile): void {
    const old = this.#files.get(file.key, 0, file.key.length);
    if (old !== null) this.remove(old);
    const bytes = memoryBytes(file);
    if (bytes > this.#bytesMax) return;
    for (const first of this.#order) {
      if (this.#bytes + bytes <= this.#bytesMax) break;
      this.remove(first);
    }
    this.#files.set(file.key, file);
    this.#order.add(file);
    this.#bytes += bytes;
  }

  /** Records that a check found the file unchanged; it is evicted last. */
  refresh(file: CachedFile, nowMs: number): void {
    file.checkedMs = nowMs;
    if (this.#order.delete(file)) this.#order.add(file);
  }

  remove(file: CachedFile): void {
    if (!this.#order.delete(file)) return;
    this.#files.delete(file.key);
    this.#bytes -= memoryBytes(file);
  }
}

/** Memory of a cached file: its content twice (alone and behind its head), key and objects. */
function memoryBytes(file: CachedFile): number {
  const { bytes, content } = partsOf(file.response);
  return bytes.length + content.length + file.key.length + 512;
}
