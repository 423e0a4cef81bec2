// Reports to the uring driver which of its watched connections broke. The ring's own poll would
// also complete when the peer ends its stream (the kernel adds POLLRDHUP to the events), and again
// each time it is repeated. An epoll reports errors and hang-ups alone, and once.

import { callFault } from './call-fault.ts';
import { EPOLL_CTL_ADD, EPOLL_DATA_OFFSET, EPOLL_EVENT_BYTES, EPOLLET } from './layout.ts';
import type { Syscalls } from './syscalls.ts';

/** Events taken with one call; the others come with the next. */
const EVENTS_MAX = 32;

export class Hangups {
  readonly #calls: Syscalls;
  /** An epoll: readable while there are events to reap. */
  readonly fd: number;
  readonly #events = new Int32Array((EVENTS_MAX * EPOLL_EVENT_BYTES) / 4);
  readonly #address: number;

  constructor(calls: Syscalls) {
    this.#calls = calls;
    this.fd = calls.epollCreate();
    if (this.fd < 0) throw callFault('epoll_create1', -this.fd);
    this.#address = calls.addressOf(new Uint8Array(this.#events.buffer));
  }

  /** Registers a socket until it is closed. When the kernel has no memory, no event comes. */
  add(fd: number, slot: number): void {
    this.#calls.epollControl(this.fd, EPOLL_CTL_ADD, fd, EPOLLET, slot);
  }

  /** Calls `broken` for each slot that has an event. */
  reap(broken: (slot: number) => void): void {
    const count = this.#calls.epollWait(this.fd, this.#address, EVENTS_MAX);
    for (let index = 0; index < count; index++) {
      broken(this.#events[(index * EPOLL_EVENT_BYTES + EPOLL_DATA_OFFSET) >> 2]);
    }
  }

  close(): void {
    this.#calls.close(this.fd);
  }
}
