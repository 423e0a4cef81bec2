// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// The driver on Linux io_uring: the operations of a turn are written into memory that the kernel
// reads, one call submits all of them, and the results of those that have completed are in memory.
// Operations stay in flight between turns, so a request costs no system call of its own.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, type Driver, type DriverOptions, Op } from '../driver.ts';
import type { LoopWatch } from './foreign.ts';
import { MSG_DONTWAIT, MSG_PEEK, SEND_BYTES_MAX, SOCK_CLOEXEC, SOCK_STREAM } from './layout.ts';
import { LinuxDriver } from './linux-driver.ts';
import { addressFrom } from './sockaddr.ts';
import { linuxSyscalls, type Syscalls } from './syscalls.ts';
import type { ProvidedBuffers } from './uring-buffers.ts';
import { linuxUringCalls, type UringCalls } from './uring-calls.ts';
import { GENERATION_MASK, KIND_SHIFT, Kind, SLOT_MASK, UringEntries } from './uring-entries.ts';
import { UringFiles } from './uring-files.ts';
import type { Hangups } from './uring-hangups.ts';
import { type IoUring, type RingSizes, ringSizesFor } from './uring-instance.ts';
import {
  CQE_BUFFER_SHIFT,
  CQE_F_BUFFER,
  CQE_F_SOCK_NONEMPTY,
  POLLIN,
  POLLRDHUP,
} from './uring-layout.ts';
import { openUring } from './uring-resources.ts';

/** What is in flight on a socket; bits of #state. */
const RECEIVING = 1; // its completion was not yet polled
const SENDING = 2;
const CONNECTING = 4;
const STARVED = 8; // the receive waits for a free block, in #starved
const QUEUED = 16; // is in #starved; outlives the socket, so that no slot is there twice
const MORE_BYTES = 32; // the kernel has more bytes: the next receive tries before it waits
const ABORTED = 64; // an operation that comes back unfinished is not tried again
const POLLING = 128; // the receive waits for readiness, without a buffer

/**
 * Listeners are registered in an epoll that the ring polls: the ring's own accept takes more
 * clients than are wanted, and has to be cancelled before a listener can close.
 */
export class UringDriver extends LinuxDriver implements Driver {
  readonly name = 'uring';
  readonly #ring: IoUring;
  readonly #entries: UringEntries;
  readonly #files: UringFiles;
  readonly #buffers: ProvidedBuffers;
  readonly #loopWatch: LoopWatch;
  readonly #hangups: Hangups;
  /** The addresses of connect(); the kernel reads them when the entry is submitted. */
  readonly #targets = new Map<number, Uint8Array>();
  readonly #state: Uint8Array;
  /** Counts the sockets of a slot, so that no completion is taken for one of another socket. */
  readonly #generation: Int32Array;
  /** Slots whose receive waits for a free block. */
  readonly #starved: Ring;
  /** The first so many of #starved were not all peeked for an end or an error. */
  #unpeeked = 0;
  /** The ring polls the epoll of listeners, from the first listen() on; that of hang-ups. */
  #pollsListeners = false;
  #pollsHangups = false;

