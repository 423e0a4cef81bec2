// Sends the bytes of open files without a copy, by sendfile(). It would block for a disk, so it
// sends only what the system has in memory: it lets the system count the pages, and reads a byte
// now and then in a way that fails instead of waiting.

import { ERRNO } from '../../base/errno.ts';
import { IN_MEMORY, NOT_CACHED } from '../driver.ts';
import { CachedRanges } from './cached-ranges.ts';
import { CachedPages } from './file-calls.ts';
import type { Syscalls } from './syscalls.ts';

/** A send of so many bytes takes some 100 microseconds, so that other sockets do not wait. */
export const FILE_SEND_BYTES_MAX: number = 512 * 1024;

/**
 * The distance of the bytes that are read: half of what Linux reads ahead at once. A byte of every
 * page would cost as much as to copy all of them (340 microseconds a MiB).
 */
export const PROBE_BYTES: number = 64 * 1024;

/** Faults of the file or its file system: reading it will show what is wrong. */
const FILE_FAULTS: readonly number[] = [
  ...[-ERRNO.EIO, -ERRNO.EINVAL, -ERRNO.ENOSYS, -ERRNO.EOPNOTSUPP, -ERRNO.ESPIPE, -ERRNO.EBADF],
  ...[-ERRNO.EACCES, -ERRNO.EOVERFLOW],
];

export class FileSends {
  readonly #calls: Syscalls;
  readonly #known: CachedRanges = new CachedRanges();
  /** The descriptor of region -n at n, and the identity of its file. */
  readonly #fds: number[] = [];
  readonly #identities: number[] = [];

  constructor(calls: Syscalls) {
    this.#calls = calls;
  }

  map(region: number, fd: number, identity: number): boolean {
    if (!this.#calls.sendsFiles) return false;
    this.#fds[-region] = fd;
    this.#identities[-region] = identity;
    return true;
  }

  unmap(region: number): void {
    this.#fds[-region] = -1;
  }

  /** Bytes sent, NOT_CACHED, or the -errno of the socket. */
  try(socket: number, region: number, start: number, bytes: number, nowMs: number): number {
    const fd = this.#fds[-region];
    const identity = this.#identities[-region];
    const end = start + Math.min(bytes, FILE_SEND_BYTES_MAX);
    if (identity !== IN_MEMORY && !this.#known.has(fd, identity, start, end, nowMs)) {
      if (!this.#isCached(fd, start, end)) return NOT_CACHED;
      this.#known.add(fd, identity, start, end, nowMs);
    }
    const result = this.#calls.sendfile(socket, fd, start, end - start);
    return result === 0 || FILE_FAULTS.includes(result) ? NOT_CACHED : result;
  }

  #isCached(fd: number, start: number, end: number): boolean {
    const pages = this.#calls.cachedPages(fd, start, end - start);
    if (pages === CachedPages.Some) return false;
    // Pages that are there may still wait for the disk: the last of them come last.
    if (!this.#calls.isCached(fd, end - 1)) return false;
    if (pages === CachedPages.All) return true;
    for (let position = start; position < end; position += PROBE_BYTES) {
      if (!this.#calls.isCached(fd, position)) return false;
    }
    return true;
  }
}
