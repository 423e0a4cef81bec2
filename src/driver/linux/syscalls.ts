// Hot: runs for every turn. Measured by perf/micro/driver.ts.
// The system calls that the Linux drivers make, with the kernel's own convention for results: zero
// or more, or minus errno. Tests put a scripted kernel behind this interface.

import { assert } from '../../base/assert.ts';
import { type Ffi, ffi } from './ffi.ts';
import { CachedPages, type FileCalls, fileCalls } from './file-calls.ts';
import type { Foreign, LoopWatch } from './foreign.ts';
import {
  EPOLL_CLOEXEC,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  SIOCOUTQ,
  SO_LINGER,
  SOL_SOCKET,
} from './layout.ts';

export interface Syscalls {
  socket(family: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: number): number;
  /** SO_LINGER with zero seconds: the close that follows resets the connection. */
  lingerZero(fd: number): number;
  getsockopt(fd: number, level: number, option: number): number;
  bind(fd: number, address: Uint8Array, bytes: number): number;
  connect(fd: number, address: Uint8Array, bytes: number): number;
  listen(fd: number, backlog: number): number;
  /** Both fill `address` and return the bytes used. */
  getsockname(fd: number, address: Uint8Array): number;
  getpeername(fd: number, address: Uint8Array): number;
  /** A descriptor with `flags` (SOCK_NONBLOCK, SOCK_CLOEXEC). */
  accept(fd: number, flags: number): number;
  recv(fd: number, address: number, bytes: number, flags: number): number;
  send(fd: number, address: number, bytes: number, flags: number): number;
  /** False where the three calls below do not exist. */
  readonly sendsFiles: boolean;
  /** Sends bytes of an open file from `position` on; it waits for a disk. */
  sendfile(socket: number, file: number, position: number, bytes: number): number;
  /** Whether the byte at `position` can be read without waiting for a disk. */
  isCached(file: number, position: number): boolean;
  cachedPages(file: number, position: number, bytes: number): CachedPages;
  shutdown(fd: number, how: number): number;
  /** SIOCOUTQ: bytes that the peer has not acknowledged, or on a unix socket not read. */
  unacknowledged(fd: number): number;
  /** Which of EVENTS_BROKEN are set now. The socket keeps its error. */
  broken(fd: number): number;
  fcntl(fd: number, command: number, value: number): number;
  close(fd: number): number;
  epollCreate(): number;
  /** `events` and `tag` are the fields of struct epoll_event. */
  epollControl(epoll: number, operation: number, fd: number, events: number, tag: number): number;
  /** Never blocks. */
  epollWait(epoll: number, events: number, eventsMax: number): number;
  addressOf(bytes: Uint8Array): number;
  /** See Ffi. */
  watchOnLoop(fd: number, woken: () => void): LoopWatch;
}

/** The calls of this system, or the reason why they cannot be made, in one line. */
export function linuxSyscalls(): Syscalls | string {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  const library = ffi();
  return typeof library === 'string' ? library : new LinuxSyscalls(library);
}

class LinuxSyscalls implements Syscalls {
  readonly #ffi: Ffi;
  readonly #errno: () => number;
  readonly #functions: Readonly<Record<Name, Foreign>>;
  /** Small arguments passed by address. */
  readonly #words = new Int32Array(32);
  readonly #event = new Uint8Array(64);
  readonly #eventWords = new Int32Array(this.#event.buffer);

  readonly #recv: Foreign;
  readonly #send: Foreign;
  readonly #epollWait: Foreign;
  readonly #files: FileCalls | null;
  readonly sendsFiles: boolean;

  constructor(library: Ffi) {
    this.#ffi = library;
    this.#errno = library.errno;
    const functions = {} as Record<Name, Foreign>;
    for (const name of Object.keys(PROTOTYPES) as Name[]) {
      functions[name] = library.func(PROTOTYPES[name]);
    }
    this.#functions = functions;
    this.#recv = functions.recv;
    this.#send = functions.send;
    this.#epollWait = functions.epollWait;
    this.#files = fileCalls(library);
    this.sendsFiles = this.#files !== null;
  }