  constructor(
    options: DriverOptions,
    calls: Syscalls | string = linuxSyscalls(),
    uringCalls: UringCalls | string = linuxUringCalls(),
    sizes: RingSizes = ringSizesFor(options.slots),
  ) {
    if (typeof calls === 'string') throw new Error(calls);
    if (typeof uringCalls === 'string') throw new Error(uringCalls);
    super(options, calls);
    const { slab, slots } = options;
    assert(slots <= SLOT_MASK, 'a slot fits in a tag');
    this.#state = new Uint8Array(slots);
    this.#generation = new Int32Array(slots);
    this.#starved = new Ring(slots);
    const undo = () => this.closeEpoll();
    const opened = openUring(calls, uringCalls, slab, sizes, () => this.notified(), undo);
    ({ hangups: this.#hangups, ring: this.#ring } = opened);
    ({ buffers: this.#buffers, loopWatch: this.#loopWatch } = opened);
    this.#entries = new UringEntries(this.#ring);
    this.#files = new UringFiles(this.files, this.#entries, this.fds, this.#generation);
  }

  override listen(address: Address): void {
    super.listen(address);
    if (this.#pollsListeners) return;
    this.#pollsListeners = true;
    this.#pollListeners();
  }

  /** One completion when clients wait. */
  #pollListeners(): void {
    this.#entries.poll(Kind.Listener, 0, 0, this.epoll, POLLIN);
    this.wakeUp();
  }

  adopt(fd: number, slot: number): void {
    assert(this.fds[slot] < 0, 'an adopting slot is free');
    assert(fd >= 0, 'a handle is a descriptor');
    this.fds[slot] = fd;
    this.#state[slot] &= QUEUED;
    this.#generation[slot] = (this.#generation[slot] + 1) & GENERATION_MASK;
  }

  connect(address: Address, slot: number): void {
    const target = addressFrom(address);
    assert(target !== null, 'connect() needs a literal address');
    const fd = this.connectingSocket(target.family, SOCK_STREAM | SOCK_CLOEXEC, address);
    if (fd < 0) {
      this.complete(Op.Connect, slot, fd);
      return;
    }
    this.adopt(fd, slot);
    this.#state[slot] |= CONNECTING;
    this.#targets.set(slot, target.bytes);
    const targetAddress = this.calls.addressOf(target.bytes);
    this.#entries.connect(slot, this.#generation[slot], fd, targetAddress, target.length);
    this.wakeUp();
  }

  receive(slot: number): void {
    assert(this.fds[slot] >= 0, 'a receiving slot is open');
    assert((this.#state[slot] & RECEIVING) === 0, 'one receive in flight per socket');
    this.#state[slot] |= RECEIVING;
    // Blocks go to the starved receives in their order.
    if (this.#starved.length > 0) this.#starveUnpeeked(slot);
    else this.#submitReceive(slot);
    this.wakeUp();
  }

  #submitReceive(slot: number): void {
    const later = (this.#state[slot] & MORE_BYTES) === 0;
    this.#entries.receive(slot, this.#generation[slot], this.fds[slot], later);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    assert(this.fds[slot] >= 0, 'a sending slot is open');
    assert((this.#state[slot] & SENDING) === 0, 'one send in flight per socket');
    assert(end > start, 'a send has bytes');
    this.#state[slot] |= SENDING;
    if (region < 0) {
      this.#files.send(slot, region, start, end);
    } else {
      const address = this.regions.base(region) + start;
      const bytes = Math.min(end - start, SEND_BYTES_MAX);
      this.#entries.send(slot, this.#generation[slot], this.fds[slot], address, bytes, more);
    }
    this.wakeUp();
  }

  abort(slot: number, reset: boolean): void {
    const fd = this.fds[slot];
    if (fd < 0) return;
    if (reset) this.calls.lingerZero(fd);
    this.cancelWatch(slot);
    const state = this.#state[slot];
    this.#state[slot] = (state | ABORTED) & ~STARVED;
    if ((state & STARVED) !== 0) this.complete(Op.Receive, slot, -ERRNO.ECANCELED);
    const receive = (state & POLLING) === 0 ? Kind.Receive : Kind.Poll;
    const isReceiving = (state & (RECEIVING | STARVED)) === RECEIVING;
    if (isReceiving) this.#cancel(receive, slot);
    if (this.#files.abort(slot)) this.complete(Op.Send, slot, -ERRNO.ECANCELED);
    else if (this.#files.isWaiting(slot)) this.#cancel(Kind.Room, slot);
    else if ((state & SENDING) !== 0) this.#cancel(Kind.Send, slot);
    if ((state & CONNECTING) !== 0) this.#cancel(Kind.Connect, slot);
  }

  #cancel(kind: number, slot: number): void {
    this.#entries.cancel(kind, slot, this.#generation[slot]);
    this.wakeUp();
  }

  protected override prepareWatch(fd: number, slot: number): void {
    this.#hangups.add(fd, slot);
    if (!this.#pollsHangups) this.#pollHangups();
  }

  #pollHangups(): void {
    this.#pollsHangups = true;
    this.#entries.poll(Kind.Hangup, 0, 0, this.#hangups.fd, POLLIN);
    this.wakeUp();
  }

  close(slot: number): void {
    assert((this.#state[slot] & (RECEIVING | SENDING)) === 0, 'nothing is in flight at close');
    this.closeSlot(slot);
  }

  protected override notified(): void {
    this.#ring.clearNotification();
    if (!this.asleep) return;
    if (this.#ring.isDue()) super.notified();
    else this.#loopWatch.arm();
  }

  protected override endSleep(): void {
    super.endSleep();
    this.#ring.disableNotification();
  }

  sleep(): boolean {
    assert(!this.asleep, 'a driver that sleeps does not sleep again');
    const ring = this.#ring;
    if (this.queue.length + ring.pending > 0 || ring.head !== ring.tail) return false;
    if (this.listener.isAcceptingRest || this.#files.isDue) return false;
    if (this.#starved.length > 0) {
      if (this.slab.freeCount + this.#buffers.count + this.#unpeeked > 0) return false;
      this.slab.whenFree = () => this.wakeUp();
    }
    // Enabled before the check: a completion that comes between the two is not missed.
    ring.enableNotification();
    if (ring.isDue()) {
      ring.disableNotification();
      return false;
    }
    this.asleep = true;
    this.#loopWatch.arm();
    return true;
  }

  poll(out: Completions): number {
    // For a poll() without a wake(), because of a deadline.
    if (this.asleep) this.endSleep();
    let count = this.queue.moveTo(out, 0);
    if (this.#files.isDue) count = this.#files.sendAll(out, count);
    this.#ended(out, 0, count);
    this.#buffers.refill();
    if (this.#starved.length > 0) count = this.#retryStarved(out, count);
    this.#ring.enter(out.capacity - count);
    count = this.#reap(out, count);
    return this.listener.isAcceptingRest ? this.listener.acceptRest(out, count) : count;
  }

  /** Of completions that do not come from the ring, nothing is in flight any more. */
  #ended(out: Completions, from: number, count: number): number {
    for (let index = from; index < count; index++) {
      const op = out.op[index];
      if (op === Op.Receive) this.#state[out.slot[index]] &= ~RECEIVING;
      else if (op === Op.Send) this.#state[out.slot[index]] &= ~SENDING;
    }
    return count;
  }

  #reap(out: Completions, from: number): number {
    const ring = this.#ring;
    const words = ring.words;
    const { tail } = ring;
    let count = from;
    let head = ring.head;
    while (head !== tail && count < out.capacity) {
      const at = ring.wordOf(head);
      head = (head + 1) | 0;
      const tag = words[at];
      const result = words[at + 2];
      const slot = tag & SLOT_MASK;
      switch (tag >>> KIND_SHIFT) {
        case Kind.Receive:
          count = this.#received(out, count, slot, words[at + 1], result, words[at + 3]);
          break;
        case Kind.Send:
          if (words[at + 1] !== this.#generation[slot]) break;
          this.#state[slot] &= ~SENDING;
          count = out.set(count, Op.Send, slot, result, -1);
          break;
        case Kind.Listener:
          count = this.listener.accept(out, count);
          this.#pollListeners();
          break;
        default:
          count = this.#reapRare(out, count, tag, words[at + 1], result);
      }
    }
    ring.seen(head);
    return count;
  }

  #received(
    out: Completions,
    count: number,
    slot: number,
    generation: number,
    result: number,
    flags: number,
  ): number {
    const block =
      (flags & CQE_F_BUFFER) === 0 ? -1 : this.#buffers.take(flags >>> CQE_BUFFER_SHIFT);
    if (generation !== this.#generation[slot]) {
      if (block >= 0) this.slab.release(block);
      return count;
    }
    const state = this.#state[slot];
    if (result > 0) {
      const isMore = (flags & CQE_F_SOCK_NONEMPTY) !== 0;
      this.#state[slot] = (state & ~(RECEIVING | MORE_BYTES)) | (isMore ? MORE_BYTES : 0);
      return out.set(count, Op.Receive, slot, result, block);
    }
    if (block >= 0) this.slab.release(block);
    // ENOBUFS: the kernel had fewer buffers than sockets with bytes. The others are not expected.
    const again = result === -ERRNO.ENOBUFS || result === -ERRNO.EINTR || result === -ERRNO.EAGAIN;
    if (again && (state & ABORTED) === 0) {
      this.#starveUnpeeked(slot);
      return count;
    }
    this.#state[slot] = state & ~RECEIVING;
    return out.set(count, Op.Receive, slot, again ? -ERRNO.ECANCELED : result, -1);
  }

  #reapRare(
    out: Completions,
    count: number,
    tag: number,
    generation: number,
    result: number,
  ): number {
    const slot = tag & SLOT_MASK;
    const kind = tag >>> KIND_SHIFT;
    if (kind === Kind.Hangup) {
      this.#hangups.reap((hungUp) => this.broken(hungUp));
      this.#pollHangups();
      return count;
    }
    if (kind === Kind.Cancel || generation !== this.#generation[slot]) return count;
    if (kind === Kind.Connect) {
      this.#state[slot] &= ~CONNECTING;
      this.#targets.delete(slot);
      return out.set(count, Op.Connect, slot, result, -1);
    }
    if (kind === Kind.Room) {
      const isAborted = result < 0 || (this.#state[slot] & ABORTED) !== 0;
      return this.#ended(out, count, this.#files.hasRoom(out, count, slot, isAborted));
    }
    assert(kind === Kind.Poll, 'a completion belongs to an operation of the driver');
    this.#state[slot] &= ~POLLING;
    if (result >= 0 && (this.#state[slot] & ABORTED) === 0) return this.#peek(out, count, slot);
    this.#state[slot] &= ~RECEIVING;
    return out.set(count, Op.Receive, slot, -ERRNO.ECANCELED, -1);
  }

  /** As #starve(), for a socket whose stream may have ended. */
  #starveUnpeeked(slot: number): void {
    this.#starve(slot);
    this.#unpeeked = this.#starved.length;
  }

  /** The receive waits for a free block. */
  #starve(slot: number): void {
    const state = this.#state[slot];
    this.#state[slot] = state | STARVED | QUEUED | MORE_BYTES;
    if ((state & QUEUED) === 0) this.#starved.push(slot);
  }

  /** Tries as many starved receives as there are buffers; without any, only peeks. */
  #retryStarved(out: Completions, from: number): number {
    let count = from;
    const most = this.#buffers.count > 0 ? this.#buffers.count : out.capacity - count;
    let left = Math.min(this.#starved.length, most);
    this.#unpeeked = Math.max(0, this.#unpeeked - left);
    for (; left > 0; left--) {
      const slot = this.#starved.shift();
      const state = this.#state[slot];
      this.#state[slot] = state & ~(STARVED | QUEUED);
      if ((state & STARVED) === 0) continue;
      if (this.#buffers.count > 0) this.#submitReceive(slot);
      else count = this.#peek(out, count, slot);
    }
    return count;
  }

  /** Without a buffer: reports an end or an error; bytes wait for a block. */
  #peek(out: Completions, count: number, slot: number): number {
    const flags = MSG_PEEK | MSG_DONTWAIT;
    const result = this.calls.recv(this.fds[slot], this.scratchAddress, 1, flags);
    if (result > 0) {
      this.#starve(slot);
      return count;
    }
    if (result === -ERRNO.EAGAIN || result === -ERRNO.EINTR) {
      this.#state[slot] |= POLLING;
      const events = POLLIN | POLLRDHUP;
      this.#entries.poll(Kind.Poll, slot, this.#generation[slot], this.fds[slot], events);
      return count;
    }
    this.#state[slot] &= ~RECEIVING;
    return out.set(count, Op.Receive, slot, result, -1);
  }

  destroy(): void {
    this.#loopWatch.close();
    // The blocks released below must not cause a wake().
    this.asleep = false;
    this.slab.whenFree = null;
    this.#ring.destroy();
    this.#hangups.close();
    this.closeEpoll();
    this.#buffers.destroy();
  }
}
