// A kernel's io_uring in plain memory, for tests: entries are consumed and completions written as
// by a real one, but only when the test says so, and with the faults that the test injects.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import type { LoopWatch } from '../../../src/driver/linux/foreign.ts';
import {
  EPOLL_CTL_ADD,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  EPOLLET,
  EPOLLIN,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_PEEK,
} from '../../../src/driver/linux/layout.ts';
import type { Mapping, UringCalls } from '../../../src/driver/linux/uring-calls.ts';
import {
  BUFFER_TAIL,
  BUFFER_WORDS,
  CQ_EVENTFD_DISABLED,
  CQE_BUFFER_SHIFT,
  CQE_BYTES,
  CQE_F_BUFFER,
  CQE_F_SOCK_NONEMPTY,
  CQE_WORDS,
  ENTER_GETEVENTS,
  FEATURE_NODROP,
  IORING_OP_ASYNC_CANCEL,
  IORING_OP_CONNECT,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_SEND,
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  OFFSET_ENTRIES,
  PARAM_CQ_ENTRIES,
  PARAM_CQ_OFFSETS,
  PARAM_FEATURES,
  PARAM_SQ_ENTRIES,
  PARAM_SQ_OFFSETS,
  RECV_POLL_FIRST,
  REGISTER_EVENTFD,
  REGISTER_PBUF_RING,
  SQ_CQ_OVERFLOW,
  SQ_TASKRUN,
  SQE_WORDS,
} from '../../../src/driver/linux/uring-layout.ts';
import { ScriptedMemory } from './memory.ts';

const { ENOENT, EBADF } = ERRNO;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 0x10;

/** Offsets in the memory of the rings, in words. */
const SQ = { head: 0, tail: 1, mask: 2, count: 3, flags: 4, dropped: 5, array: 256 } as const;
const CQ = { head: 32, tail: 33, mask: 34, count: 35, overflow: 36, flags: 38 } as const;

export interface ScriptedSocket {
  readonly fd: number;
  /** Bytes that the peer sent and that are not received yet. */
  input: Buffer;
  ended: boolean;
  /** The errno that the next operation fails with. */
  error: number;
  readonly output: Buffer[];
  /** Free bytes of the send buffer. */
  room: number;
  /** The result of connect(), once it is known. */
  connected: number | null;
  /** Of a listener: clients that wait. */
  backlog: number[];
  lingersZero: boolean;
  /** The peer reset the connection; unlike the error this stays. */
  isReset: boolean;
  /** Bytes that the peer has not acknowledged; set by the test. */
  unacknowledged: number;
  /** Of an epoll: the tags of registered descriptors, and the tags of pending hang-ups. */
  readonly watched: Map<number, number>;
  hungUp: number[];
}

/** A submitted entry, with its result when that is known already. */
interface Task {
  readonly entry: Int32Array;
  readonly result: number | null;
}

export class ScriptedRing implements UringCalls {
  readonly memory: ScriptedMemory = new ScriptedMemory();
  readonly sockets: Map<number, ScriptedSocket> = new Map();
  /** Descriptors that are open. */
  readonly open: Set<number> = new Set();
  /** Results of the next calls of enter(): minus errno, or the most entries they take. */
  readonly enterScript: number[] = [];
  /** Results of the next receives, instead of bytes. */
  readonly receiveScript: number[] = [];
  /** The end of a stream, or an error, comes with the buffer that was selected for it. */
  endsUseBuffers = false;
  /** A call that fails, by name, and how often it succeeds before. */
  failing: { name: string; after: number; errno: number } | null = null;
  /** The most bytes that one send takes. */
  sendBytesMax: number = Number.POSITIVE_INFINITY;
  /** Copies of all entries taken. */
  readonly taken: Int32Array[] = [];
  enterCount = 0;
  isNotified = false;
  /** The size of the completion queue; 0 is the size that setup() asks for. */
  #completionCount: number;
  readonly #counterStart: number;
  #words = new Int32Array(0);
  #entries = new Int32Array(0);
  #entryCount = 0;
  #ringBytes = 0;
  #cqesAt = 0;
  #armed = new Set<Int32Array>();
  /** The epoll that watches a listener. */
  readonly #epolls = new Map<number, number>();
  #work: Task[] = [];
  #overflow: number[][] = [];
  #buffers: Int32Array = new Int32Array(0);
  #bufferHalves: Uint16Array = new Uint16Array(0);
  #bufferCount = 0;
  #bufferHead = 0;
  #group = 0;
  #nextFd = 10;
  #ringFd = -1;
  #woken: (() => void) | null = null;

