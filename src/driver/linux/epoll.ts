// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// Linux epoll behind the completion-shaped seam: an operation is tried at once, or when the kernel
// says that it can go on. Every socket is registered once, edge-triggered for both directions, so a
// request costs one recv, one send and its share of an epoll_wait.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, type Driver, type DriverOptions, Op } from '../driver.ts';
import type { Watch } from './ffi.ts';
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
import { Sends } from './epoll-sends.ts';
import { addressFrom } from './sockaddr.ts';
import { linuxSyscalls, type Syscalls } from './syscalls.ts';

/** What is true of a socket; bits of #state. */
const ARMED = 1; // a receive is wanted
const READABLE = 2; // the kernel may have bytes, the end or an error for us
const SENDING = 4; // a send is in flight: parked, or its completion not yet polled
const PARKED = 8; // the send buffer was full
const UNSENT = 128; // the next poll() tries the send
const UNSENT_QUEUED = 256; // stands in #unsent; outlives the socket too
const QUEUED = 16; // stands in #ready; outlives the socket, so that no slot stands there twice
const CONNECTING = 32;
const ENDING = 64; // end, hang-up or error was announced: a short read may not be the last

const EVENTS_MAX = 128;

/** Null when this driver can run here, else one line that says why not. */
export function epollProblem(): string | null {
  const calls = linuxSyscalls();
  return typeof calls === 'string' ? calls : null;
}

export class EpollDriver extends LinuxDriver implements Driver {
  readonly name = 'epoll';
  readonly #watch: Watch;
  /** struct epoll_event for the kernel to fill. */
  readonly #events = new Int32Array((EVENTS_MAX * EPOLL_EVENT_BYTES) / 4);
  readonly #eventsAddress: number;
  readonly #state: Uint16Array;
  readonly #sends: Sends;
  /** Slots with a receive to try without waiting for the kernel to say so. */
  readonly #ready: Ring;
  /** Slots whose send is tried by the next poll(). */
  readonly #unsent: Ring;

  constructor(options: DriverOptions, calls: Syscalls | string = linuxSyscalls()) {
    if (typeof calls === 'string') throw new Error(`epoll cannot run here: ${calls}`);
    super(options, calls);
    const { slots } = options;
    this.#state = new Uint16Array(slots);
    this.#ready = new Ring(slots);
    this.#unsent = new Ring(slots);
    this.#sends = new Sends(calls, this.regions, slots);
    this.#eventsAddress = calls.addressOf(new Uint8Array(this.#events.buffer));
    this.#watch = calls.watch(this.epoll, () => this.rang());
  }

  adopt(fd: number, slot: number): void {
    assert(this.fds[slot] < 0, 'an adopting slot is free');
    assert(fd >= 0, 'a handle is a descriptor');
    this.fds[slot] = fd;
    this.#state[slot] &= QUEUED | UNSENT_QUEUED;
    const status = this.calls.epollControl(this.epoll, EPOLL_CTL_ADD, fd, EVENTS_WATCHED, slot);
    // Out of memory or of watches: no event will come, and a timeout ends the connection.
    if (status < 0) this.#state[slot] |= READABLE;
  }

  connect(address: Address, slot: number): void {
    const target = addressFrom(address);
    assert(target !== null, 'connect() gets a literal address');
    const fd = this.connectingSocket(target.family, STREAM_SOCKET, address);
    if (fd < 0) {
      this.finish(Op.Connect, slot, fd);
      return;
    }
    const status = this.calls.connect(fd, target.bytes, target.length);
    this.adopt(fd, slot);
    if (status === -ERRNO.EINPROGRESS) this.#state[slot] |= CONNECTING;
    else this.finish(Op.Connect, slot, status);
  }

  receive(slot: number): void {
    const state = this.#state[slot];
    assert(this.fds[slot] >= 0, 'a receiving slot is open');
    assert((state & ARMED) === 0, 'one receive in flight a socket');
    this.#state[slot] = state | ARMED;
    if ((state & READABLE) !== 0) this.#retryLater(slot);
  }