  #result(value: number): number {
    return value >= 0 ? value : -this.#errno();
  }

  socket(family: number, type: number, protocol: number): number {
    return this.#result(this.#functions.socket(family, type, protocol));
  }

  setsockopt(fd: number, level: number, option: number, value: number): number {
    this.#words[0] = value;
    return this.#result(this.#functions.setsockopt(fd, level, option, this.#words, 4));
  }

  lingerZero(fd: number): number {
    this.#words[0] = 1;
    this.#words[1] = 0;
    return this.#result(this.#functions.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.#words, 8));
  }

  getsockopt(fd: number, level: number, option: number): number {
    const length = this.#words.subarray(8, 9);
    length[0] = 4;
    const status = this.#functions.getsockopt(fd, level, option, this.#words, length);
    return status < 0 ? -this.#errno() : this.#words[0];
  }

  bind(fd: number, address: Uint8Array, bytes: number): number {
    return this.#result(this.#functions.bind(fd, address, bytes));
  }

  connect(fd: number, address: Uint8Array, bytes: number): number {
    return this.#result(this.#functions.connect(fd, address, bytes));
  }

  listen(fd: number, backlog: number): number {
    return this.#result(this.#functions.listen(fd, backlog));
  }

  getsockname(fd: number, address: Uint8Array): number {
    return this.#name(this.#functions.getsockname, fd, address);
  }

  getpeername(fd: number, address: Uint8Array): number {
    return this.#name(this.#functions.getpeername, fd, address);
  }

  #name(call: Foreign, fd: number, address: Uint8Array): number {
    const length = this.#words.subarray(0, 1);
    length[0] = address.length;
    const status = call(fd, address, length);
    return status < 0 ? -this.#errno() : length[0];
  }

  accept(fd: number, flags: number): number {
    return this.#result(this.#functions.accept4(fd, 0, 0, flags));
  }

  recv(fd: number, address: number, bytes: number, flags: number): number {
    const count = this.#recv(fd, address, bytes, flags);
    return count >= 0 ? count : -this.#errno();
  }

  send(fd: number, address: number, bytes: number, flags: number): number {
    const count = this.#send(fd, address, bytes, flags);
    return count >= 0 ? count : -this.#errno();
  }

  sendfile(socket: number, file: number, position: number, bytes: number): number {
    const count = this.#files?.sendfile(socket, file, position, bytes) ?? -1;
    return count >= 0 ? count : -this.#errno();
  }

  isCached(file: number, position: number): boolean {
    return this.#files?.isCached(file, position) ?? false;
  }

  cachedPages(file: number, position: number, bytes: number): CachedPages {
    return this.#files?.cachedPages(file, position, bytes) ?? CachedPages.Unknown;
  }

  shutdown(fd: number, how: number): number {
    return this.#result(this.#functions.shutdown(fd, how));
  }

  unacknowledged(fd: number): number {
    const status = this.#functions.ioctl(fd, SIOCOUTQ, this.#words);
    return status < 0 ? -this.#errno() : this.#words[0];
  }

  broken(fd: number): number {
    // struct pollfd: the descriptor; events and, in the upper half, the result revents.
    this.#words[0] = fd;
    this.#words[1] = 0;
    const count = this.#functions.poll(this.#words, 1, 0);
    return count < 0 ? -this.#errno() : this.#words[1] >>> 16;
  }

  fcntl(fd: number, command: number, value: number): number {
    return this.#result(this.#functions.fcntl(fd, command, value));
  }

  close(fd: number): number {
    return this.#result(this.#functions.close(fd));
  }

  epollCreate(): number {
    return this.#result(this.#functions.epollCreate(EPOLL_CLOEXEC));
  }

  epollControl(epoll: number, operation: number, fd: number, events: number, tag: number): number {
    assert(EPOLL_EVENT_BYTES <= this.#event.length, 'the event fits');
    this.#eventWords[0] = events;
    this.#eventWords[EPOLL_DATA_OFFSET >> 2] = tag;
    return this.#result(this.#functions.epollControl(epoll, operation, fd, this.#event));
  }

  epollWait(epoll: number, events: number, eventsMax: number): number {
    const count = this.#epollWait(epoll, events, eventsMax, 0);
    return count >= 0 ? count : -this.#errno();
  }

  addressOf(bytes: Uint8Array): number {
    return this.#ffi.addressOf(bytes);
  }

  watchOnLoop(fd: number, woken: () => void): LoopWatch {
    return this.#ffi.watchOnLoop(fd, woken);
  }
}

const PROTOTYPES = {
  socket: 'int socket(int, int, int)',
  setsockopt: 'int setsockopt(int, int, int, void*, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, void*, void*)',
  bind: 'int bind(int, void*, uint32_t)',
  connect: 'int connect(int, void*, uint32_t)',
  listen: 'int listen(int, int)',
  getsockname: 'int getsockname(int, void*, void*)',
  getpeername: 'int getpeername(int, void*, void*)',
  accept4: 'int accept4(int, uintptr_t, uintptr_t, int)',
  recv: 'intptr_t recv(int, uintptr_t, size_t, int)',
  send: 'intptr_t send(int, uintptr_t, size_t, int)',
  shutdown: 'int shutdown(int, int)',
  ioctl: 'int ioctl(int, unsigned long, void*)',
  poll: 'int poll(void*, unsigned long, int)',
  fcntl: 'int fcntl(int, int, long)',
  close: 'int close(int)',
  epollCreate: 'int epoll_create1(int)',
  epollControl: 'int epoll_ctl(int, int, int, void*)',
  epollWait: 'int epoll_wait(int, uintptr_t, int, int)',
} as const;
type Name = keyof typeof PROTOTYPES;
