// Hot: runs for every turn. Measured by perf/micro/driver.ts.
// What the Linux drivers share: the table of descriptors, memory to send from, listeners, the queue
// of completions that need no kernel, and waking up. Each driver receives and sends its own way.

import { assert } from '../../base/assert.ts';
import { ERRNO } from '../../base/errno.ts';
import type { Slab } from '../../base/slab.ts';
import { CompletionQueue } from '../completion-queue.ts';
import { type Address, type DriverOptions, type MemoryFiles, Op, type Peer } from '../driver.ts';
import { callFault } from './call-fault.ts';
import { FileSends } from './file-sends.ts';
import {
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  IPPROTO_TCP,
  SHUT_WR,
  SOCKADDR_BYTES,
  TCP_NODELAY,
} from './layout.ts';
import { Listener } from './listener.ts';
import { linuxMemoryFiles } from './memory-files.ts';
import { RegionAddresses } from './region-addresses.ts';
import { peerFrom, socketAddress } from './sockaddr.ts';
import type { Syscalls } from './syscalls.ts';

/** The tag of a listener's events; a socket's events have its slot. */
export const LISTENER_TAG = -1;

/** The state of a slot's watch; bits of #watches. */
const WATCHING = 1; // in flight
const PREPARED = 2; // an event reports when the connection breaks

export abstract class LinuxDriver {
  wake: (fromLoop: boolean) => void = () => {};
  protected asleep = false;
  protected readonly calls: Syscalls;
  protected readonly slab: Slab;
  protected readonly regions: RegionAddresses;
  readonly memoryFiles?: MemoryFiles;
  protected readonly files: FileSends;
  protected readonly listener: Listener;
  /** An epoll, in which at least the listeners are registered. */
  protected readonly epoll: number;
  /** The descriptor of a slot, -1 when there is none. */
  protected readonly fds: Int32Array;
  protected readonly queue: CompletionQueue;
  /** For a socket's name, and for a byte that is only peeked at. */
  protected readonly scratch: Uint8Array = new Uint8Array(SOCKADDR_BYTES);
  protected readonly scratchAddress: number;
  readonly #backlog: number;
  readonly #watches: Uint8Array;

  constructor({ slab, slots, backlog }: DriverOptions, calls: Syscalls) {
    this.calls = calls;
    this.slab = slab;
    this.#backlog = backlog;
    this.fds = new Int32Array(slots).fill(-1);
    this.queue = new CompletionQueue(4 * slots + 8);
    this.#watches = new Uint8Array(slots);
    this.regions = new RegionAddresses(calls, slab);
    this.files = new FileSends(calls);
    if (calls.sendsFiles) this.memoryFiles = linuxMemoryFiles;
    this.scratchAddress = calls.addressOf(this.scratch);
    this.epoll = calls.epollCreate();
    if (this.epoll < 0) throw callFault('epoll_create1', -this.epoll);
    this.listener = new Listener(calls, this.epoll, LISTENER_TAG);
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  map(region: number, bytes: Uint8Array): void {
    this.regions.map(region, bytes);
  }

  mapFile(region: number, fd: number, identity: number): boolean {
    return this.files.map(region, fd, identity);
  }

  unmap(region: number): void {
    if (region < 0) this.files.unmap(region);
    else this.regions.unmap(region);
  }

  listen(address: Address): void {
    this.complete(Op.Listen, -1, this.listener.open(address, this.#backlog));
  }

  unlisten(last = false): void {
    this.listener.startClose(last);
    this.wakeUp();
  }

  setAccepting(on: boolean): void {
    const status = this.listener.setAccepting(on);
    if (status < 0) this.complete(Op.Accept, -1, status);
  }

  acceptAlso(fd: number, on: boolean): void {
    this.listener.acceptAlso(fd, on);
  }

  refuse(handle: number): void {
    this.calls.close(handle);
  }

  shutdownSend(slot: number): void {
    this.calls.shutdown(this.fds[slot], SHUT_WR);
  }

  unacknowledged(slot: number): number {
    const bytes = this.calls.unacknowledged(this.fds[slot]);
    return bytes < 0 ? -1 : bytes;
  }

  watch(slot: number): void {
    const fd = this.fds[slot];
    const watch = this.#watches[slot];
    assert(fd >= 0, 'a watched slot is open');
    assert((watch & WATCHING) === 0, 'one watch in flight a socket');
    this.#watches[slot] = WATCHING | PREPARED;
    // The connection may have broken before this call.
    if (this.calls.broken(fd) > 0) this.#endWatch(slot, -ERRNO.ECONNRESET);
    else if ((watch & PREPARED) === 0) this.prepareWatch(fd, slot);
  }

  /** From now on the driver calls broken() when the connection breaks. */
  protected abstract prepareWatch(fd: number, slot: number): void;

  /** An event says that the connection is broken; it may be of an earlier socket of the slot. */
  protected broken(slot: number): void {
    if ((this.#watches[slot] & WATCHING) === 0) return;
    if (this.calls.broken(this.fds[slot]) > 0) this.#endWatch(slot, -ERRNO.ECONNRESET);
  }

  protected cancelWatch(slot: number): void {
    if ((this.#watches[slot] & WATCHING) !== 0) this.#endWatch(slot, -ERRNO.ECANCELED);
  }

  #endWatch(slot: number, result: number): void {
    this.#watches[slot] &= ~WATCHING;
    this.complete(Op.Watch, slot, result);
  }

  peer(slot: number): Peer {
    const status = this.calls.getpeername(this.fds[slot], this.scratch);
    return status < 0 ? { address: '', port: 0 } : peerFrom(this.scratch);
  }

  /** A socket to connect with, bound to the address to connect from; or -errno. */
  protected connectingSocket(family: number, type: number, address: Address): number {
    const fd = this.calls.socket(family, type, 0);
    if (fd < 0) return fd;
    this.calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!('host' in address) || address.from === undefined) return fd;
    const from = socketAddress(address.from, 0);
    assert(from !== null && from.family === family, 'a connection comes from its own family');
    // connect() chooses the port: it may use one again for another target.
    this.calls.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    const status = this.calls.bind(fd, from.bytes, from.length);
    if (status >= 0) return fd;
    this.calls.close(fd);
    return status;
  }

  /** Nothing is in flight. After a failed connect() there may be no descriptor. */
  protected closeSlot(slot: number): void {
    const fd = this.fds[slot];
    assert((this.#watches[slot] & WATCHING) === 0, 'no watch is in flight at close');
    if (fd >= 0) this.calls.close(fd);
    this.fds[slot] = -1;
    this.#watches[slot] = 0;
    this.complete(Op.Close, slot, 0);
  }

  /** Queues a completion for the next poll(). */
  protected complete(op: number, slot: number, result: number): void {
    this.queue.push(op, slot, result, -1);
    this.wakeUp();
  }

  protected wakeUp(): void {
    if (!this.asleep) return;
    this.endSleep();
    this.wake(false);
  }

  /** A wait of Node's loop ended, perhaps for another reason than an event of this driver. */
  protected notified(): void {
    if (!this.asleep) return;
    this.endSleep();
    this.wake(true);
  }

  protected endSleep(): void {
    this.asleep = false;
  }

  protected closeEpoll(): void {
    assert(!this.listener.isOpen, 'the listener is closed first');
    this.calls.close(this.epoll);
  }
}
