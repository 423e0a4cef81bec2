// Memory that several processes share: an unnamed file in memory, whose descriptor children
// inherit. Its pages exist from when they are first used until no process has it any more.

import { ffi } from './ffi.ts';

// <sys/mman.h>
const MFD_CLOEXEC = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** The descriptor of a new file in memory; null where there is none. */
export function openSharedMemory(name: string): number | null {
  const library = linuxLibrary();
  if (library === null) return null;
  try {
    // Older C libraries do not have it.
    const create = library.func('int memfd_create(void*, uint32_t)');
    const fd = create(Buffer.from(`${name}\0`), MFD_CLOEXEC);
    return fd < 0 ? null : fd;
  } catch {
    return null;
  }
}

/**
 * Bytes of a file, page by page; null where they cannot be mapped. They stay mapped until the
 * process ends.
 */
export function mapShared(fd: number, offset: number, bytes: number): ArrayBuffer | null {
  const library = linuxLibrary();
  if (library === null) return null;
  const mmap = library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, intptr_t)');
  const address = mmap(0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, offset);
  // MAP_FAILED is -1 as an address, above every real one.
  return address > Number.MAX_SAFE_INTEGER ? null : library.view(address, bytes);
}

function linuxLibrary(): Exclude<ReturnType<typeof ffi>, string> | null {
  if (process.platform !== 'linux') return null;
  const library = ffi();
  return typeof library === 'string' ? null : library;
}