  constructor(completionCount = 0, counterStart: number = 2 ** 31 - 100) {
    this.#completionCount = completionCount;
    this.#counterStart = counterStart;
  }

  descriptor(): number {
    this.#nextFd += 1;
    this.open.add(this.#nextFd);
    return this.#nextFd;
  }

  /** 0, or minus the errno that the call fails with. */
  #fault(name: string): number {
    const { failing } = this;
    if (failing?.name !== name) return 0;
    failing.after -= 1;
    return failing.after < 0 ? -failing.errno : 0;
  }

  setup(entries: number, params: Uint32Array): number {
    const fault = this.#fault('setup');
    if (fault < 0) return fault;
    assert.equal(entries & (entries - 1), 0);
    const completions = this.#completionCount || params[PARAM_CQ_ENTRIES];
    this.#entryCount = entries;
    this.#completionCount = completions;
    params[PARAM_SQ_ENTRIES] = entries;
    params[PARAM_CQ_ENTRIES] = completions;
    params[PARAM_FEATURES] = FEATURE_NODROP;
    const { head, tail, mask, count, flags, dropped, array } = SQ;
    const sqOffsets = [head, tail, mask, count, flags, dropped, array].map((word) => 4 * word);
    params.set(sqOffsets, PARAM_SQ_OFFSETS);
    this.#cqesAt = SQ.array + entries;
    const cqWords = [CQ.head, CQ.tail, CQ.mask, CQ.count, CQ.overflow, this.#cqesAt, CQ.flags];
    const cqOffsets = cqWords.map((word) => 4 * word);
    params.set(cqOffsets, PARAM_CQ_OFFSETS);
    this.#ringBytes = 4 * this.#cqesAt + CQE_BYTES * completions;
    this.#ringFd = this.descriptor();
    return this.#ringFd;
  }

  mapMemory(ring: number, bytes: number, offset: number): Mapping | number {
    const fault = this.#fault('mapMemory');
    if (fault < 0) return fault;
    const mapping = this.memory.map(bytes);
    if (ring < 0) return mapping;
    const words = new Int32Array(mapping.memory);
    if (offset === OFFSET_ENTRIES) {
      assert.equal(words.length, this.#entryCount * SQE_WORDS);
      this.#entries = words;
      return mapping;
    }
    assert.equal(bytes, this.#ringBytes);
    this.#words = words;
    words[SQ.mask] = this.#entryCount - 1;
    words[CQ.mask] = this.#completionCount - 1;
    // The counters of a ring wrap around; these do it soon.
    for (const at of [SQ.head, SQ.tail, CQ.head, CQ.tail]) words[at] = this.#counterStart;
    return mapping;
  }

  unmapMemory(mapping: Mapping): void {
    this.memory.unmap(mapping);
  }

  register(_ring: number, operation: number, argument: Uint8Array, count: number): number {
    const fault = this.#fault('register');
    if (fault < 0) return fault;
    assert.equal(count, 1);
    if (operation === REGISTER_EVENTFD) return 0;
    assert.equal(operation, REGISTER_PBUF_RING);
    const view = new DataView(argument.buffer);
    this.#bufferCount = view.getUint32(8, true);
    this.#group = view.getUint16(12, true);
    const address = Number(view.getBigUint64(0, true));
    const bytes = this.memory.at(address, 16 * this.#bufferCount);
    this.#buffers = new Int32Array(bytes.buffer);
    this.#bufferHalves = new Uint16Array(bytes.buffer);
    return 0;
  }

  eventfd(): number {
    const fault = this.#fault('eventfd');
    return fault < 0 ? fault : this.descriptor();
  }

  resetEventfd(fd: number): void {
    assert.ok(this.open.has(fd));
    this.isNotified = false;
  }

  addressOf(bytes: Uint8Array): number {
    return this.memory.addressOf(bytes);
  }

  close(fd: number): number {
    assert.ok(this.open.delete(fd), `descriptor ${fd} is closed once`);
    this.sockets.delete(fd);
    for (const epoll of this.sockets.values()) {
      const tag = epoll.watched.get(fd);
      epoll.watched.delete(fd);
      epoll.hungUp = epoll.hungUp.filter((other) => other !== tag);
    }
    // Closing a ring ends what is in flight on it.
    if (fd === this.#ringFd) this.#armed.clear();
    for (const entry of this.#armed) {
      assert.ok(entry[1] !== fd, 'nothing is in flight on a closed descriptor');
    }
    return 0;
  }

  watchOnLoop(_fd: number, woken: () => void): LoopWatch {
    this.#woken = woken;
    return {
      arm: () => {},
      close: () => {
        this.#woken = null;
      },
    };
  }

  /** One round of Node's loop: it calls back while the eventfd is readable. */
  loop(): void {
    if (this.isNotified) this.#woken?.();
  }

  enter(_ring: number, count: number, flags: number): number {
    this.enterCount += 1;
    const words = this.#words;
    const there = (words[SQ.tail] - words[SQ.head]) | 0;
    assert.equal(count, there, 'all entries of the queue are submitted');
    assert.ok(there <= this.#entryCount, 'no entry is overwritten');
    const scripted = this.enterScript.shift() ?? there;
    if (scripted < 0) return scripted;
    const taken = Math.min(there, scripted);
    for (let index = 0; index < taken; index++) this.#take();
    if ((flags & ENTER_GETEVENTS) !== 0) this.#runWork();
    return taken;
  }

  #take(): void {
    const words = this.#words;
    const index = words[SQ.array + (words[SQ.head] & words[SQ.mask])];
    const entry = this.#entries.slice(index * SQE_WORDS, (index + 1) * SQE_WORDS);
    words[SQ.head] += 1;
    this.taken.push(entry);
    assert.deepEqual([...entry.subarray(11)], [0, 0, 0, 0, 0], 'unused words are zero');
    this.#issue(entry, false);
  }

  #runWork(): void {
    const words = this.#words;
    words[SQ.flags] &= ~SQ_TASKRUN;
    while (this.#overflow.length > 0 && this.#hasRoom) this.#write(this.#overflow.shift());
    for (const { entry, result } of this.#work.splice(0)) {
      if (result === null) this.#issue(entry, true);
      else this.#complete(entry, result, 0);
    }
    if (this.#overflow.length === 0) words[SQ.flags] &= ~SQ_CQ_OVERFLOW;
  }

  #issue(entry: Int32Array, isRetry: boolean): void {
    const operation = entry[0] & 0xff;
    const socket = this.sockets.get(entry[1]);
    if (operation === IORING_OP_ASYNC_CANCEL) this.#cancel(entry);
    else if (socket === undefined) this.#complete(entry, -EBADF, 0);
    else if (operation === IORING_OP_RECV) this.#receive(entry, socket, isRetry);
    else if (operation === IORING_OP_SEND) this.#send(entry, socket);
    else if (operation === IORING_OP_CONNECT) this.#connect(entry, socket);
    else if (operation === IORING_OP_POLL_ADD) this.#poll(entry, socket);
    else assert.fail(`operation ${operation} is one of the driver`);
  }

  /** The entry waits until its socket is ready, which may be at once. */
  #arm(entry: Int32Array): void {
    if (this.#isReady(entry)) this.#later(entry, null);
    else this.#armed.add(entry);
  }

  #isReady(entry: Int32Array): boolean {
    const socket = this.sockets.get(entry[1]);
    if (socket === undefined) return true;
    const operation = entry[0] & 0xff;
    if (operation === IORING_OP_SEND) return socket.room > 0 || isBroken(socket);
    if (operation === IORING_OP_CONNECT) return socket.connected !== null;
    if (entry[7] === POLLOUT) return socket.room > 0 || isBroken(socket);
    return isReadable(socket);
  }

  /** Work for the next enter() with GETEVENTS: sets the flag, and notifies if that is enabled. */
  #later(entry: Int32Array, result: number | null): void {
    this.#work.push({ entry, result });
    const words = this.#words;
    if ((words[SQ.flags] & SQ_TASKRUN) !== 0) return;
    words[SQ.flags] |= SQ_TASKRUN;
    if ((words[CQ.flags] & CQ_EVENTFD_DISABLED) === 0) this.isNotified = true;
  }

  #receive(entry: Int32Array, socket: ScriptedSocket, isRetry: boolean): void {
    const control = entry[0];
    assert.equal((control >>> 8) & 0xff, IOSQE_BUFFER_SELECT);
    assert.equal(entry[10], this.#group);
    if (!isRetry && control >>> 16 === RECV_POLL_FIRST) {
      this.#arm(entry);
      return;
    }
    const scripted = this.receiveScript.shift();
    if (scripted !== undefined) {
      this.#complete(entry, scripted, 0);
      return;
    }
    // The kernel selects a buffer before it checks for bytes.
    if (this.buffersLeft === 0) this.#complete(entry, -ERRNO.ENOBUFS, 0);
    else if (socket.input.length > 0) this.#fill(entry, socket);
    else if (isReadable(socket)) {
      const flags = this.endsUseBuffers ? this.#select().flags : 0;
      this.#complete(entry, endOf(socket), flags);
    } else this.#arm(entry);
  }

  /** The next buffer is used: where it is, and how a completion names it. */
  #select(): { low: number; high: number; length: number; flags: number } {
    const at = (this.#bufferHead & (this.#bufferCount - 1)) * BUFFER_WORDS;
    const [low, high, length] = this.#buffers.subarray(at, at + 3);
    const number = this.#bufferHalves[2 * at + 6];
    this.#bufferHead = (this.#bufferHead + 1) & 0xffff;
    return { low, high, length, flags: CQE_F_BUFFER | (number << CQE_BUFFER_SHIFT) };
  }

  #fill(entry: Int32Array, socket: ScriptedSocket): void {
    const { low, high, length, flags } = this.#select();
    const bytes = Math.min(length, socket.input.length);
    this.memory.at(addressOfWords(low, high), length).set(socket.input.subarray(0, bytes));
    socket.input = socket.input.subarray(bytes);
    const more = isReadable(socket) ? CQE_F_SOCK_NONEMPTY : 0;
    this.#complete(entry, bytes, flags | more);
  }

  /** Buffers that the kernel has and did not use. */
  get buffersLeft(): number {
    const left = (this.#bufferHalves[BUFFER_TAIL] - this.#bufferHead) & 0xffff;
    assert.ok(left <= this.#bufferCount, 'no buffer is overwritten');
    return left;
  }

  #send(entry: Int32Array, socket: ScriptedSocket): void {
    assert.ok((entry[7] & MSG_NOSIGNAL) !== 0, 'a send raises no signal');
    const bytes = Math.min(entry[6], socket.room, this.sendBytesMax);
    if (isBroken(socket)) this.#complete(entry, -ERRNO.EPIPE, 0);
    else if (bytes === 0) this.#arm(entry);
    else {
      const source = this.memory.at(addressOfWords(entry[4], entry[5]), bytes);
      socket.output.push(Buffer.from(source));
      socket.room -= bytes;
      this.#complete(entry, bytes, 0);
    }
  }

  /** sendfile() on a socket that does not block. */
  sendFile(fd: number, source: Uint8Array): number {
    const socket = this.sockets.get(fd);
    assert.ok(socket !== undefined, 'the socket is open');
    if (isBroken(socket)) return -ERRNO.EPIPE;
    const bytes = Math.min(source.length, socket.room, this.sendBytesMax);
    if (bytes === 0) return source.length === 0 ? 0 : -ERRNO.EAGAIN;
    socket.output.push(Buffer.from(source.subarray(0, bytes)));
    socket.room -= bytes;
    return bytes;
  }

  #connect(entry: Int32Array, socket: ScriptedSocket): void {
    this.memory.at(addressOfWords(entry[4], entry[5]), entry[2]);
    if (socket.connected === null) this.#arm(entry);
    else this.#complete(entry, socket.connected, 0);
  }

  #poll(entry: Int32Array, socket: ScriptedSocket): void {
    if (!this.#isReady(entry)) this.#arm(entry);
    else if (entry[7] === POLLOUT) this.#complete(entry, POLLOUT, 0);
    else this.#complete(entry, socket.error === 0 ? POLLIN : POLLIN | POLLHUP, 0);
  }

  #cancel(entry: Int32Array): void {
    assert.deepEqual([entry[2], entry[7]], [0, 0], 'cancelled by its tag');
    const hasTag = (other: Int32Array): boolean => other[8] === entry[4] && other[9] === entry[5];
    const armed = [...this.#armed].find(hasTag);
    const ready = this.#work.find((task) => hasTag(task.entry) && task.result === null);
    if (armed !== undefined) {
      this.#armed.delete(armed);
      this.#later(armed, -ERRNO.ECANCELED);
    } else if (ready !== undefined) {
      this.#work[this.#work.indexOf(ready)] = { entry: ready.entry, result: -ERRNO.ECANCELED };
    } else {
      this.#complete(entry, -ENOENT, 0);
      return;
    }
    const skipsCompletion = ((entry[0] >>> 8) & IOSQE_CQE_SKIP_SUCCESS) !== 0;
    if (!skipsCompletion) this.#complete(entry, 0, 0);
  }

  #complete(entry: Int32Array, result: number, flags: number): void {
    this.post(entry[8], entry[9], result, flags);
  }

  /** Adds a completion, also one without an entry. They keep their order. */
  post(tagLow: number, tagHigh: number, result: number, flags: number): void {
    const completion = [tagLow, tagHigh, result, flags];
    if (this.#hasRoom && this.#overflow.length === 0) {
      this.#write(completion);
    } else {
      this.#overflow.push(completion);
      this.#words[SQ.flags] |= SQ_CQ_OVERFLOW;
    }
  }

  get #hasRoom(): boolean {
    const words = this.#words;
    return ((words[CQ.tail] - words[CQ.head]) | 0) < this.#completionCount;
  }

