// The listening socket of an epoll driver: level-triggered, so clients that were not taken in one
// turn are announced again in the next.

import { assert } from '../../base/assert.ts';
import { ACCEPTS_PER_TURN } from '../../base/limits.ts';
import { type Address, type Completions, ERRNO, Op } from '../driver.ts';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN } from './layout.ts';
import { listenerPort, openListener, removeSocket } from './listener.ts';
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
  /** Others have the listener too, and serve its clients when this process does not. */
  #isInherited = false;
  /** Clients that are still taken before the listener closes. */
  #lastClients = 0;
  isLeaving = false;

  /** `tag` comes back with the events of this listener. */
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
    this.accepting(true);
    return listenerPort(this.#calls, fd);
  }

  /** Nobody new comes in; takeLast() follows until it has closed. */
  leave(): void {
    this.accepting(false);
    if (this.#path !== null) removeSocket(this.#path);
    this.#path = null;
    this.isLeaving = true;
  }

  /** Takes those who wait in the kernel's queue, which closing would reset; then closes. */
  takeLast(out: Completions, from: number): number {
    let count = from;
    if (!this.#isInherited && this.#lastClients > 0) {
      count = this.accept(out, from);
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

  accepting(on: boolean): void {
    assert(this.isOpen, 'a listener is there');
    if (on === this.#accepting) return;
    this.#accepting = on;
    const operation = on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    this.#calls.epollControl(this.#epoll, operation, this.#fd, EPOLLIN, this.#tag);
  }

  /** Takes waiting clients into `out` from `from` on; gives the new count. */
  accept(out: Completions, from: number): number {
    let count = from;
    const max = Math.min(out.capacity, from + ACCEPTS_PER_TURN);
    while (count < max) {
      const handle = this.#calls.accept(this.#fd);
      if (handle === -ERRNO.EAGAIN) break;
      if (handle === -ERRNO.ECONNABORTED || handle === -ERRNO.EINTR) continue;
      count = out.set(count, Op.Accept, -1, handle, -1);
      if (handle < 0) break;
    }
    return count;
  }
}
