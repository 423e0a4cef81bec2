// The driver of connections within this process: no port, no descriptor, no thread. Its clients are
// objects. The clock is the real one; nothing here keeps the process alive.
//
// Its differences from the kernel's sockets: bytes arrive at once and in order, a close never
// destroys bytes that were sent, and an end of the stream counts as acknowledged when it was read.

import { assert } from '../../base/assert.ts';
import type { Slab } from '../../base/slab.ts';
import { CompletionQueue } from '../completion-queue.ts';
import {
  type Address,
  type Completions,
  type Driver,
  type DriverOptions,
  Op,
  type Peer,
} from '../driver.ts';
import { type MemoryClient, type MemoryShared, MemorySocket } from './socket.ts';

/** No accept: before listen() and after UNLISTEN. Last: UNLISTEN follows the waiting clients. */
const Listener = { Off: 0, On: 1, Last: 2 } as const;
type Listener = (typeof Listener)[keyof typeof Listener];

/** Completions of operations without a socket: LISTEN and UNLISTEN. */
const LISTENER_COMPLETIONS = 2;

export class MemoryDriver implements Driver {
  readonly name = 'memory';
  wake: (fromLoop: boolean) => void = () => {};
  readonly #slab: Slab;
  readonly #queue: CompletionQueue;
  readonly #shared: MemoryShared;
  readonly #regions = new Map<number, Uint8Array>();
  readonly #sockets: (MemorySocket | null)[];
  /** Clients that the server has not accepted. */
  readonly #waiting: MemorySocket[] = [];
  /** Accepted clients that were neither adopted nor refused, by their handle. */
  readonly #accepted = new Map<number, MemorySocket>();
  #listener: Listener = Listener.Off;
  #accepting = true;
  #handles = 0;
  #asleep = false;

  constructor({ slab, slots }: DriverOptions) {
    this.#slab = slab;
    // A socket has a receive, a send and a watch in flight, or a close.
    this.#queue = new CompletionQueue(slots * 3 + LISTENER_COMPLETIONS);
    this.#regions.set(0, slab.bytes);
    this.#sockets = new Array<MemorySocket | null>(slots).fill(null);
    this.#shared = {
      slab,
      starved: new Set(),
      complete: (op, slot, result, block) => {
        this.#queue.push(op, slot, result, block);
        this.#notify();
      },
    };
  }

  /** Connects a client. */
  open(peer: Peer): MemoryClient {
    const socket = new MemorySocket(this.#shared, peer);
    if (this.#listener === Listener.On) {
      this.#waiting.push(socket);
      this.#notify();
    } else socket.refuse();
    return socket.client;
  }

  #notify(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.wake(false);
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  map(region: number, bytes: Uint8Array): void {
    assert(region > 0 && !this.#regions.has(region), 'a mapped region is new and not the slab');
    this.#regions.set(region, bytes);
  }

  mapFile(): boolean {
    return false;
  }

  unmap(region: number): void {
    const wasMapped = this.#regions.delete(region);
    assert(wasMapped, 'an unmapped region was mapped');
  }

  listen(_address: Address): void {
    this.#listener = Listener.On;
    this.#shared.complete(Op.Listen, -1, 0, -1);
  }

  unlisten(): void {
    this.#listener = Listener.Last;
    this.#notify();
  }

  setAccepting(on: boolean): void {
    this.#accepting = on;
    if (on) this.#notify();
  }

  /** There are no other listeners. */
  acceptAlso(_fd: number, _on: boolean): void {}

  adopt(handle: number, slot: number): void {
    assert(this.#sockets[slot] === null, 'a new socket gets a free slot');
    const socket = this.#release(handle);
    socket.slot = slot;
    this.#sockets[slot] = socket;
  }

  refuse(handle: number): void {
    this.#release(handle).refuse();
  }

  #release(handle: number): MemorySocket {
    const socket = this.#accepted.get(handle);
    assert(socket !== undefined, 'a handle is used once');
    this.#accepted.delete(handle);
    return socket;
  }

  connect(): void {
    assert(false, 'clients of this driver connect by open()');
  }

  receive(slot: number): void {
    this.#at(slot).receive();
  }

  send(slot: number, region: number, start: number, end: number, _more: boolean): void {
    const memory = this.#regions.get(region);
    assert(memory !== undefined, 'what is sent is mapped');
    assert(start >= 0 && start < end && end <= memory.length, 'what is sent lies in its region');
    this.#at(slot).send(memory, start, end);
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
    return this.#at(slot).peer;
  }

  #at(slot: number): MemorySocket {
    const socket = this.#sockets[slot];
    assert(socket !== null && socket !== undefined, 'a slot in use has a socket');
    return socket;
  }

  poll(out: Completions): number {
    this.#asleep = false;
    this.#retryStarved();
    const first = this.#listener === Listener.Off ? 0 : this.#accept(out);
    const count = this.#queue.moveTo(out, first);
    for (let index = first; index < count; index++) {
      if (out.op[index] === Op.Close) this.#sockets[out.slot[index]] = null;
    }
    return count;
  }

  /** Reports waiting clients, and after the last one UNLISTEN. */
  #accept(out: Completions): number {
    let count = 0;
    const isLast = this.#listener === Listener.Last;
    while ((this.#accepting || isLast) && count < out.capacity) {
      const socket = this.#waiting.shift();
      if (socket === undefined) break;
      this.#handles += 1;
      this.#accepted.set(this.#handles, socket);
      count = out.set(count, Op.Accept, -1, this.#handles, -1);
    }
    if (isLast && this.#waiting.length === 0 && count < out.capacity) {
      this.#listener = Listener.Off;
      count = out.set(count, Op.Unlisten, -1, 0, -1);
    }
    return count;
  }

  /** Blocks were released: starved receives get them, in their order. */
  #retryStarved(): void {
    const { starved } = this.#shared;
    for (const socket of starved) {
      if (this.#slab.freeCount === 0) return;
      starved.delete(socket);
      socket.retry();
    }
  }

  sleep(): boolean {
    const { starved } = this.#shared;
    const isLast = this.#listener === Listener.Last;
    const canAccept = this.#accepting && this.#waiting.length > 0;
    const canReceive = starved.size > 0 && this.#slab.freeCount > 0;
    if (this.#queue.length > 0 || canAccept || isLast || canReceive) return false;
    if (starved.size > 0) this.#slab.whenFree = () => this.#notify();
    this.#asleep = true;
    return true;
  }

  destroy(): void {
    const isEmpty = this.#sockets.every((socket) => socket === null);
    assert(isEmpty, 'a driver is destroyed when every socket is closed');
    this.#regions.clear();
  }
}
