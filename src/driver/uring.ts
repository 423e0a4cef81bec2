// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// Linux io_uring behind the seam: operations of a turn are written into memory that the kernel
// reads, one call gives it all of them, and their results stand in memory when it returns. Sockets
// stay in the kernel's hands between turns, so a request costs no call of its own.

import { assert } from '../base/assert.ts';
import { Ring } from '../base/ring.ts';
import { Slab } from '../base/slab.ts';
import { CompletionQueue } from './completion-queue.ts';
import {
  type Address,
  type Completions,
  type Driver,
  type DriverOptions,
  ERRNO,
  Op,
  type Peer,
} from './driver.ts';
import type { Watch } from './linux/ffi.ts';
import { control, IoUring } from './linux/io-uring.ts';
import {
  IPPROTO_TCP,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOCKADDR_BYTES,
  TCP_NODELAY,
} from './linux/layout.ts';
import { ProvidedBuffers } from './linux/provided-buffers.ts';
import { RegionAddresses } from './linux/region-addresses.ts';
import { addressFrom, peerFrom } from './linux/sockaddr.ts';
import { linuxSyscalls, type Syscalls } from './linux/syscalls.ts';
import { linuxUringCalls, type UringCalls } from './linux/uring-calls.ts';
import {
  CQE_BUFFER_SHIFT,
  CQE_F_BUFFER,
  CQE_F_SOCK_NONEMPTY,
  IORING_OP_ASYNC_CANCEL,
  IORING_OP_CONNECT,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  POLLIN,
  POLLRDHUP,
  RECV_POLL_FIRST,
} from './linux/uring-layout.ts';
import { UringListener } from './linux/uring-listener.ts';

/** What is in flight on a socket; bits of #state. */
const RECEIVING = 1; // its completion was not yet handed out
const SENDING = 2;
const CONNECTING = 4;
const HUNGRY = 8; // the receive waits for a block, in #hungry
const QUEUED = 16; // stands in #hungry; outlives the socket, so that no slot stands there twice
const MORE_BYTES = 32; // the kernel had more than it gave: do not wait for the next to come
const ABORTED = 64; // what comes back unfinished is not tried again
const POLLING = 128; // the receive waits for bytes without a buffer

/** What a completion belongs to: the upper byte of its tag, above the slot. */
const Kind = { Receive: 1, Send: 2, Connect: 3, Poll: 4, Listener: 5, Cancel: 6 } as const;
const KIND_SHIFT = 24;
const SLOT_MASK = 0xffffff;
/** A tag and a generation are an operation's name, which has to be exact as a double. */
const GENERATION_MASK = 0xfffff;
const HIGH = 4294967296;

const RECEIVE = control(IORING_OP_RECV, IOSQE_BUFFER_SELECT, 0);
const RECEIVE_LATER = control(IORING_OP_RECV, IOSQE_BUFFER_SELECT, RECV_POLL_FIRST);
const SEND = control(IORING_OP_SEND, 0, 0);
const CONNECT = control(IORING_OP_CONNECT, 0, 0);
const POLL = control(IORING_OP_POLL_ADD, 0, 0);
const CANCEL = control(IORING_OP_ASYNC_CANCEL, IOSQE_CQE_SKIP_SUCCESS, 0);

const ENTRIES = 1024;
const GROUP = 1;

/** The kernel cycles through its buffers: few stay in the processor's caches. */
const BUFFERS_MAX = 128;

/** Null when this driver can run here, else one line that says why not. */
export function uringProblem(calls: UringCalls | string = linuxUringCalls()): string | null {
  if (typeof calls === 'string') return calls;
  try {
    const ring = new IoUring(calls, 8, 16);
    const problem = buffersProblem(calls, ring);
    ring.destroy();
    return problem;
  } catch (error) {
    return uringFault(error);
  }
}

function buffersProblem(calls: UringCalls, ring: IoUring): string | null {
  const slab = new Slab(64, 1);
  try {
    new ProvidedBuffers(calls, ring.fd, GROUP, slab, 1).destroy();
    return null;
  } catch (error) {
    return uringFault(error);
  }
}

/** Why there is no ring, for people. */
function uringFault(error: unknown): string {
  const { errno, message } = error as Error & { errno?: number };
  switch (errno) {
    case ERRNO.EPERM:
    case ERRNO.EACCES:
      return 'io_uring is forbidden here (kernel.io_uring_disabled, or a seccomp profile)';
    case ERRNO.ENOSYS:
      return 'this kernel has no io_uring';
    case ERRNO.EINVAL:
      return 'this kernel is older than Linux 6.1';
    case ERRNO.ENOMEM:
      return 'there is no memory for a ring (RLIMIT_MEMLOCK)';
    default:
      return message;
  }
}

