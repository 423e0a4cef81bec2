// Content that never changes and is sent often, as unnamed files in memory: the kernel sends their
// pages without a copy. A copy of 64 KiB is a third of what such a response costs.

import { type Driver, IN_MEMORY, type MemoryFiles } from '../driver/driver.ts';
import type { FileOwner } from './file-owner.ts';

/** Below this size a copy costs no more than the system calls of a file. */
export const CONTENT_FILE_BYTES_MIN: number = 32 * 1024;
/** Of all files together; more content is copied. Each file is a descriptor. */
export const CONTENT_FILES_BYTES_MAX: number = 8 * 1024 * 1024;
export const CONTENT_FILES_MAX = 64;

/**
 * A file is made for content that was sent so often in so many milliseconds. To make one of 64 KiB
 * costs as much as to send five copies.
 */
export const BUSY_SENDS = 16;
export const BUSY_MS = 1000;

interface Sends {
  count: number;
  sinceMs: number;
  file: ContentFile | null;
}

/** A file with content, until no send uses it and its place is wanted. */
class ContentFile implements FileOwner {
  readonly file: number;
  readonly bytes: number;
  readonly identity: number = IN_MEMORY;
  readonly sends: Sends;
  users = 0;
  usedMs = 0;

  constructor(file: number, bytes: number, sends: Sends) {
    this.file = file;
    this.bytes = bytes;
    this.sends = sends;
  }

  released(): void {
    this.users -= 1;
  }
}

export class ContentFiles {
  readonly #driver: Driver;
  readonly #calls: MemoryFiles | undefined;
  readonly #sends = new WeakMap<Uint8Array, Sends>();
  readonly #files = new Set<ContentFile>();
  #bytes = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#calls = driver.memoryFiles;
  }

  /** Files that are open; for checks. */
  get count(): number {
    return this.#files.size;
  }

  /** The file with this content, with one more user; null where it is to be sent from memory. */
  acquire(content: Uint8Array): FileOwner | null {
    const { length } = content;
    if (this.#calls === undefined || length < CONTENT_FILE_BYTES_MIN) return null;
    if (length > CONTENT_FILES_BYTES_MAX) return null;
    const nowMs = this.#driver.now();
    const sends = this.#countedSends(content, nowMs);
    const file = sends.file ?? this.#busyFile(this.#calls, content, sends);
    if (file === null) return null;
    file.users += 1;
    file.usedMs = nowMs;
    return file;
  }

  #countedSends(content: Uint8Array, nowMs: number): Sends {
    let sends = this.#sends.get(content);
    if (sends === undefined) {
      sends = { count: 0, sinceMs: nowMs, file: null };
      this.#sends.set(content, sends);
    }
    if (nowMs - sends.sinceMs > BUSY_MS) {
      sends.count = 0;
      sends.sinceMs = nowMs;
    }
    sends.count += 1;
    return sends;
  }

  #busyFile(calls: MemoryFiles, content: Uint8Array, sends: Sends): ContentFile | null {
    if (sends.count < BUSY_SENDS) return null;
    // The next try is after as many sends: all files may be in use, or the system out of memory or
    // descriptors.
    sends.count = 0;
    if (!this.#makeRoom(calls, content.length)) return null;
    const fd = calls.create(content);
    if (fd < 0) return null;
    const file = new ContentFile(fd, content.length, sends);
    sends.file = file;
    this.#files.add(file);
    this.#bytes += file.bytes;
    return file;
  }

  /**
   * Closes files that no send uses, the least recently used first; false, and closes none, when
   * that is too few.
   */
  #makeRoom(calls: MemoryFiles, bytes: number): boolean {
    if (hasRoom(this.#files.size, this.#bytes + bytes)) return true;
    const idle = [...this.#files].filter(({ users }) => users === 0);
    const idleBytes = idle.reduce((sum, file) => sum + file.bytes, 0);
    if (!hasRoom(this.#files.size - idle.length, this.#bytes - idleBytes + bytes)) return false;
    idle.sort((one, other) => one.usedMs - other.usedMs);
    for (const file of idle) {
      this.#close(calls, file);
      if (hasRoom(this.#files.size, this.#bytes + bytes)) break;
    }
    return true;
  }

  #close(calls: MemoryFiles, file: ContentFile): void {
    file.sends.file = null;
    this.#files.delete(file);
    this.#bytes -= file.bytes;
    calls.close(file.file);
  }

  /** Nothing is sent any more. */
  closeAll(): void {
    for (const file of this.#files) if (this.#calls !== undefined) this.#close(this.#calls, file);
  }
}

/** Whether another file may be made beside so many, with so many bytes together with it. */
function hasRoom(files: number, bytes: number): boolean {
  return files < CONTENT_FILES_MAX && bytes <= CONTENT_FILES_BYTES_MAX;
}
