// A kernel in memory for the Linux drivers: descriptors, sockets as queues of bytes, edge-triggered
// epoll. Results of calls can be scripted, for faults that a real kernel hardly ever has. Invalid
// calls (a closed descriptor, an unknown address) throw.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import type { CachedPages } from '../../../src/driver/linux/file-calls.ts';
import type { LoopWatch } from '../../../src/driver/linux/foreign.ts';
import {
  AF_INET,
  EPOLL_CTL_ADD,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  EVENTS_BROKEN,
  MSG_NOSIGNAL,
  MSG_PEEK,
} from '../../../src/driver/linux/layout.ts';
import type { Syscalls } from '../../../src/driver/linux/syscalls.ts';
import { ScriptedFiles } from './files.ts';

/** Distance between two areas of memory: an address is an area and an offset in it. */
const AREA_BYTES = 2 ** 32;

const EPOLL_FD = 3;
export const FAKE_PORT = 4242;

/** The calls that can be scripted. */
export type Scripted =
  | 'socket'
  | 'connect'
  | 'accept'
  | 'recv'
  | 'send'
  | 'sendfile'
  | 'control'
  | 'wait';

/** The object of an open descriptor. */
type Open = ScriptedSocket | Listener | 'socket';

/** One connection: the driver has a descriptor, the test plays the peer. */
export class ScriptedSocket {
  readonly #kernel: ScriptedSyscalls;
  readonly sendBufferBytes: number;
  fd = -1;
  tag = 0;
  /** Events it is registered for; 0 when it is not. */
  watched = 0;
  connecting = false;
  /** Bytes not received yet. */
  incoming: number[] = [];
  /** Bytes sent and not taken by the peer yet. */
  outgoing: number[] = [];
  /** All bytes that the peer took. */
  readonly taken: number[] = [];
  peerEnded = false;
  sendingEnded = false;
  isReset = false;
  /** The errno that the next call fails with, once. */
  fault = 0;
  /** A send found too little room: an event reports the next room. */
  noSpace = false;
  lingersZero = false;
  isClosed = false;

  constructor(kernel: ScriptedSyscalls, sendBufferBytes: number) {
    this.#kernel = kernel;
    this.sendBufferBytes = sendBufferBytes;
  }

  /** True when a receive would report the end or an error. */
  get hasEnd(): boolean {
    return this.peerEnded || this.isReset || this.fault !== 0;
  }

  get mask(): number {
    if (this.connecting) return 0;
    let mask = this.incoming.length > 0 || this.hasEnd ? EPOLLIN : 0;
    if (this.outgoing.length < this.sendBufferBytes || this.isReset) mask |= EPOLLOUT;
    if (this.peerEnded || this.isReset) mask |= EPOLLRDHUP;
    if (this.isReset || (this.peerEnded && this.sendingEnded)) mask |= EPOLLHUP;
    if (this.fault !== 0) mask |= EPOLLERR;
    return mask;
  }

