// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// The driver on Linux epoll: an operation is tried at once, or when the kernel reports readiness.
// Every socket is registered once, edge-triggered for both directions, so a request costs one recv,
// one send and its share of an epoll_wait.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, type Driver, type DriverOptions, Op } from '../driver.ts';
import { Sends } from './epoll-sends.ts';
import type { LoopWatch } from './foreign.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  EVENTS_BROKEN,
  EVENTS_ENDED,
  EVENTS_INPUT,
  EVENTS_OUTPUT,
  EVENTS_WATCHED,
  MSG_PEEK,
  SO_ERROR,
  SOL_SOCKET,
  STREAM_SOCKET,
} from './layout.ts';
import { LISTENER_TAG, LinuxDriver } from './linux-driver.ts';
import { addressFrom } from './sockaddr.ts';
import { linuxSyscalls, type Syscalls } from './syscalls.ts';

/** The state of a socket; bits of #state. */
const RECEIVING = 1; // a receive is in flight
const READABLE = 2; // the kernel may have bytes, the end of the stream or an error
const SENDING = 4; // a send is in flight: unsent, blocked, or its completion not yet polled
const SEND_BLOCKED = 8; // the send buffer was full
const RETRY_QUEUED = 16; // is in #retries; outlives the socket, so that no slot is there twice
const CONNECTING = 32;
const END_REPORTED = 64; // an event reported the end or an error: a short read may not be the last
const UNSENT = 128; // the next poll() tries the send
const UNSENT_QUEUED = 256; // is in #unsent; outlives the socket too

const EVENTS_MAX = 128;

/** Null when this driver can run here, else the reason why not, in one line. */
export function epollProblem(): string | null {
  const calls = linuxSyscalls();
  return typeof calls === 'string' ? calls : null;
}

export class EpollDriver extends LinuxDriver implements Driver {
  readonly name = 'epoll';
  readonly #loopWatch: LoopWatch;
  /** struct epoll_event for the kernel to fill. */
  readonly #events = new Int32Array((EVENTS_MAX * EPOLL_EVENT_BYTES) / 4);
  readonly #eventsAddress: number;
  readonly #state: Uint16Array;
  readonly #sends: Sends;
  /**
   * Slots whose receive the next poll() tries without an event: readable, or starved of a block.
   */
  readonly #retries: Ring;
  /** The first so many of #retries were not all tried: an end or an error needs no block. */
  #untried = 0;
  /** Slots whose send the next poll() tries. */
  readonly #unsent: Ring;

  constructor(options: DriverOptions, calls: Syscalls | string = linuxSyscalls()) {
    if (typeof calls === 'string') throw new Error(calls);
    super(options, calls);
    const { slots } = options;
    this.#state = new Uint16Array(slots);
    this.#retries = new Ring(slots);
    this.#unsent = new Ring(slots);
    this.#sends = new Sends(calls, this.regions, this.files, slots);
    this.#eventsAddress = calls.addressOf(new Uint8Array(this.#events.buffer));
    try {
      this.#loopWatch = calls.watchOnLoop(this.epoll, () => this.notified());
    } catch (error) {
      this.closeEpoll();
      throw error;
    }
  }

  adopt(fd: number, slot: number): void {
    assert(this.fds[slot] < 0, 'an adopting slot is free');
    assert(fd >= 0, 'a handle is a descriptor');
    this.fds[slot] = fd;
    this.#state[slot] &= RETRY_QUEUED | UNSENT_QUEUED;
    const status = this.calls.epollControl(this.epoll, EPOLL_CTL_ADD, fd, EVENTS_WATCHED, slot);
    // Out of memory or of watches: no event will come, and a timeout closes the connection.
    if (status < 0) this.#state[slot] |= READABLE;
  }

  connect(address: Address, slot: number): void {
    const target = addressFrom(address);
    assert(target !== null, 'connect() needs a literal address');
    const fd = this.connectingSocket(target.family, STREAM_SOCKET, address);
    if (fd < 0) {
      this.complete(Op.Connect, slot, fd);
      return;
    }
    const status = this.calls.connect(fd, target.bytes, target.length);
    this.adopt(fd, slot);
    if (status === -ERRNO.EINPROGRESS) this.#state[slot] |= CONNECTING;
    else this.complete(Op.Connect, slot, status);
  }

  receive(slot: number): void {
    const state = this.#state[slot];
    assert(this.fds[slot] >= 0, 'a receiving slot is open');
    assert((state & RECEIVING) === 0, 'one receive in flight per socket');
    this.#state[slot] = state | RECEIVING;
    if ((state & READABLE) !== 0) this.#retryReceive(slot);
  }