  #write(completion: readonly number[] = []): void {
    const words = this.#words;
    words.set(completion, this.#cqesAt + (words[CQ.tail] & words[CQ.mask]) * CQE_WORDS);
    words[CQ.tail] += 1;
  }

  /** epoll_ctl(2): for a listener, or for the hang-ups of a socket. */
  control(epoll: number, operation: number, fd: number, events: number, tag: number): number {
    if ((events & EPOLLIN) !== 0) return this.watchListener(epoll, operation, fd);
    const watching = this.sockets.get(epoll);
    assert.ok(watching !== undefined && operation === EPOLL_CTL_ADD && events === EPOLLET);
    assert.ok(!watching.watched.has(fd), 'a descriptor is registered in an epoll once');
    watching.watched.set(fd, tag);
    if (this.sockets.get(fd)?.isReset) this.#hangUp(fd);
    return 0;
  }

  #hangUp(fd: number): void {
    for (const [epoll, { watched, hungUp }] of this.sockets) {
      const tag = watched.get(fd);
      if (tag === undefined) continue;
      hungUp.push(tag);
      this.changed(epoll);
    }
  }

  /** epoll_wait(2), for hang-ups. */
  wait(epoll: number, address: number, eventsMax: number): number {
    const tags = this.sockets.get(epoll)?.hungUp.splice(0, eventsMax) ?? [];
    const bytes = this.memory.at(address, tags.length * EPOLL_EVENT_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (const [index, tag] of tags.entries()) {
      view.setInt32(index * EPOLL_EVENT_BYTES + EPOLL_DATA_OFFSET, tag, true);
    }
    return tags.length;
  }

  /** epoll_ctl(2) for a listener: while it is registered its clients make the epoll readable. */
  watchListener(epoll: number, operation: number, fd: number): number {
    const listener = this.sockets.get(fd);
    const watching = this.sockets.get(epoll);
    assert.ok(listener !== undefined && watching !== undefined);
    watching.backlog = operation === EPOLL_CTL_ADD ? listener.backlog : [];
    this.#epolls.set(fd, epoll);
    this.changed(epoll);
    return 0;
  }

  /** The socket that was made last. */
  get newest(): ScriptedSocket {
    const socket = [...this.sockets.values()].at(-1);
    assert.ok(socket !== undefined);
    return socket;
  }

  /** The peer resets the connection. */
  reset(socket: ScriptedSocket, error: number): void {
    socket.error = error;
    socket.isReset = true;
    this.#hangUp(socket.fd);
    this.changed(socket.fd);
  }

  /** After an action of the peer: entries whose socket became ready complete. */
  changed(fd: number): void {
    const epoll = this.#epolls.get(fd);
    if (epoll !== undefined) this.changed(epoll);
    for (const entry of [...this.#armed]) {
      if (entry[1] !== fd || !this.#isReady(entry)) continue;
      this.#armed.delete(entry);
      this.#later(entry, null);
    }
  }

  /** Takes a buffer from the buffer ring, as a receive does: its number. */
  stealBuffer(): number {
    const at = (this.#bufferHead & (this.#bufferCount - 1)) * BUFFER_WORDS;
    this.#bufferHead = (this.#bufferHead + 1) & 0xffff;
    return this.#bufferHalves[2 * at + 6];
  }

  /** No completion waits to be reaped, and enter() would write none. */
  get isQuiet(): boolean {
    const isRead = this.#words[CQ.head] === this.#words[CQ.tail];
    return isRead && this.#work.length === 0 && this.#overflow.length === 0;
  }

  /** A plain recv(2). */
  recv(fd: number, address: number, bytes: number, flags: number): number {
    assert.equal(flags, MSG_PEEK | MSG_DONTWAIT);
    const socket = this.sockets.get(fd);
    assert.ok(socket !== undefined, `descriptor ${fd} is open`);
    const count = Math.min(bytes, socket.input.length);
    this.memory.at(address, bytes).set(socket.input.subarray(0, count));
    if (count > 0) return count;
    return isReadable(socket) ? endOf(socket) : -ERRNO.EAGAIN;
  }
}

function isReadable(socket: ScriptedSocket): boolean {
  const { input, ended, error, backlog, hungUp } = socket;
  return input.length > 0 || ended || error !== 0 || backlog.length > 0 || hungUp.length > 0;
}

/** A send fails, also after a receive has reported the error. */
function isBroken(socket: ScriptedSocket): boolean {
  return socket.error !== 0 || socket.isReset;
}

/** 0, or an error, which is reported once and followed by the end. */
function endOf(socket: ScriptedSocket): number {
  const { error } = socket;
  socket.error = 0;
  socket.ended = true;
  return error === 0 ? 0 : -error;
}

function addressOfWords(low: number, high: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}