  write(bytes: Iterable<number> | string): void {
    if (this.isReset || this.peerEnded) throw new Error('the peer has ended its stream');
    this.incoming.push(...(typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
    this.#kernel.raiseEvent(this);
  }

  end(): void {
    this.peerEnded = true;
    this.#kernel.raiseEvent(this);
  }

  reset(errno: number = ERRNO.ECONNRESET): void {
    this.connecting = false;
    this.isReset = true;
    this.fault = errno;
    this.outgoing = [];
    this.#kernel.raiseEvent(this);
  }

  /** The peer takes sent bytes; an event reports the room if a send needed it. */
  take(max: number = Infinity): void {
    this.taken.push(...this.outgoing.splice(0, max));
    if (!this.noSpace || this.outgoing.length === this.sendBufferBytes) return;
    this.noSpace = false;
    this.#kernel.raiseEvent(this);
  }

  get takenText(): string {
    return Buffer.from(this.taken).toString('latin1');
  }

  /** A connect() in progress succeeds. */
  connected(): void {
    this.connecting = false;
    this.#kernel.raiseEvent(this);
  }
}

class Listener {
  tag = 0;
  watched = 0;
  readonly waiting: ScriptedSocket[] = [];

  get mask(): number {
    return this.waiting.length > 0 ? EPOLLIN : 0;
  }
}

export class ScriptedSyscalls implements Syscalls {
  /** The size of the send buffer of each new socket. */
  sendBufferBytes = 64;
  /** Called when nothing is scripted; null lets the call run. */
  chance: (call: Scripted) => number | null = () => null;
  /** The socket of the newest connect(). */
  newest: ScriptedSocket | null = null;
  listener: Listener | null = null;
  readonly files: ScriptedFiles = new ScriptedFiles();
  readonly counts: Record<Scripted, number> = {
    socket: 0,
    connect: 0,
    accept: 0,
    recv: 0,
    send: 0,
    sendfile: 0,
    control: 0,
    wait: 0,
  };
  readonly #areas: Uint8Array[] = [];
  readonly #open = new Map<number, Open>();
  readonly #scripts = new Map<Scripted, number[]>();
  /** What epoll_wait() reports next, in this order. */
  #ready: (ScriptedSocket | Listener)[] = [];
  /** Events with a mask that the test chose, reported before all others. */
  #injected: { readonly tag: number; readonly mask: number }[] = [];
  #woken: (() => void) | null = null;
  #epollOpen = false;

  /**
   * The next results of a call, one each. A negative one is its errno. A positive one bounds the
   * bytes or events of a call that does happen. 0 lets one call run undisturbed.
   */
  script(call: Scripted, ...results: number[]): void {
    this.#scripts.set(call, [...(this.#scripts.get(call) ?? []), ...results]);
  }

  #next(call: Scripted): number {
    this.counts[call] += 1;
    return this.#scripts.get(call)?.shift() ?? this.chance(call) ?? 0;
  }

  /** Descriptors that are open, the epoll one included. */
  get openCount(): number {
    return this.#open.size + (this.#epollOpen ? 1 : 0);
  }

  /** A client that waits at the listener. */
  client(): ScriptedSocket {
    if (this.listener === null) throw new Error('no listener is open');
    const socket = new ScriptedSocket(this, this.sendBufferBytes);
    this.listener.waiting.push(socket);
    this.raiseEvent(this.listener);
    return socket;
  }

  /** An accepted socket, for tests without a listener; its descriptor is the handle. */
  accepted(): ScriptedSocket {
    const socket = new ScriptedSocket(this, this.sendBufferBytes);
    this.#allocate(socket);
    return socket;
  }

  /** Its readiness changed: an edge, if it is registered. */
  raiseEvent(item: ScriptedSocket | Listener): void {
    if (item.watched !== 0 && !this.#ready.includes(item)) this.#ready.push(item);
  }

  /** Reports an event with any mask, whether true or not. */
  inject(tag: number, mask: number): void {
    this.#injected.push({ tag, mask });
  }

  /** A round of Node's loop: it calls back while the epoll has events. */
  round(): void {
    const isReadable = this.#injected.length > 0 || this.#ready.some((item) => wanted(item) !== 0);
    if (isReadable) this.#woken?.();
  }

  #allocate(what: Open): number {
    let fd = EPOLL_FD + 1;
    while (this.#open.has(fd)) fd += 1;
    this.#open.set(fd, what);
    if (what instanceof ScriptedSocket) what.fd = fd;
    return fd;
  }

  #socketAt(fd: number): ScriptedSocket {
    const found = this.#open.get(fd);
    if (!(found instanceof ScriptedSocket)) throw new Error(`descriptor ${fd} is no open socket`);
    return found;
  }

  #memory(address: number, bytes: number): Uint8Array {
    const area = this.#areas[Math.floor(address / AREA_BYTES) - 1];
    const start = address % AREA_BYTES;
    if (area === undefined || start + bytes > area.length) {
      throw new Error(`${bytes} bytes at ${address} are not in any array`);
    }
    return area.subarray(start, start + bytes);
  }

