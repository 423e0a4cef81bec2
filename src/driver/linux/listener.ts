// The listening socket of a Linux driver, and those of others that it takes clients from as well.
// They stand in an epoll, level-triggered: clients not taken in one turn are announced again.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { ACCEPTS_PER_TURN } from '../../base/fixed-limits.ts';
import { type Address, type Completions, Op } from '../driver.ts';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, SOCK_CLOEXEC, SOCK_NONBLOCK } from './layout.ts';
import { listenerPort, openListener, removeSocket } from './open-listener.ts';
import type { Syscalls } from './syscalls.ts';

const CLOSED = -1;

export class EpollListener {
  readonly #calls: Syscalls;
  readonly #epoll: number;
  readonly #tag: number;
  #fd = CLOSED;
  #accepting = false;
  /** The file of a unix socket that was made here. */
  #path: string | null = null;
  /** Listening descriptors of others. */
  readonly #also: number[] = [];
  /** Others have the listener too, and serve its clients when this process does not. */
  #isInherited = false;
  /** Clients that are still taken before the listener closes. */
  #lastClients = 0;
  isLeaving = false;

  /** `tag` comes back with the events of these descriptors. */
  constructor(calls: Syscalls, epoll: number, tag: number) {
    this.#calls = calls;
    this.#epoll = epoll;
    this.#tag = tag;
  }

  get isOpen(): boolean {
    return this.#fd !== CLOSED;
  }

  /** The port, 0 for a unix socket, or -errno. */
  open(address: Address, backlog: number): number {
    assert(!this.isOpen, 'one listener a driver');
    const fd = openListener(this.#calls, address, backlog);
    if (fd < 0) return fd;
    this.#fd = fd;
    this.#path = 'path' in address ? address.path : null;
    this.#isInherited = 'fd' in address;
    this.#lastClients = backlog;
    const status = this.accepting(true);
    if (status === 0) return listenerPort(this.#calls, fd);
    if (this.#path !== null) removeSocket(this.#path);
    this.#calls.close(fd);
    this.#fd = CLOSED;
    return status;
  }

  /** Nobody new comes in; takeLast() follows until it has closed. */
  leave(last: boolean): void {
    if (last) this.#isInherited = false;
    this.accepting(false);
    this.#also.length = 0;
    if (this.#path !== null) removeSocket(this.#path);
    this.#path = null;
    this.isLeaving = true;
  }

  /** Takes those who wait in the kernel's queue, which closing would reset; then closes. */
  takeLast(out: Completions, from: number): number {
    let count = from;
    if (!this.#isInherited && this.#lastClients > 0) {
      count = this.#acceptFrom(this.#fd, out, from);
      this.#lastClients -= count - from;
      const isMore = count > from && out.result[count - 1] >= 0;
      if (isMore || count === out.capacity) return count;
    }
    if (count === out.capacity) return count;
    this.isLeaving = false;
    this.#calls.close(this.#fd);
    this.#fd = CLOSED;
    return out.set(count, Op.Unlisten, -1, 0, -1);
  }

  /** 0, or -errno when epoll does not take it: it accepts nobody then. */
  accepting(on: boolean): number {
    assert(this.isOpen, 'a listener is there');
    if (on === this.#accepting) return 0;
    const status = this.#watch(this.#fd, on);
    this.#accepting = on && status === 0;
    if (this.#accepting === on) for (const fd of this.#also) this.#watch(fd, on);
    return this.#accepting === on ? 0 : status;
  }

  /** 0, or -errno. */
  #watch(fd: number, on: boolean): number {
    const operation = on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    return this.#calls.epollControl(this.#epoll, operation, fd, EPOLLIN, this.#tag);
  }

  acceptAlso(fd: number, on: boolean): void {
    assert(this.isOpen, 'a listener is there');
    assert(fd !== this.#fd, 'the other descriptor is another one');
    const index = this.#also.indexOf(fd);
    if (on === index >= 0) return;
    if (on) this.#also.push(fd);
    else this.#also.splice(index, 1);
    // Closing would not end the watch: other processes hold the same socket open.
    if (this.#accepting) this.#watch(fd, on);
  }

  /** Takes waiting clients into `out` from `from` on; gives the new count. */
  accept(out: Completions, from: number): number {
    // A ring may announce what was true before accepting(false).
    if (!this.#accepting) return from;
    let count = this.#acceptFrom(this.#fd, out, from);
    for (const fd of this.#also) count = this.#acceptFrom(fd, out, count);
    return count;
  }

  #acceptFrom(fd: number, out: Completions, from: number): number {
    let count = from;
    const max = Math.min(out.capacity, from + ACCEPTS_PER_TURN);
    while (count < max) {
      const handle = this.#calls.accept(fd, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (handle === -ERRNO.EAGAIN) break;
      if (handle === -ERRNO.ECONNABORTED || handle === -ERRNO.EINTR) continue;
      count = out.set(count, Op.Accept, -1, handle, -1);
      if (handle < 0) break;
    }
    return count;
  }
}
