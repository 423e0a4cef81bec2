// Small static files in memory, by the path that clients ask for, each ready to be sent. A file
// that was not looked at for a moment is looked at again before it is sent.

import type { FileStat } from '../async-io/async-io.ts';
import { ByteMap } from '../base/byte-map.ts';
import { type Prepared, partsOf } from '../exchange/prepared.ts';

/**
 * How long a file counts as unchanged after it was looked at: hardly longer than a program takes to
 * change it and ask again, long enough that a busy file is looked at once in a hundred requests.
 */
export const FRESH_MS = 1;

/** The same where looks are slow. */
export const RECHECK_MS = 5;

/** So long after a look the system still has the file's state in memory: the next is quick. */
export const KNOWN_MS = 10_000;

/** How long it may be served without another look while one is under way. */
export const GRACE_MS = 50;

export interface CachedFile {
  /** The decoded path below the root. */
  readonly key: Uint8Array;
  /** Where the path leads before symbolic links are followed. */
  readonly file: string;
  readonly stat: FileStat;
  readonly etag: string;
  readonly response: Prepared;
  checkedMs: number;
  /** A look at the file that is under way; true when it is unchanged. */
  checking: Promise<boolean> | null;
}

export class FileCache {
  readonly #bytesMax: number;
  readonly #files: ByteMap<CachedFile> = new ByteMap<CachedFile>();
  /** The same files, the one to forget next first. */
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
    const bytes = weight(file);
    if (bytes > this.#bytesMax) return;
    for (const first of this.#order) {
      if (this.#bytes + bytes <= this.#bytesMax) break;
      this.remove(first);
    }
    this.#files.set(file.key, file);
    this.#order.add(file);
    this.#bytes += bytes;
  }

  /** Found unchanged: it is forgotten last. */
  refresh(file: CachedFile, nowMs: number): void {
    file.checkedMs = nowMs;
    if (this.#order.delete(file)) this.#order.add(file);
  }

  remove(file: CachedFile): void {
    if (!this.#order.delete(file)) return;
    this.#files.delete(file.key);
    this.#bytes -= weight(file);
  }
}

/** What a cached file costs: its content twice (alone and behind its head), and small change. */
function weight(file: CachedFile): number {
  const { bytes, content } = partsOf(file.response);
  return bytes.length + content.length + file.key.length + 512;
}