/** An eighth of the slab at most, for blocks that wait here are nobody else's. */
function bufferCount(slab: Slab): number {
  let count = 1;
  while (count < BUFFERS_MAX && count * 16 <= slab.blockCount) count *= 2;
  return count;
}

/** How many entries stand in each of a ring's queues; powers of two, completions no fewer. */
export interface RingSizes {
  readonly entries: number;
  readonly completions: number;
}

export class UringDriver implements Driver {
  readonly name = 'uring';
  wake: (fromLoop: boolean) => void = () => {};
  readonly #calls: Syscalls;
  readonly #slab: Slab;
  readonly #backlog: number;
  readonly #ring: IoUring;
  readonly #buffers: ProvidedBuffers;
  readonly #watch: Watch;
  readonly #listener: UringListener;
  readonly #regions: RegionAddresses;
  #asleep = false;

  /** For a socket's name, and for a byte that is only looked at. */
  readonly #scratch = new Uint8Array(SOCKADDR_BYTES);
  readonly #scratchAddress: number;
  /** Where connect() goes; the kernel reads it when the entry is submitted. */
  readonly #targets = new Map<number, Uint8Array>();

  readonly #fd: Int32Array;
  readonly #state: Uint8Array;
  /** Goes up with every socket of a slot, so that no completion is taken for another socket's. */
  readonly #generation: Int32Array;
  /** Slots whose receive found no buffer. */
  readonly #hungry: Ring;
  /** How many of them, from the front on, hold some whose stream may be at its end, or broken. */
  #unfed = 0;
  readonly #queue: CompletionQueue;