  addressOf(bytes: Uint8Array): number {
    return (this.#areas.indexOf(bytes) + 1 || this.#areas.push(bytes)) * AREA_BYTES;
  }

  socket(): number {
    const fault = this.#next('socket');
    return fault < 0 ? fault : this.#allocate('socket');
  }

  connect(fd: number): number {
    const fault = this.#next('connect');
    const socket = new ScriptedSocket(this, this.sendBufferBytes);
    socket.fd = fd;
    this.#open.set(fd, socket);
    this.newest = socket;
    if (fault < 0) return fault;
    socket.connecting = true;
    return -ERRNO.EINPROGRESS;
  }

  listen(fd: number): number {
    this.listener = new Listener();
    this.#open.set(fd, this.listener);
    return 0;
  }

  accept(fd: number): number {
    const listener = this.#open.get(fd);
    if (!(listener instanceof Listener)) throw new Error(`descriptor ${fd} does not listen`);
    const fault = this.#next('accept');
    // ECONNABORTED removes a client from the queue; other faults do not.
    if (fault === -ERRNO.ECONNABORTED && listener.waiting.shift() === undefined) return -EAGAIN;
    if (fault < 0) return fault;
    const socket = listener.waiting.shift();
    return socket === undefined ? -EAGAIN : this.#allocate(socket);
  }

  /**
   * After a scripted EAGAIN or short read the other bytes count as arrived after the call: an edge
   * follows. EINTR and the like change nothing, so none does.
   */
  recv(fd: number, address: number, bytes: number, flags: number): number {
    const socket = this.#socketAt(fd);
    const target = this.#memory(address, bytes);
    const scripted = this.#next('recv');
    if (scripted === -EAGAIN || scripted > 0) this.raiseEvent(socket);
    if (scripted < 0) return scripted;
    if (socket.incoming.length === 0) return endOf(socket);
    const count = Math.min(bytes, socket.incoming.length, scripted || Infinity);
    target.set(socket.incoming.slice(0, count));
    if ((flags & MSG_PEEK) === 0) socket.incoming.splice(0, count);
    return count;
  }

  /**
   * After a scripted EAGAIN or short send an event reports room as soon as the peer takes bytes.
   */
  send(fd: number, address: number, bytes: number, flags: number): number {
    assert.ok((flags & MSG_NOSIGNAL) !== 0, 'a send raises no signal');
    return this.#sendBytes(fd, this.#memory(address, bytes), 'send');
  }

  #sendBytes(fd: number, source: Uint8Array, call: 'send' | 'sendfile'): number {
    const socket = this.#socketAt(fd);
    const bytes = source.length;
    const scripted = this.#next(call);
    // A broken socket fails the send: no event would report room.
    if (socket.fault !== 0) return endOf(socket);
    if (socket.isReset || socket.sendingEnded) return -ERRNO.EPIPE;
    if (scripted === -EAGAIN) socket.noSpace = true;
    if (scripted < 0) return scripted;
    const room = socket.sendBufferBytes - socket.outgoing.length;
    const count = Math.min(bytes, room, scripted || Infinity);
    if (count < bytes) socket.noSpace = true;
    socket.outgoing.push(...source.subarray(0, count));
    return count > 0 ? count : -EAGAIN;
  }

  readonly sendsFiles = true;

  sendfile(fd: number, file: number, position: number, bytes: number): number {
    return this.#sendBytes(fd, this.files.bytes(file, position, bytes), 'sendfile');
  }

  isCached(file: number, position: number): boolean {
    return this.files.isCached(file, position);
  }

  cachedPages(file: number, position: number, bytes: number): CachedPages {
    return this.files.cachedPages(file, position, bytes);
  }

