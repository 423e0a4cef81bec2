// The listening socket of a ring driver. The ring only says that clients wait; they are taken by
// plain calls, a bounded number a turn. An accept in the ring would take clients beyond what was
// asked for, and would have to be called back before the listener can close.

import { assert } from '../../base/assert.ts';
import { ACCEPTS_PER_TURN } from '../../base/limits.ts';
import { type Address, type Completions, ERRNO, Op } from '../driver.ts';
import { SOCK_CLOEXEC } from './layout.ts';
import { listenerPort, openListener, removeSocket } from './listener.ts';
import type { Syscalls } from './syscalls.ts';

const CLOSED = -1;

/** What the listener needs of its ring. */
export interface ListenerPolls {
  /** Asks for one announcement that clients wait at `fd`. */
  ask(fd: number): void;
  /** Calls it back; the announcement then comes as -ECANCELED, unless it was made before. */
  callBack(): void;
}

export class UringListener {
  readonly #calls: Syscalls;
  readonly #polls: ListenerPolls;
  #fd = CLOSED;
  #accepting = false;
  #asked = false;
  #closing = false;
  /** The file of a unix socket that was made here. */
  #path: string | null = null;

  constructor(calls: Syscalls, polls: ListenerPolls) {
    this.#calls = calls;
    this.#polls = polls;
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
    this.accepting(true);
    return listenerPort(this.#calls, fd);
  }

  accepting(on: boolean): void {
    assert(this.isOpen, 'a listener is there');
    this.#accepting = on;
    if (on && !this.#asked) this.#ask();
  }

  #ask(): void {
    this.#asked = true;
    this.#polls.ask(this.#fd);
  }

  /** True when it is closed at once; otherwise announced() will say so. */
  close(): boolean {
    this.#accepting = false;
    this.#closing = true;
    if (this.#asked) {
      this.#polls.callBack();
      return false;
    }
    this.#closeNow();
    return true;
  }

  #closeNow(): void {
    this.#calls.close(this.#fd);
    this.#fd = CLOSED;
    this.#closing = false;
    if (this.#path !== null) removeSocket(this.#path);
    this.#path = null;
  }

  /** What was asked for came: takes clients into `out` from `from` on; gives the new count. */
  announced(out: Completions, from: number): number {
    this.#asked = false;
    if (this.#closing) {
      this.#closeNow();
      return out.set(from, Op.Unlisten, -1, 0, -1);
    }
    if (!this.#accepting) return from;
    const count = this.#accept(out, from);
    this.#ask();
    return count;
  }

  #accept(out: Completions, from: number): number {
    let count = from;
    const max = Math.min(out.capacity, from + ACCEPTS_PER_TURN);
    while (count < max) {
      const handle = this.#calls.accept(this.#fd, SOCK_CLOEXEC);
      if (handle === -ERRNO.EAGAIN) break;
      if (handle === -ERRNO.ECONNABORTED || handle === -ERRNO.EINTR) continue;
      count = out.set(count, Op.Accept, -1, handle, -1);
      if (handle < 0) break;
    }
    return count;
  }
}
