// The system calls of io_uring, with the kernel's own convention for results: zero or more, or
// minus errno. Tests put a scripted kernel behind this interface.

import { type Ffi, ffi } from './ffi.ts';
import type { Foreign, LoopWatch } from './foreign.ts';

export interface UringCalls {
  /** `params` is struct io_uring_params; returns the ring's descriptor. */
  setup(entries: number, params: Uint32Array): number;
  /** Submits `count` entries; never waits for a completion. */
  enter(ring: number, count: number, flags: number): number;
  register(ring: number, operation: number, argument: Uint8Array, count: number): number;
  /** Memory of a ring at `offset`, or new anonymous memory where `ring` is -1. */
  mapMemory(ring: number, bytes: number, offset: number): Mapping | number;
  unmapMemory(mapping: Mapping): void;
  eventfd(): number;
  /** Sets an eventfd's counter to zero, after which it is not readable. */
  resetEventfd(fd: number): void;
  addressOf(bytes: Uint8Array): number;
  close(fd: number): number;
  /** See Ffi. */
  watchOnLoop(fd: number, woken: () => void): LoopWatch;
}

export interface Mapping {
  readonly address: number;
  readonly memory: ArrayBuffer;
}

// The same on every architecture.
const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const SYS_IO_URING_REGISTER = 427;

// <asm-generic/mman.h>, <sys/eventfd.h>
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x1;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_POPULATE = 0x8000;
const EFD_NONBLOCK_CLOEXEC = 0x80800;

/** The calls of this system, or the reason why they cannot be made, in one line. */
export function linuxUringCalls(): UringCalls | string {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  const library = ffi();
  return typeof library === 'string' ? library : new LinuxUringCalls(library);
}

class LinuxUringCalls implements UringCalls {
  readonly #ffi: Ffi;
  readonly #setup: Foreign;
  readonly #enter: Foreign;
  readonly #register: Foreign;
  readonly #mmap: Foreign;
  readonly #munmap: Foreign;
  readonly #eventfd: Foreign;
  readonly #read: Foreign;
  readonly #close: Foreign;
  readonly #count = new Uint8Array(64);

  constructor(library: Ffi) {
    this.#ffi = library;
    this.#setup = library.func('long syscall(long, uint32_t, void*)');
    this.#enter = library.func(
      'long syscall(long, int, uint32_t, uint32_t, uint32_t, uintptr_t, size_t)',
    );
    this.#register = library.func('long syscall(long, int, uint32_t, void*, uint32_t)');
    this.#mmap = library.func('uintptr_t mmap(uintptr_t, size_t, int, int, int, intptr_t)');
    this.#munmap = library.func('int munmap(uintptr_t, size_t)');
    this.#eventfd = library.func('int eventfd(uint32_t, int)');
    this.#read = library.func('intptr_t read(int, void*, size_t)');
    this.#close = library.func('int close(int)');
  }

  #result(value: number): number {
    return value >= 0 ? value : -this.#ffi.errno();
  }

  setup(entries: number, params: Uint32Array): number {
    const bytes = new Uint8Array(params.buffer, params.byteOffset, params.byteLength);
    return this.#result(this.#setup(SYS_IO_URING_SETUP, entries, bytes));
  }

  enter(ring: number, count: number, flags: number): number {
    const status = this.#enter(SYS_IO_URING_ENTER, ring, count, 0, flags, 0, 0);
    return status >= 0 ? status : -this.#ffi.errno();
  }

  register(ring: number, operation: number, argument: Uint8Array, count: number): number {
    return this.#result(this.#register(SYS_IO_URING_REGISTER, ring, operation, argument, count));
  }

  mapMemory(ring: number, bytes: number, offset: number): Mapping | number {
    const kind = ring < 0 ? MAP_PRIVATE_ANONYMOUS : MAP_SHARED | MAP_POPULATE;
    const address = this.#mmap(0, bytes, PROT_READ_WRITE, kind, ring, offset);
    // MAP_FAILED is -1 as an address, above every real one.
    if (address > Number.MAX_SAFE_INTEGER) return -this.#ffi.errno();
    return { address, memory: this.#ffi.view(address, bytes) };
  }

  unmapMemory(mapping: Mapping): void {
    this.#munmap(mapping.address, mapping.memory.byteLength);
  }

  eventfd(): number {
    return this.#result(this.#eventfd(0, EFD_NONBLOCK_CLOEXEC));
  }

  resetEventfd(fd: number): void {
    this.#read(fd, this.#count, 8);
  }

  addressOf(bytes: Uint8Array): number {
    return this.#ffi.addressOf(bytes);
  }

  close(fd: number): number {
    return this.#result(this.#close(fd));
  }

  watchOnLoop(fd: number, woken: () => void): LoopWatch {
    return this.#ffi.watchOnLoop(fd, woken);
  }
}
