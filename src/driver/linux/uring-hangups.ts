// Tells a ring driver which of its sockets broke, without a receive in flight. A ring's own poll
// would also complete when the peer ends its stream (the kernel adds POLLRDHUP to whatever is asked
// for), and again each time it is repeated. An epoll tells of errors and hang-ups alone, once.

import { EPOLL_CTL_ADD, EPOLL_DATA_OFFSET, EPOLL_EVENT_BYTES, EPOLLET } from './layout.ts';
import type { Syscalls } from './syscalls.ts';

/** Events taken with one call; those beyond follow with the next. */
const EVENTS_MAX = 32;

export class Hangups {
  readonly #calls: Syscalls;
  /** An epoll: readable while there is something to take. */
  readonly fd: number;
  readonly #events = new Int32Array((EVENTS_MAX * EPOLL_EVENT_BYTES) / 4);
  readonly #address: number;

  constructor(calls: Syscalls) {
    this.#calls = calls;
    this.fd = calls.epollCreate();
    if (this.fd < 0) throw new Error(`epoll_create1 failed with errno ${-this.fd}`);
    this.#address = calls.addressOf(new Uint8Array(this.#events.buffer));
  }

  /** Until the descriptor is closed. Without memory for it no event will come. */
  add(fd: number, slot: number): void {
    this.#calls.epollControl(this.fd, EPOLL_CTL_ADD, fd, EPOLLET, slot);
  }

  /** Tells the slots of those that are there. */
  take(tell: (slot: number) => void): void {
    const count = this.#calls.epollWait(this.fd, this.#address, EVENTS_MAX);
    for (let index = 0; index < count; index++) {
      tell(this.#events[(index * EPOLL_EVENT_BYTES + EPOLL_DATA_OFFSET) >> 2]);
    }
  }

  close(): void {
    this.#calls.close(this.fd);
  }
}
