// The system calls for sends from files. The C library of an older system may lack some of them.

import type { Ffi } from './ffi.ts';
import type { Foreign } from './foreign.ts';

/** <linux/fs.h>: a read that would wait for a disk fails instead. */
const RWF_NOWAIT = 8;

/** The number of the system call on all architectures; the kernel has it from 6.5 on. */
const CACHESTAT = 451;

/** Architectures on which off_t and size_t have 64 bits, least byte first. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/** How many pages of a range of a file the system has in memory, or reads just now. */
export const CachedPages = {
  /** It does not say so: before Linux 6.5, and for files of other users. */
  Unknown: 0,
  Some: 1,
  All: 2,
} as const;
export type CachedPages = (typeof CachedPages)[keyof typeof CachedPages];

/** Null where they do not exist. */
export function fileCalls(library: Ffi): FileCalls | null {
  if (!ARCHITECTURES.includes(process.arch)) return null;
  try {
    return new FileCalls(library);
  } catch {
    return null;
  }
}

/** Words of 64 bits in #memory: what the kernel reads and writes. */
const IOVEC = 0; // address and length of one byte
const BYTE = 2;
const OFFSET = 3;
const RANGE = 4; // start and length
const COUNTS = 6; // of cached, dirty, written, evicted and recently evicted pages
const WORDS = 16;

export class FileCalls {
  readonly #sendfile: Foreign;
  readonly #preadv2: Foreign;
  readonly #syscall: Foreign;
  readonly #words = new BigUint64Array(WORDS);
  readonly #numbers = new Uint32Array(this.#words.buffer);
  readonly #address: number;
  readonly #pageBytes: number;

  constructor(library: Ffi) {
    this.#sendfile = library.func('intptr_t sendfile(int, int, uintptr_t, size_t)');
    this.#preadv2 = library.func('intptr_t preadv2(int, uintptr_t, int, int64_t, int)');
    this.#syscall = library.func('intptr_t syscall(intptr_t, int, uintptr_t, uintptr_t, uint32_t)');
    this.#pageBytes = library.func('int getpagesize()')();
    this.#address = library.addressOf(new Uint8Array(this.#words.buffer));
    this.#words[IOVEC] = BigInt(this.#address + 8 * BYTE);
    this.#words[IOVEC + 1] = 1n;
  }

  sendfile(socket: number, file: number, position: number, bytes: number): number {
    this.#words[OFFSET] = BigInt(position);
    return this.#sendfile(socket, file, this.#address + 8 * OFFSET, bytes);
  }

  isCached(file: number, position: number): boolean {
    return this.#preadv2(file, this.#address + 8 * IOVEC, 1, position, RWF_NOWAIT) === 1;
  }

  cachedPages(file: number, position: number, bytes: number): CachedPages {
    this.#words[RANGE] = BigInt(position);
    this.#words[RANGE + 1] = BigInt(bytes);
    const range = this.#address + 8 * RANGE;
    const status = this.#syscall(CACHESTAT, file, range, this.#address + 8 * COUNTS, 0);
    if (status !== 0) return CachedPages.Unknown;
    const first = Math.floor(position / this.#pageBytes);
    const end = Math.ceil((position + bytes) / this.#pageBytes);
    return this.#numbers[2 * COUNTS] < end - first ? CachedPages.Some : CachedPages.All;
  }
}