  shutdown(fd: number): number {
    const socket = this.#socketAt(fd);
    socket.sendingEnded = true;
    this.raiseEvent(socket);
    return 0;
  }

  unacknowledged(fd: number): number {
    return this.#socketAt(fd).outgoing.length;
  }

  broken(fd: number): number {
    return this.#socketAt(fd).mask & EVENTS_BROKEN;
  }

  /** Nothing is inherited here. */
  fcntl(): number {
    return 0;
  }

  lingerZero(fd: number): number {
    this.#socketAt(fd).lingersZero = true;
    return 0;
  }

  getsockopt(fd: number): number {
    return -endOf(this.#socketAt(fd), 0);
  }

  close(fd: number): number {
    if (fd === EPOLL_FD && this.#epollOpen) {
      this.#epollOpen = false;
      return 0;
    }
    const found = this.#open.get(fd);
    if (found === undefined) throw new Error(`descriptor ${fd} is not open`);
    this.#open.delete(fd);
    if (found === 'socket') return 0;
    this.#ready = this.#ready.filter((item) => item !== found);
    found.watched = 0;
    if (found instanceof ScriptedSocket) {
      found.isClosed = true;
      this.#injected = this.#injected.filter(({ tag }) => tag !== found.tag);
    } else {
      this.listener = null;
    }
    return 0;
  }

  epollCreate(): number {
    this.#epollOpen = true;
    return EPOLL_FD;
  }

  epollControl(_epoll: number, operation: number, fd: number, events: number, tag: number): number {
    const found = this.#open.get(fd);
    if (found === undefined || found === 'socket') throw new Error(`descriptor ${fd} is not ready`);
    const fault = this.#next('control');
    if (fault < 0) return fault;
    found.watched = operation === EPOLL_CTL_ADD ? events | EPOLLHUP | EPOLLERR : 0;
    found.tag = tag;
    this.#ready = this.#ready.filter((item) => item !== found);
    if (wanted(found) !== 0) this.raiseEvent(found);
    return 0;
  }

  epollWait(_epoll: number, address: number, eventsMax: number): number {
    const scripted = this.#next('wait');
    if (scripted < 0) return scripted;
    const max = scripted > 0 ? Math.min(scripted, eventsMax) : eventsMax;
    let count = 0;
    const report = (mask: number, tag: number): void => {
      const event = this.#memory(address + count * EPOLL_EVENT_BYTES, EPOLL_EVENT_BYTES);
      const view = new DataView(event.buffer, event.byteOffset);
      view.setInt32(0, mask, true);
      view.setInt32(EPOLL_DATA_OFFSET, tag, true);
      count += 1;
    };
    for (const { mask, tag } of this.#injected.splice(0, max)) report(mask, tag);
    for (let left = this.#ready.length; left > 0 && count < max; left--) {
      const item = this.#ready.shift();
      if (item === undefined || wanted(item) === 0) continue;
      report(wanted(item), item.tag);
      // Level-triggered ones stay ready, after all others.
      if ((item.watched & EPOLLET) === 0) this.#ready.push(item);
    }
    return count;
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

  setsockopt(): number {
    return 0;
  }

  bind(): number {
    return 0;
  }

  getsockname(_fd: number, address: Uint8Array): number {
    const view = new DataView(address.buffer, address.byteOffset);
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, FAKE_PORT);
    return 16;
  }

  getpeername(fd: number, address: Uint8Array): number {
    return this.#open.has(fd) ? this.getsockname(fd, address) : -EBADF;
  }
}

const { EAGAIN, EBADF } = ERRNO;

function wanted(item: ScriptedSocket | Listener): number {
  return item.mask & item.watched;
}

/** The result of a call on a socket without bytes. A fault is reported once, also to a peek. */
function endOf(socket: ScriptedSocket, otherwise = -EAGAIN): number {
  const { fault } = socket;
  socket.fault = 0;
  if (fault !== 0) return -fault;
  return socket.hasEnd ? 0 : otherwise;
}
