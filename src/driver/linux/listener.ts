// The listening socket of a Linux driver, and listening sockets of other processes from which it
// also accepts. They are registered in an epoll, level-triggered: clients that are not accepted in
// one turn are reported again.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { ACCEPTS_PER_TURN } from '../../base/fixed-limits.ts';
import { type Address, type Completions, Op } from '../driver.ts';
import { removeSocketFile, type SocketFile, socketFileAt } from '../socket-file.ts';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, SOCK_CLOEXEC, SOCK_NONBLOCK } from './layout.ts';
import { listenerPort, openListener } from './open-listener.ts';
import type { Syscalls } from './syscalls.ts';

const CLOSED = -1;

export class Listener {
  readonly #calls: Syscalls;
  readonly #epoll: number;
  readonly #tag: number;
  #fd = CLOSED;
  #accepting = false;
  /** The file of a unix socket that was made here. */
  #file: SocketFile | null = null;
  /** Listening descriptors that belong to others, see Driver.acceptAlso(). */
  readonly #otherFds: number[] = [];
  /** Other processes have the listener too, and accept its clients when this process does not. */
  #isInherited = false;
  /** How many clients acceptRest() may still accept before it closes the listener. */
  #restMax = 0;
  isAcceptingRest = false;

  /** The events of these descriptors have the tag `tag`. */
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
    this.#file = 'path' in address ? socketFileAt(address.path) : null;
    this.#isInherited = 'fd' in address;
    this.#restMax = backlog;
    const status = this.setAccepting(true);
    if (status === 0) return listenerPort(this.#calls, fd);
    if (this.#file !== null) removeSocketFile(this.#file);
    this.#calls.close(fd);
    this.#fd = CLOSED;
    return status;
  }

  /** acceptRest() has to be called afterwards until it has closed the listener. */
  startClose(last: boolean): void {
    if (last) this.#isInherited = false;
    this.setAccepting(false);
    this.#otherFds.length = 0;
    if (this.#file !== null) removeSocketFile(this.#file);
    this.#file = null;
    this.isAcceptingRest = true;
  }

  /** Accepts the clients in the kernel's queue, which closing would reset; then closes. */
  acceptRest(out: Completions, from: number): number {
    let count = from;
    if (!this.#isInherited && this.#restMax > 0) {
      count = this.#acceptFrom(this.#fd, out, from);
      this.#restMax -= count - from;
      const isMore = count > from && out.result[count - 1] >= 0;
      if (isMore || count === out.capacity) return count;
    }
    if (count === out.capacity) return count;
    this.isAcceptingRest = false;
    this.#calls.close(this.#fd);
    this.#fd = CLOSED;
    return out.set(count, Op.Unlisten, -1, 0, -1);
  }

  /** 0, or -errno when the epoll does not take the listener, which then accepts no clients. */
  setAccepting(on: boolean): number {
    assert(this.isOpen, 'a listener is open');
    if (on === this.#accepting) return 0;
    const status = this.#register(this.#fd, on);
    this.#accepting = on && status === 0;
    if (this.#accepting === on) for (const fd of this.#otherFds) this.#register(fd, on);
    return this.#accepting === on ? 0 : status;
  }

  /** Adds to the epoll, or removes: 0, or -errno. */
  #register(fd: number, on: boolean): number {
    const operation = on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    return this.#calls.epollControl(this.#epoll, operation, fd, EPOLLIN, this.#tag);
  }

  acceptAlso(fd: number, on: boolean): void {
    assert(this.isOpen, 'a listener is open');
    assert(fd !== this.#fd, 'the descriptor is not the own listener');
    const index = this.#otherFds.indexOf(fd);
    if (on === index >= 0) return;
    if (on) this.#otherFds.push(fd);
    else this.#otherFds.splice(index, 1);
    // Closing alone would not remove it from the epoll: other processes hold the same socket open.
    if (this.#accepting) this.#register(fd, on);
  }

  /** Accepts waiting clients into `out` from `from` on; returns the new count. */
  accept(out: Completions, from: number): number {
    // A ring may report an event from before setAccepting(false).
    if (!this.#accepting) return from;
    let count = this.#acceptFrom(this.#fd, out, from);
    for (const fd of this.#otherFds) count = this.#acceptFrom(fd, out, count);
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
