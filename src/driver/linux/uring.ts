// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// Linux io_uring behind the seam: operations of a turn are written into memory that the kernel
// reads, one call gives it all of them, and their results stand in memory when it returns. Sockets
// stay in the kernel's hands between turns, so a request costs no call of its own.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import { Ring } from '../../base/ring.ts';
import { type Address, type Completions, type Driver, type DriverOptions, Op } from '../driver.ts';
import type { Watch } from './ffi.ts';
import { Hangups } from './uring-hangups.ts';
import { IoUring, type RingSizes, ringSizesFor } from './uring-instance.ts';
import { MSG_DONTWAIT, MSG_PEEK, SOCK_CLOEXEC, SOCK_STREAM } from './layout.ts';
import { LinuxDriver } from './linux-driver.ts';
import { bufferCountFor, ProvidedBuffers } from './uring-buffers.ts';
import { addressFrom } from './sockaddr.ts';
import { linuxSyscalls, type Syscalls } from './syscalls.ts';
import { linuxUringCalls, type UringCalls } from './uring-calls.ts';
import {
  GENERATION_MASK,
  GROUP,
  KIND_SHIFT,
  Kind,
  SLOT_MASK,
  UringEntries,
} from './uring-entries.ts';
import {
  CQE_BUFFER_SHIFT,
  CQE_F_BUFFER,
  CQE_F_SOCK_NONEMPTY,
  POLLIN,
  POLLRDHUP,
} from './uring-layout.ts';

/** What is in flight on a socket; bits of #state. */
const RECEIVING = 1; // its completion was not yet handed out
const SENDING = 2;
const CONNECTING = 4;
const HUNGRY = 8; // the receive waits for a block, in #hungry
const QUEUED = 16; // stands in #hungry; outlives the socket, so that no slot stands there twice
const MORE_BYTES = 32; // the kernel had more than it gave: do not wait for the next to come
const ABORTED = 64; // what comes back unfinished is not tried again
const POLLING = 128; // the receive waits for bytes without a buffer

/**
 * Listeners stand in an epoll that the ring watches: the ring's own accept takes clients beyond
 * what was asked for, and has to be called back before a listener can close.
 */
export class UringDriver extends LinuxDriver implements Driver {
  readonly name = 'uring';
  readonly #ring: IoUring;
  readonly #entries: UringEntries;
  readonly #buffers: ProvidedBuffers;
  readonly #watch: Watch;
  readonly #hangups: Hangups;
  /** Where connect() goes; the kernel reads it when the entry is submitted. */
  readonly #targets = new Map<number, Uint8Array>();
  readonly #state: Uint8Array;
  /** Goes up with every socket of a slot, so that no completion is taken for another socket's. */
  readonly #generation: Int32Array;
  /** Slots whose receive found no buffer. */
  readonly #hungry: Ring;
  /** How many of them, from the front on, hold some whose stream may be at its end, or broken. */
  #unfed = 0;
  /** The ring watches the epoll, from the first listen() on; and that of hang-ups. */
  #isWatching = false;
  #watchesHangups = false;

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
    this.#hungry = new Ring(slots);
    const undo = [() => this.closeListeners()];
    try {
      this.#hangups = new Hangups(calls);
      undo.push(() => this.#hangups.close());
      this.#ring = new IoUring(uringCalls, sizes.entries, sizes.completions);
      undo.push(() => this.#ring.destroy());
      const count = bufferCountFor(slab);
      this.#buffers = new ProvidedBuffers(uringCalls, this.#ring.fd, GROUP, slab, count);
    } catch (error) {
      for (const step of undo) step();
      throw error;
    }
    this.#buffers.refill();
    this.#entries = new UringEntries(this.#ring);
    this.#watch = uringCalls.watch(this.#ring.eventfd, () => this.rang());
  }

  override listen(address: Address): void {
    super.listen(address);
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#watchListeners();
  }

  /** Asks to be told once that clients wait. */
  #watchListeners(): void {
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
    assert(target !== null, 'connect() gets a literal address');
    const fd = this.connectingSocket(target.family, SOCK_STREAM | SOCK_CLOEXEC, address);
    if (fd < 0) {
      this.finish(Op.Connect, slot, fd);
      return;
    }
    this.adopt(fd, slot);
    this.#state[slot] |= CONNECTING;
    this.#targets.set(slot, target.bytes);
    const where = this.calls.addressOf(target.bytes);
    this.#entries.connect(slot, this.#generation[slot], fd, where, target.length);
    this.wakeUp();
  }

