// Hot: runs for every completion. Measured by perf/micro/driver.ts.
// The portable driver: node:net behind the completions of driver.ts, for macOS, Windows and where
// the Linux drivers cannot run. Its differences from them:
//
// - Node accepts clients by itself. After setAccepting(false) they wait here, unread, instead of in
//   the kernel's queue; `backlog` bounds both, and clients beyond it are closed.
// - Node accepts about one client in a round of its loop. unlisten() reports the clients of the
//   kernel's queue together, after the last one.
// - A send passes at most 128 KiB to Node and completes when these have left; `more` has no effect.
// - abort() of a unix socket closes it without a reset, as Node can reset TCP only.
// - A reset that arrives after bytes can look like the end of the stream: libuv does not check.
// - Node does not report a reset while nothing is read, so a watched socket is probed regularly.
// - Unacknowledged bytes are known on Linux alone, and only of TCP.

import { Socket } from 'node:net';
import { assert } from '../../base/assert.ts';
import { ERRNO, faultOf } from '../../base/errno.ts';
import type { Slab } from '../../base/slab.ts';
import {
  type Address,
  type Completions,
  type Driver,
  type DriverOptions,
  Op,
  type Peer,
} from '../driver.ts';
import { NetClients } from './clients.ts';
import { NetProbe } from './probe.ts';
import { NetQueue } from './queue.ts';
import { type NetShared, NetSocket } from './socket.ts';
import { NetTable } from './table.ts';

export class NetDriver implements Driver {
  readonly name = 'net';
  readonly #slab: Slab;
  readonly #queue: NetQueue;
  readonly #shared: NetShared;
  readonly #clients: NetClients;
  readonly #sockets: (NetSocket | null)[];
  /** Full regions as buffers; a send uses a part of one. Region 0, the slab, is #slabRegion. */
  readonly #regions = new Map<number, Buffer>();
  readonly #slabRegion: Buffer;

  constructor(options: DriverOptions) {
    this.#slab = options.slab;
    this.#slabRegion = bufferOf(options.slab.bytes);
    // A socket has a receive, a send and a watch in flight, or a connect, or a close.
    const queue = new NetQueue(options.slots * 3);
    this.#queue = queue;
    this.#shared = {
      slab: options.slab,
      queue,
      starved: new Set(),
      blockReleased: () => queue.notify(),
      probe: new NetProbe(),
      table: new NetTable(),
    };
    this.#clients = new NetClients(this.#shared, options.backlog);
    this.#sockets = new Array<NetSocket | null>(options.slots).fill(null);
  }

  get wake(): (fromLoop: boolean) => void {
    return this.#queue.wake;
  }

  set wake(wake: (fromLoop: boolean) => void) {
    this.#queue.wake = wake;
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  map(region: number, bytes: Uint8Array): void {
    assert(region > 0 && !this.#regions.has(region), 'a mapped region is new and not the slab');
    this.#regions.set(region, bufferOf(bytes));
  }

  /** Node cannot send from a file without reading it. */
  mapFile(): boolean {
    return false;
  }

  unmap(region: number): void {
    const wasMapped = this.#regions.delete(region);
    assert(wasMapped, 'an unmapped region was mapped');
  }

  listen(address: Address): void {
    this.#clients.listen(address);
  }

  unlisten(last = false): void {
    this.#clients.unlisten(last);
  }

  setAccepting(on: boolean): void {
    this.#clients.setAccepting(on);
  }

  /**
   * Nothing to do: under node:cluster all workers of a port share one listener, so no client waits
   * for one worker alone.
   */
  acceptAlso(_fd: number, _on: boolean): void {}

  adopt(handle: number, slot: number): void {
    this.#setSocket(this.#clients.release(handle), slot);
  }

  refuse(handle: number): void {
    this.#clients.release(handle).socket.destroy();
  }

  connect(address: Address, slot: number): void {
    const socket = new Socket({ allowHalfOpen: true });
    // Like an accepted one, it reads nothing before the first receive().
    socket.pause();
    const entry = new NetSocket(this.#shared, socket, 'path' in address);
    this.#setSocket(entry, slot);
    entry.startConnect();
    try {
      if ('path' in address) {
        socket.connect({ path: address.path });
      } else if ('host' in address) {
        const { host, port, from } = address;
        const local = from === undefined ? {} : { localAddress: from };
        socket.connect({ host, port, noDelay: true, ...local });
      } else {
        entry.connectDone(-ERRNO.EINVAL);
      }
    } catch (error) {
      entry.connectDone(faultOf(error, ERRNO.EINVAL));
    }
  }

  receive(slot: number): void {
    this.#at(slot).receive();
  }

  send(slot: number, region: number, start: number, end: number, _more: boolean): void {
    const bytes = region === 0 ? this.#slabRegion : this.#regions.get(region);
    assert(bytes !== undefined, 'what is sent is mapped');
    assert(start >= 0 && start < end && end <= bytes.length, 'what is sent lies in its region');
    this.#at(slot).send(bytes.subarray(start, end));
  }

  watch(slot: number): void {
    this.#at(slot).watch();
  }

  unacknowledged(slot: number): number {
    return this.#at(slot).unacknowledged();
  }

  shutdownSend(slot: number): void {
    this.#at(slot).shutdownSend();
  }

  abort(slot: number, reset: boolean): void {
    this.#at(slot).abort(reset);
  }

  close(slot: number): void {
    this.#at(slot).close();
  }

  peer(slot: number): Peer {
    return this.#at(slot).peer();
  }

  poll(out: Completions): number {
    const queue = this.#queue;
    queue.armed = false;
    if (this.#shared.starved.size > 0) this.#retryStarved();
    const first = this.#clients.isReady() ? this.#clients.poll(out) : 0;
    const count = queue.moveTo(out, first);
    for (let index = first; index < count; index++) this.#endFlight(out.slot[index], out.op[index]);
    return count;
  }

  sleep(): boolean {
    const canReceive = this.#shared.starved.size > 0 && this.#slab.freeCount > 0;
    if (this.#queue.length > 0 || canReceive || this.#clients.isReady()) return false;
    if (this.#shared.starved.size > 0) this.#slab.whenFree = this.#shared.blockReleased;
    this.#queue.armed = true;
    return true;
  }

  destroy(): void {
    const isEmpty = this.#sockets.every((entry) => entry === null);
    assert(isEmpty, 'a driver is destroyed when every socket is closed');
    this.#clients.destroy();
    this.#shared.probe.stop();
    this.#queue.armed = false;
    this.#regions.clear();
  }

  #at(slot: number): NetSocket {
    const entry = this.#sockets[slot];
    assert(entry !== null && entry !== undefined, 'a slot in use has a socket');
    return entry;
  }

  #setSocket(entry: NetSocket, slot: number): void {
    assert(this.#sockets[slot] === null, 'a new socket gets a free slot');
    entry.slot = slot;
    this.#sockets[slot] = entry;
  }

  /** poll() reports the completion: the operation is no longer in flight. */
  #endFlight(slot: number, op: number): void {
    if (op === Op.Close) this.#sockets[slot] = null;
    else this.#at(slot).endFlight(op);
  }

  /** Blocks were released: starved receives get them, in their order. */
  #retryStarved(): void {
    const starved = this.#shared.starved;
    for (const entry of starved) {
      if (this.#slab.freeCount === 0) return;
      starved.delete(entry);
      entry.retry();
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