  #retryReceive(slot: number): void {
    this.#queueRetry(slot);
    this.#untried = this.#retries.length;
    this.wakeUp();
  }

  #queueRetry(slot: number): void {
    if ((this.#state[slot] & RETRY_QUEUED) !== 0) return;
    this.#state[slot] |= RETRY_QUEUED;
    this.#retries.push(slot);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    assert(this.fds[slot] >= 0, 'a sending slot is open');
    assert((this.#state[slot] & SENDING) === 0, 'one send in flight per socket');
    assert(end > start, 'a send has bytes');
    this.#state[slot] |= SENDING;
    this.#sends.set(slot, region, start, end, more);
    this.#sendLater(slot);
  }

  #sendLater(slot: number): void {
    if ((this.#state[slot] & UNSENT_QUEUED) === 0) this.#unsent.push(slot);
    this.#state[slot] |= UNSENT | UNSENT_QUEUED;
    this.wakeUp();
  }

  abort(slot: number, reset: boolean): void {
    const fd = this.fds[slot];
    if (fd < 0) return;
    const state = this.#state[slot];
    if (reset) this.calls.lingerZero(fd);
    this.#state[slot] &= ~(RECEIVING | SEND_BLOCKED | UNSENT | CONNECTING);
    this.cancelWatch(slot);
    if ((state & CONNECTING) !== 0) this.complete(Op.Connect, slot, -ERRNO.ECANCELED);
    if ((state & RECEIVING) !== 0) this.complete(Op.Receive, slot, -ERRNO.ECANCELED);
    if ((state & (SEND_BLOCKED | UNSENT)) !== 0) this.complete(Op.Send, slot, -ERRNO.ECANCELED);
  }

  /** Every socket is registered already. */
  protected override prepareWatch(): void {}

  close(slot: number): void {
    assert((this.#state[slot] & (RECEIVING | SENDING)) === 0, 'nothing is in flight at close');
    // Closing removes the descriptor from the epoll.
    this.closeSlot(slot);
  }

  sleep(): boolean {
    assert(!this.asleep, 'a driver that sleeps does not sleep again');
    if (this.queue.length + this.#unsent.length > 0 || this.listener.isAcceptingRest) return false;
    const canRetry = this.slab.freeCount > 0 || this.#untried > 0;
    if (this.#retries.length > 0 && canRetry) return false;
    if (this.#retries.length > 0) this.slab.whenFree = () => this.wakeUp();
    this.asleep = true;
    this.#loopWatch.arm();
    return true;
  }

  poll(out: Completions): number {
    // For a poll() without a wake(), because of a deadline.
    this.asleep = false;
    let count = this.#moveQueued(out, 0);
    // Each step has a share of `out`, so that a busy one does not delay the others.
    const shared = out.capacity - 2;
    count = this.#sendAll(out, count, shared >> 1);
    count = this.#retryReceives(out, count, shared - (shared >> 2));
    // An event makes at most two completions.
    const eventsMax = Math.min((out.capacity - count) >> 1, EVENTS_MAX);
    if (eventsMax === 0) return count;
    const found = this.calls.epollWait(this.epoll, this.#eventsAddress, eventsMax);
    const events = this.#events;
    const stride = EPOLL_EVENT_BYTES >> 2;
    const tagOffset = EPOLL_DATA_OFFSET >> 2;
    let clientsWait = false;
    for (let index = 0; index < found; index++) {
      const mask = events[index * stride];
      const slot = events[index * stride + tagOffset];
      if (slot === LISTENER_TAG) clientsWait = true;
      else count = this.#event(out, count, slot, mask);
    }
    if (this.listener.isAcceptingRest) return this.listener.acceptRest(out, count);
    return clientsWait ? this.listener.accept(out, count) : count;
  }

  #moveQueued(out: Completions, from: number): number {
    const count = this.queue.moveTo(out, from);
    for (let index = from; index < count; index++) {
      if (out.op[index] === Op.Send) this.#state[out.slot[index]] &= ~SENDING;
    }
    return count;
  }

  /**
   * Sends of one turn go out together: first the server's code runs for all requests of the turn,
   * then the kernel's for all of their responses, each with warm caches.
   */
  #sendAll(out: Completions, from: number, max: number): number {
    let count = from;
    for (let left = this.#unsent.length; left > 0 && count < max; left--) {
      const slot = this.#unsent.shift();
      this.#state[slot] &= ~UNSENT_QUEUED;
      if ((this.#state[slot] & UNSENT) !== 0) count = this.#sendNow(out, count, slot);
    }
    return count;
  }

  /** Tries receives whose bytes the kernel reported before, and starved ones. */
  #retryReceives(out: Completions, from: number, max: number): number {
    let count = from;
    for (let left = this.#retries.length; left > 0 && count < max; left--) {
      const slot = this.#retries.shift();
      if (this.#untried > 0) this.#untried -= 1;
      this.#state[slot] &= ~RETRY_QUEUED;
      if ((this.#state[slot] & RECEIVING) !== 0) count = this.#receiveNow(out, count, slot);
    }
    return count;
  }

  #event(out: Completions, from: number, slot: number, mask: number): number {
    let count = from;
    if ((mask & EVENTS_ENDED) !== 0) this.#state[slot] |= END_REPORTED;
    if ((mask & EVENTS_BROKEN) !== 0) this.broken(slot);
    const state = this.#state[slot];
    if ((state & CONNECTING) !== 0) return this.#connected(out, count, slot, mask);
    if ((mask & EVENTS_INPUT) !== 0) {
      this.#state[slot] |= READABLE;
      if ((state & RECEIVING) !== 0) count = this.#receiveNow(out, count, slot);
    }
    if ((state & SEND_BLOCKED) !== 0 && (mask & EVENTS_OUTPUT) !== 0)
      count = this.#sendNow(out, count, slot);
    return count;
  }

  #connected(out: Completions, count: number, slot: number, mask: number): number {
    if ((mask & EVENTS_OUTPUT) === 0) return count;
    this.#state[slot] &= ~CONNECTING;
    const status = this.calls.getsockopt(this.fds[slot], SOL_SOCKET, SO_ERROR);
    // Bytes may have come with the connection; this is their event, too.
    this.#state[slot] |= READABLE;
    return out.set(count, Op.Connect, slot, status > 0 ? -status : status, -1);
  }

  #receiveNow(out: Completions, count: number, slot: number): number {
    const slab = this.slab;
    const block = slab.acquire();
    if (block < 0) return this.#receiveStarved(out, count, slot);
    const address = this.regions.block(block);
    const result = this.calls.recv(this.fds[slot], address, slab.blockBytes, 0);
    if (result > 0) {
      // A short read took all bytes, unless the end of the stream or an error follows.
      const drained = result < slab.blockBytes && (this.#state[slot] & END_REPORTED) === 0;
      this.#state[slot] &= drained ? ~(RECEIVING | READABLE) : ~RECEIVING;
      return out.set(count, Op.Receive, slot, result, block);
    }
    slab.release(block);
    // No event reports again what an interrupted call did not read.
    if (result === -ERRNO.EINTR) this.#retryReceive(slot);
    else if (result === -ERRNO.EAGAIN) this.#state[slot] &= ~READABLE;
    else return this.#receiveEnded(out, count, slot, result);
    return count;
  }

  #receiveEnded(out: Completions, count: number, slot: number, result: number): number {
    this.#state[slot] &= ~RECEIVING;
    return out.set(count, Op.Receive, slot, result, -1);
  }

  /** No block is free: an end or an error needs none, bytes wait for one. */
  #receiveStarved(out: Completions, count: number, slot: number): number {
    const result = this.calls.recv(this.fds[slot], this.scratchAddress, 1, MSG_PEEK);
    if (result <= 0 && result !== -ERRNO.EAGAIN && result !== -ERRNO.EINTR) {
      return this.#receiveEnded(out, count, slot, result);
    }
    this.#state[slot] |= READABLE;
    if (result === -ERRNO.EINTR) this.#retryReceive(slot);
    else this.#queueRetry(slot);
    return count;
  }

  #sendNow(out: Completions, count: number, slot: number): number {
    const result = this.#sends.try(slot, this.fds[slot]);
    if (result === -ERRNO.EINTR) {
      this.#sendLater(slot);
      return count;
    }
    if (result === -ERRNO.EAGAIN) {
      this.#state[slot] = (this.#state[slot] & ~UNSENT) | SEND_BLOCKED;
      return count;
    }
    this.#state[slot] &= ~(SEND_BLOCKED | SENDING | UNSENT);
    return out.set(count, Op.Send, slot, result, -1);
  }

  destroy(): void {
    this.#loopWatch.close();
    this.closeEpoll();
  }
}