  receive(slot: number): void {
    assert(this.fds[slot] >= 0, 'a receiving slot is open');
    assert((this.#state[slot] & RECEIVING) === 0, 'one receive in flight a socket');
    this.#state[slot] |= RECEIVING;
    // Where others wait for a block, nobody passes them by.
    if (this.#hungry.length > 0) this.#waitUnfed(slot);
    else this.#submitReceive(slot);
    this.wakeUp();
  }

  #submitReceive(slot: number): void {
    const later = (this.#state[slot] & MORE_BYTES) === 0;
    this.#entries.receive(slot, this.#generation[slot], this.fds[slot], later);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    assert(this.fds[slot] >= 0, 'a sending slot is open');
    assert((this.#state[slot] & SENDING) === 0, 'one send in flight a socket');
    assert(end > start, 'a send has bytes');
    this.#state[slot] |= SENDING;
    const address = this.regions.base(region) + start;
    const generation = this.#generation[slot];
    this.#entries.send(slot, generation, this.fds[slot], address, end - start, more);
    this.wakeUp();
  }

  abort(slot: number, reset: boolean): void {
    const fd = this.fds[slot];
    if (fd < 0) return;
    if (reset) this.calls.lingerZero(fd);
    this.cancelWatch(slot);
    const state = this.#state[slot];
    this.#state[slot] = (state | ABORTED) & ~HUNGRY;
    if ((state & HUNGRY) !== 0) this.finish(Op.Receive, slot, -ERRNO.ECANCELED);
    const receive = (state & POLLING) === 0 ? Kind.Receive : Kind.Poll;
    const isReceiving = (state & (RECEIVING | HUNGRY)) === RECEIVING;
    if (isReceiving) this.#cancel(receive, slot);
    if ((state & SENDING) !== 0) this.#cancel(Kind.Send, slot);
    if ((state & CONNECTING) !== 0) this.#cancel(Kind.Connect, slot);
  }

  #cancel(kind: number, slot: number): void {
    this.#entries.cancel(kind, slot, this.#generation[slot]);
    this.wakeUp();
  }

  protected override prepareWatch(fd: number, slot: number): void {
    this.#hangups.add(fd, slot);
    if (!this.#watchesHangups) this.#watchHangups();
  }

  #watchHangups(): void {
    this.#watchesHangups = true;
    this.#entries.poll(Kind.Hangup, 0, 0, this.#hangups.fd, POLLIN);
    this.wakeUp();
  }

  close(slot: number): void {
    const state = this.#state[slot];
    assert((state & (RECEIVING | SENDING)) === 0, 'nothing is in flight at close');
    this.closeSlot(slot);
  }

  protected override rang(): void {
    this.#ring.answerBell();
    if (!this.asleep) return;
    if (this.#ring.isDue()) super.rang();
    else this.#watch.arm();
  }

  protected override awake(): void {
    super.awake();
    this.#ring.silence();
  }

  sleep(): boolean {
    assert(!this.asleep, 'only the awake fall asleep');
    const ring = this.#ring;
    if (this.queue.length + ring.pending > 0 || ring.head !== ring.tail) return false;
    if (this.listener.isLeaving) return false;
    if (this.#hungry.length > 0) {
      if (this.slab.freeCount + this.#buffers.count + this.#unfed > 0) return false;
      this.slab.whenFree = () => this.wakeUp();
    }
    // First the bell, then a last look: what comes in between is seen or heard.
    ring.listen();
    if (ring.isDue()) {
      ring.silence();
      return false;
    }
    this.asleep = true;
    this.#watch.arm();
    return true;
  }

  poll(out: Completions): number {
    // A poll that nobody was woken for (a deadline) takes the wake back.
    if (this.asleep) this.awake();
    let count = this.#drain(out);
    this.#buffers.refill();
    if (this.#hungry.length > 0) count = this.#feed(out, count);
    this.#ring.enter(out.capacity - count);
    count = this.#harvest(out, count);
    return this.listener.isLeaving ? this.listener.takeLast(out, count) : count;
  }

  #drain(out: Completions): number {
    const count = this.queue.drain(out, 0);
    for (let index = 0; index < count; index++) {
      if (out.op[index] === Op.Receive) this.#state[out.slot[index]] &= ~RECEIVING;
    }
    return count;
  }

  #harvest(out: Completions, from: number): number {
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
          this.#watchListeners();
          break;
        default:
          count = this.#rare(out, count, tag, words[at + 1], result);
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
    // More came in this turn than the kernel had buffers for; the others are for completeness.
    const again = result === -ERRNO.ENOBUFS || result === -ERRNO.EINTR || result === -ERRNO.EAGAIN;
    if (again && (state & ABORTED) === 0) {
      this.#waitUnfed(slot);
      return count;
    }
    this.#state[slot] = state & ~RECEIVING;
    return out.set(count, Op.Receive, slot, again ? -ERRNO.ECANCELED : result, -1);
  }

  #rare(out: Completions, count: number, tag: number, generation: number, result: number): number {
    const slot = tag & SLOT_MASK;
    const kind = tag >>> KIND_SHIFT;
    if (kind === Kind.Hangup) {
      this.#hangups.take((hungUp) => this.broke(hungUp));
      this.#watchHangups();
      return count;
    }
    if (kind === Kind.Cancel || generation !== this.#generation[slot]) return count;
    if (kind === Kind.Connect) {
      this.#state[slot] &= ~CONNECTING;
      this.#targets.delete(slot);
      return out.set(count, Op.Connect, slot, result, -1);
    }
    assert(kind === Kind.Poll, 'the kernel answers what it was asked');
    this.#state[slot] &= ~POLLING;
    if (result >= 0 && (this.#state[slot] & ABORTED) === 0) return this.#look(out, count, slot);
    this.#state[slot] &= ~RECEIVING;
    return out.set(count, Op.Receive, slot, -ERRNO.ECANCELED, -1);
  }

  /** As #wait(), for one whose stream may have ended. */
  #waitUnfed(slot: number): void {
    this.#wait(slot);
    this.#unfed = this.#hungry.length;
  }

  /** The receive waits for a block. */
  #wait(slot: number): void {
    const state = this.#state[slot];
    this.#state[slot] = state | HUNGRY | QUEUED | MORE_BYTES;
    if ((state & QUEUED) === 0) this.#hungry.push(slot);
  }

  /** Receives that found no buffer try again, as many as there are buffers now. */
  #feed(out: Completions, from: number): number {
    let count = from;
    const most = this.#buffers.count > 0 ? this.#buffers.count : out.capacity - count;
    let left = Math.min(this.#hungry.length, most);
    this.#unfed = Math.max(0, this.#unfed - left);
    for (; left > 0; left--) {
      const slot = this.#hungry.shift();
      const state = this.#state[slot];
      this.#state[slot] = state & ~(HUNGRY | QUEUED);
      if ((state & HUNGRY) === 0) continue;
      if (this.#buffers.count > 0) this.#submitReceive(slot);
      else count = this.#look(out, count, slot);
    }
    return count;
  }

  /** An end or an error needs no block; bytes wait until one comes back. */
  #look(out: Completions, count: number, slot: number): number {
    const flags = MSG_PEEK | MSG_DONTWAIT;
    const result = this.calls.recv(this.fds[slot], this.scratchAddress, 1, flags);
    if (result > 0) {
      this.#wait(slot);
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
    this.#watch.close();
    // Blocks come back below, and must wake nobody.
    this.asleep = false;
    this.slab.whenFree = null;
    this.#ring.destroy();
    this.#hangups.close();
    this.closeListeners();
    this.#buffers.destroy();
  }
}