  #retryLater(slot: number): void {
    if ((this.#state[slot] & QUEUED) !== 0) return;
    this.#state[slot] |= QUEUED;
    this.#ready.push(slot);
    this.wakeUp();
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    assert(this.fds[slot] >= 0, 'a sending slot is open');
    assert((this.#state[slot] & SENDING) === 0, 'one send in flight a socket');
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
    this.#state[slot] &= ~(ARMED | PARKED | UNSENT | CONNECTING);
    this.cancelWatch(slot);
    if ((state & CONNECTING) !== 0) this.finish(Op.Connect, slot, -ERRNO.ECANCELED);
    if ((state & ARMED) !== 0) this.finish(Op.Receive, slot, -ERRNO.ECANCELED);
    if ((state & (PARKED | UNSENT)) !== 0) this.finish(Op.Send, slot, -ERRNO.ECANCELED);
  }

  /** Every event of a socket tells of it. */
  protected override prepareWatch(): void {}

  close(slot: number): void {
    assert((this.#state[slot] & (ARMED | SENDING)) === 0, 'nothing is in flight at close');
    // Closing takes the descriptor out of epoll.
    this.closeSlot(slot);
  }

  sleep(): boolean {
    assert(!this.asleep, 'only the awake fall asleep');
    if (this.queue.length + this.#unsent.length > 0 || this.listener.isLeaving) return false;
    if (this.#ready.length > 0 && this.slab.freeCount > 0) return false;
    if (this.#ready.length > 0) this.slab.whenFree = () => this.wakeUp();
    this.asleep = true;
    this.#watch.arm();
    return true;
  }

  poll(out: Completions): number {
    // A poll that nobody was woken for (a deadline) takes the wake back.
    this.asleep = false;
    let count = this.#drain(out, 0);
    // Each has a share of `out`: who is busy without end keeps nobody waiting.
    const shared = out.capacity - 2;
    count = this.#sendAll(out, count, shared >> 1);
    count = this.#retry(out, count, shared - (shared >> 2));
    // An event gives at most two completions.
    const eventsMax = Math.min((out.capacity - count) >> 1, EVENTS_MAX);
    if (eventsMax === 0) return count;
    const found = this.calls.epollWait(this.epoll, this.#eventsAddress, eventsMax);
    const events = this.#events;
    const stride = EPOLL_EVENT_BYTES >> 2;
    const tagOffset = EPOLL_DATA_OFFSET >> 2;
    let listening = false;
    for (let index = 0; index < found; index++) {
      const mask = events[index * stride];
      const slot = events[index * stride + tagOffset];
      if (slot === LISTENER_TAG) listening = true;
      else count = this.#event(out, count, slot, mask);
    }
    if (this.listener.isLeaving) return this.listener.takeLast(out, count);
    return listening ? this.listener.accept(out, count) : count;
  }

  #drain(out: Completions, from: number): number {
    const count = this.queue.drain(out, from);
    for (let index = from; index < count; index++) {
      if (out.op[index] === Op.Send) this.#state[out.slot[index]] &= ~SENDING;
    }
    return count;
  }

  /**
   * Sends of one turn go out together: the code of the server runs for all requests of a turn, then
   * the kernel's for all of their answers, and each finds its caches as it left them.
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

  /** Receives that were asked for while the kernel may have had bytes already. */
  #retry(out: Completions, from: number, max: number): number {
    let count = from;
    for (let left = this.#ready.length; left > 0 && count < max; left--) {
      const slot = this.#ready.shift();
      this.#state[slot] &= ~QUEUED;
      if ((this.#state[slot] & ARMED) !== 0) count = this.#receiveNow(out, count, slot);
    }
    return count;
  }

  #event(out: Completions, from: number, slot: number, mask: number): number {
    let count = from;
    if ((mask & EVENTS_ENDED) !== 0) this.#state[slot] |= ENDING;
    if ((mask & EVENTS_BROKEN) !== 0) this.broke(slot);
    const state = this.#state[slot];
    if ((state & CONNECTING) !== 0) return this.#connected(out, count, slot, mask);
    if ((mask & EVENTS_INPUT) !== 0) {
      this.#state[slot] |= READABLE;
      if ((state & ARMED) !== 0) count = this.#receiveNow(out, count, slot);
    }
    if ((state & PARKED) !== 0 && (mask & EVENTS_OUTPUT) !== 0)
      count = this.#sendNow(out, count, slot);
    return count;
  }

  #connected(out: Completions, count: number, slot: number, mask: number): number {
    if ((mask & EVENTS_OUTPUT) === 0) return count;
    this.#state[slot] &= ~CONNECTING;
    const status = this.calls.getsockopt(this.fds[slot], SOL_SOCKET, SO_ERROR);
    // Bytes may have come with the connection; their edge is this one.
    this.#state[slot] |= READABLE;
    return out.set(count, Op.Connect, slot, status > 0 ? -status : status, -1);
  }

  #receiveNow(out: Completions, count: number, slot: number): number {
    const slab = this.slab;
    const block = slab.acquire();
    if (block < 0) return this.#receiveWithoutBlock(out, count, slot);
    const address = this.regions.block(block);
    const result = this.calls.recv(this.fds[slot], address, slab.blockBytes, 0);
    if (result > 0) {
      // A short read took all there was, unless the end is known to stand behind it.
      const drained = result < slab.blockBytes && (this.#state[slot] & ENDING) === 0;
      this.#state[slot] &= drained ? ~(ARMED | READABLE) : ~ARMED;
      return out.set(count, Op.Receive, slot, result, block);
    }
    slab.release(block);
    // Nothing announces again what an interrupted call left there.
    if (result === -ERRNO.EINTR) this.#retryLater(slot);
    else if (result === -ERRNO.EAGAIN) this.#state[slot] &= ~READABLE;
    else return this.#ended(out, count, slot, result);
    return count;
  }

  #ended(out: Completions, count: number, slot: number, result: number): number {
    this.#state[slot] &= ~ARMED;
    return out.set(count, Op.Receive, slot, result, -1);
  }

  /** An end or an error needs no block; bytes wait until one comes back. */
  #receiveWithoutBlock(out: Completions, count: number, slot: number): number {
    const result = this.calls.recv(this.fds[slot], this.scratchAddress, 1, MSG_PEEK);
    if (result <= 0 && result !== -ERRNO.EAGAIN && result !== -ERRNO.EINTR) {
      return this.#ended(out, count, slot, result);
    }
    this.#state[slot] |= READABLE;
    this.#retryLater(slot);
    return count;
  }

  #sendNow(out: Completions, count: number, slot: number): number {
    const result = this.#sends.try(slot, this.fds[slot]);
    if (result === -ERRNO.EINTR) {
      this.#sendLater(slot);
      return count;
    }
    if (result === -ERRNO.EAGAIN) {
      this.#state[slot] = (this.#state[slot] & ~UNSENT) | PARKED;
      return count;
    }
    this.#state[slot] &= ~(PARKED | SENDING | UNSENT);
    return out.set(count, Op.Send, slot, result, -1);
  }

  destroy(): void {
    this.#watch.close();
    this.closeListeners();
  }
}