  constructor(
    options: DriverOptions,
    calls: Syscalls | string = linuxSyscalls(),
    uringCalls: UringCalls | string = linuxUringCalls(),
    sizes: RingSizes = ringSizes(options.slots),
  ) {
    if (typeof calls === 'string') throw new Error(calls);
    if (typeof uringCalls === 'string') throw new Error(uringCalls);
    const { slab, slots } = options;
    assert(slots <= SLOT_MASK, 'a slot fits in a tag');
    this.#calls = calls;
    this.#slab = slab;
    this.#backlog = options.backlog;
    this.#fd = new Int32Array(slots).fill(-1);
    this.#state = new Uint8Array(slots);
    this.#generation = new Int32Array(slots);
    this.#hungry = new Ring(slots);
    this.#queue = new CompletionQueue(3 * slots + 8);
    this.#regions = new RegionAddresses(calls, slab);
    this.#scratchAddress = calls.addressOf(this.#scratch);
    this.#ring = new IoUring(uringCalls, sizes.entries, sizes.completions);
    try {
      const count = bufferCount(slab);
      this.#buffers = new ProvidedBuffers(uringCalls, this.#ring.fd, GROUP, slab, count);
    } catch (error) {
      this.#ring.destroy();
      throw error;
    }
    this.#buffers.refill();
    this.#listener = new UringListener(calls, {
      ask: (fd) => this.#push(POLL, fd, 0, 0, POLLIN, Kind.Listener << KIND_SHIFT, 0),
      callBack: () => this.#cancel(Kind.Listener << KIND_SHIFT, 0),
    });
    this.#watch = uringCalls.watch(this.#ring.eventfd, () => this.#rang());
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  map(region: number, bytes: Uint8Array): void {
    this.#regions.map(region, bytes);
  }

  unmap(region: number): void {
    this.#regions.unmap(region);
  }

  listen(address: Address): void {
    this.#finish(Op.Listen, -1, this.#listener.open(address, this.#backlog));
  }

  unlisten(): void {
    if (this.#listener.close()) this.#finish(Op.Unlisten, -1, 0);
  }

  accepting(on: boolean): void {
    this.#listener.accepting(on);
  }

  adopt(handle: number, slot: number): void {
    this.#open(slot, handle);
  }

  #open(slot: number, fd: number): void {
    assert(this.#fd[slot] < 0, 'an adopting slot is free');
    this.#fd[slot] = fd;
    this.#state[slot] &= QUEUED;
    this.#generation[slot] = (this.#generation[slot] + 1) & GENERATION_MASK;
  }

  refuse(handle: number): void {
    this.#calls.close(handle);
  }

  connect(address: Address, slot: number): void {
    const target = addressFrom(address);
    assert(target !== null, 'connect() gets a literal address');
    const fd = this.#calls.socket(target.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      this.#finish(Op.Connect, slot, fd);
      return;
    }
    this.#calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    this.#open(slot, fd);
    this.#state[slot] |= CONNECTING;
    this.#targets.set(slot, target.bytes);
    const where = this.#calls.addressOf(target.bytes);
    const tag = (Kind.Connect << KIND_SHIFT) | slot;
    this.#ring.push(CONNECT, fd, target.length, where, 0, 0, tag, this.#generation[slot], 0);
    this.#wakeUp();
  }

  receive(slot: number): void {
    assert(this.#fd[slot] >= 0, 'a receiving slot is open');
    assert((this.#state[slot] & RECEIVING) === 0, 'one receive in flight a socket');
    this.#state[slot] |= RECEIVING;
    this.#submitReceive(slot);
    this.#wakeUp();
  }

  #submitReceive(slot: number): void {
    const operation = (this.#state[slot] & MORE_BYTES) === 0 ? RECEIVE_LATER : RECEIVE;
    const tag = (Kind.Receive << KIND_SHIFT) | slot;
    this.#ring.push(operation, this.#fd[slot], 0, 0, 0, 0, tag, this.#generation[slot], GROUP);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    assert(this.#fd[slot] >= 0, 'a sending slot is open');
    assert((this.#state[slot] & SENDING) === 0, 'one send in flight a socket');
    assert(end > start, 'a send has bytes');
    this.#state[slot] |= SENDING;
    const address = this.#regions.base(region) + start;
    const flags = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    const tag = (Kind.Send << KIND_SHIFT) | slot;
    const generation = this.#generation[slot];
    this.#ring.push(SEND, this.#fd[slot], 0, address, end - start, flags, tag, generation, 0);
    this.#wakeUp();
  }

  /** An operation that moves no bytes. */
  #push(
    operation: number,
    fd: number,
    address: number,
    bytes: number,
    flags: number,
    tag: number,
    generation: number,
  ): void {
    this.#ring.push(operation, fd, 0, address, bytes, flags, tag, generation, 0);
    this.#wakeUp();
  }

  shutdownSend(slot: number): void {
    this.#calls.shutdown(this.#fd[slot], SHUT_WR);
  }

  abort(slot: number, reset: boolean): void {
    const fd = this.#fd[slot];
    if (fd < 0) return;
    if (reset) this.#calls.lingerZero(fd);
    const state = this.#state[slot];
    this.#state[slot] = (state | ABORTED) & ~HUNGRY;
    if ((state & HUNGRY) !== 0) this.#finish(Op.Receive, slot, -ERRNO.ECANCELED);
    const receive = (state & POLLING) === 0 ? Kind.Receive : Kind.Poll;
    const isReceiving = (state & (RECEIVING | HUNGRY)) === RECEIVING;
    if (isReceiving) this.#cancelOf(receive, slot);
    if ((state & SENDING) !== 0) this.#cancelOf(Kind.Send, slot);
    if ((state & CONNECTING) !== 0) this.#cancelOf(Kind.Connect, slot);
  }

  #cancelOf(kind: number, slot: number): void {
    this.#cancel((kind << KIND_SHIFT) | slot, this.#generation[slot]);
  }

  /**
   * What has this tag finishes, mostly with -ECANCELED. By its descriptor the kernel would have to
   * look for it among all that is in flight.
   */
  #cancel(tag: number, generation: number): void {
    this.#push(CANCEL, -1, generation * HIGH + tag, 0, 0, Kind.Cancel << KIND_SHIFT, 0);
  }

  close(slot: number): void {
    const state = this.#state[slot];
    assert((state & RECEIVING) === 0, 'no receive is in flight at close');
    assert((state & SENDING) === 0, 'no send is in flight at close');
    const fd = this.#fd[slot];
    // After a failed connect() there may be none.
    if (fd >= 0) this.#calls.close(fd);
    this.#fd[slot] = -1;
    this.#finish(Op.Close, slot, 0);
  }

  peer(slot: number): Peer {
    const status = this.#calls.getpeername(this.#fd[slot], this.#scratch);
    return status < 0 ? { address: '', port: 0 } : peerFrom(this.#scratch);
  }

  /** Queues a completion; poll() hands it out. */
  #finish(op: number, slot: number, result: number): void {
    this.#queue.push(op, slot, result, -1);
    this.#wakeUp();
  }

  #wakeUp(): void {
    if (!this.#asleep) return;
    this.#awake();
    this.wake(false);
  }

  #awake(): void {
    this.#asleep = false;
    this.#ring.silence();
  }

  /** The bell may have rung just before somebody else woke us; only a sleeper cares. */
  #rang(): void {
    this.#ring.answerBell();
    if (!this.#asleep) return;
    this.#awake();
    this.wake(true);
  }

  sleep(): boolean {
    assert(!this.#asleep, 'only the awake fall asleep');
    const ring = this.#ring;
    if (this.#queue.length > 0 || ring.pending > 0 || ring.head !== ring.tail) return false;
    if (this.#hungry.length > 0) {
      if (this.#slab.freeCount + this.#buffers.count + this.#unfed > 0) return false;
      this.#slab.whenFree = () => this.#wakeUp();
    }
    // First the bell, then a last look: what comes in between is seen or heard.
    ring.listen();
    if (ring.isDue()) {
      ring.silence();
      return false;
    }
    this.#asleep = true;
    return true;
  }

  poll(out: Completions): number {
    // A poll that nobody was woken for (a deadline) takes the wake back.
    if (this.#asleep) this.#awake();
    let count = this.#drain(out);
    this.#buffers.refill();
    if (this.#hungry.length > 0) count = this.#feed(out, count);
    this.#ring.enter();
    return this.#harvest(out, count);
  }

  #drain(out: Completions): number {
    const count = this.#queue.drain(out, 0);
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
          count = this.#listener.announced(out, count);
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
      if (block >= 0) this.#slab.release(block);
      return count;
    }
    const state = this.#state[slot];
    if (result > 0) {
      const isMore = (flags & CQE_F_SOCK_NONEMPTY) !== 0;
      this.#state[slot] = (state & ~(RECEIVING | MORE_BYTES)) | (isMore ? MORE_BYTES : 0);
      return out.set(count, Op.Receive, slot, result, block);
    }
    if (block >= 0) this.#slab.release(block);
    // More came in this turn than the kernel had buffers for; the others are for completeness.
    const again = result === -ERRNO.ENOBUFS || result === -ERRNO.EINTR || result === -ERRNO.EAGAIN;
    if (again && (state & ABORTED) === 0) {
      this.#wait(slot);
      this.#unfed = this.#hungry.length;
      return count;
    }
    this.#state[slot] = state & ~RECEIVING;
    return out.set(count, Op.Receive, slot, again ? -ERRNO.ECANCELED : result, -1);
  }

  #rare(out: Completions, count: number, tag: number, generation: number, result: number): number {
    const slot = tag & SLOT_MASK;
    const kind = tag >>> KIND_SHIFT;
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

  /** The receive waits for a block. */
  #wait(slot: number): void {
    const state = this.#state[slot];
    this.#state[slot] = state | HUNGRY | QUEUED | MORE_BYTES;
    if ((state & QUEUED) === 0) this.#hungry.push(slot);
  }

  /** Receives that found no buffer try again. */
  #feed(out: Completions, from: number): number {
    let count = from;
    let left = Math.min(this.#hungry.length, out.capacity - count);
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
    const result = this.#calls.recv(this.#fd[slot], this.#scratchAddress, 1, flags);
    if (result > 0) {
      this.#wait(slot);
      return count;
    }
    if (result === -ERRNO.EAGAIN || result === -ERRNO.EINTR) {
      const tag = (Kind.Poll << KIND_SHIFT) | slot;
      const fd = this.#fd[slot];
      this.#state[slot] |= POLLING;
      this.#push(POLL, fd, 0, 0, POLLIN | POLLRDHUP, tag, this.#generation[slot]);
      return count;
    }
    this.#state[slot] &= ~RECEIVING;
    return out.set(count, Op.Receive, slot, result, -1);
  }

  destroy(): void {
    assert(!this.#listener.isOpen, 'the listener is closed first');
    this.#watch.close();
    this.#ring.destroy();
    this.#buffers.destroy();
  }
}

/** Room for all that can be in flight; what is beyond waits in the kernel, and costs it more. */
function ringSizes(slots: number): RingSizes {
  let completions = 2 * ENTRIES;
  while (completions < 2 * slots && completions < 65_536) completions *= 2;
  return { entries: ENTRIES, completions };
}
