// The simulated driver: sockets of the simulated network behind the contract of
// src/driver/driver.ts. Operations finish early or late, in any order, in part, or not at all, as
// the seed decides. A caller that breaks the contract gets a violation.

import { ERRNO } from '../../src/base/errno.ts';
import type { Slab } from '../../src/base/slab.ts';
import {
  type Address,
  type Completions,
  type Driver,
  type DriverOptions,
  Op,
  type Peer,
} from '../../src/driver/driver.ts';
import { Random } from '../../testing/random.ts';
import type { Completion, SimDriverParts } from './driver-parts.ts';
import { type Link, peerOf } from './network.ts';
import { SimRegions } from './regions.ts';
import { SimSocket, type SocketDriver } from './socket.ts';
import { ensure, Violation } from './violation.ts';

const PORT = 8080;
/** Free blocks that the driver may keep for later receives, like a ring of provided buffers. */
const HELD_MAX = 4;
/** Completions of one poll that returns only some. */
const FEW = 4;

export class SimDriver implements Driver, SocketDriver {
  readonly name = 'sim';
  wake: (fromLoop: boolean) => void = () => {};
  readonly slab: Slab;
  readonly parts: SimDriverParts;
  readonly sockets: (SimSocket | null)[];
  readonly #regions: SimRegions;
  /** Sockets with new operations: the next poll tries them. */
  #requested: SimSocket[] = [];
  #ready: Completion[] = [];
  /** Completions that are scheduled for later. */
  #later = 0;
  readonly #held: number[] = [];
  readonly #starved = new Set<SimSocket>();
  readonly #random: Random;
  readonly #backlog: number;
  #asleep = false;
  #announced = false;
  #accepting = false;
  #listening = false;
  /** ACCEPTs that poll() has not returned yet. */
  #acceptsDue = 0;
  #destroyed = false;
  polls = 0;
  /** Called before each poll, for the checks between two turns. */
  beforePoll: () => void = () => {};

  constructor(options: DriverOptions, parts: SimDriverParts) {
    this.parts = parts;
    this.slab = options.slab;
    this.sockets = new Array<SimSocket | null>(options.slots).fill(null);
    this.#backlog = options.backlog;
    this.#random = new Random(parts.seed, 'driver');
    this.#regions = new SimRegions(options.slab.bytes, parts.file);
    parts.network.backlogMax = Math.max(options.backlog, 8);
    parts.network.connectionQueued = () => this.#takeClients();
  }

  // --- Clocks and memory ---

  now(): number {
    return this.parts.clock.nowMs;
  }

  wall(): number {
    return this.parts.clock.wallMs;
  }

  map(region: number, bytes: Uint8Array): void {
    this.#regions.map(region, bytes);
  }

  /** Half of the seeds have a driver that cannot send from files. */
  mapFile(region: number, fd: number): boolean {
    return this.parts.seed % 2 !== 0 && this.#regions.mapFile(region, fd);
  }

  unmap(region: number): void {
    this.#regions.unmap(region);
    for (const socket of this.sockets) {
      const isSending = socket?.send?.region === region;
      ensure(!isSending, 'memory', `region ${region} is unmapped while it is sent from`);
    }
  }

  get regionCount(): number {
    return this.#regions.count;
  }

  get heldBlocks(): number {
    let count = this.#held.length;
    for (const { block } of this.#ready) if (block >= 0) count += 1;
    return count;
  }

  region(number: number): Uint8Array {
    return this.#regions.bytes(number);
  }

  // --- Listening ---

  listen(_address: Address): void {
    const { network } = this.parts;
    this.#listening = true;
    this.#accepting = true;
    network.listening = true;
    this.finish({ op: Op.Listen, slot: -1, result: PORT, block: -1 }, 0);
  }

  unlisten(): void {
    ensure(this.#listening, 'contract', 'unlisten() comes after listen()');
    const { network } = this.parts;
    this.#listening = false;
    for (const link of network.backlog.splice(0, this.#backlog)) this.#accepted(link.id);
    network.stopListening();
    this.#unlistenWhenTaken();
  }

  /** UNLISTEN is the last completion of a listener. */
  #unlistenWhenTaken(): void {
    if (this.#acceptsDue > 0) this.#after(1, () => this.#unlistenWhenTaken());
    else this.finish({ op: Op.Unlisten, slot: -1, result: 0, block: -1 }, 0);
  }

  setAccepting(on: boolean): void {
    ensure(this.#listening, 'contract', 'setAccepting() needs a listener');
    this.#accepting = on;
    if (on) this.#takeClients();
  }

  acceptAlso(): void {}

  #takeClients(): void {
    const { network, faults } = this.parts;
    while (this.#listening && this.#accepting && network.backlog.length > 0) {
      if (faults.hit('acceptNoFiles')) this.#accepted(-ERRNO.EMFILE);
      else if (faults.hit('acceptNoBuffers')) this.#accepted(-ERRNO.ENOBUFS);
      else {
        const link = network.backlog.shift();
        if (link !== undefined) this.#accepted(link.id);
        continue;
      }
      // After a failure accept is tried again later, unless the reactor turns it off.
      this.parts.schedule.after(1, () => this.#takeClients());
      return;
    }
  }

  #accepted(result: number): void {
    const { faults } = this.parts;
    const delayMs = faults.hit('slowAccept') ? faults.random('slowAccept').ms(0, 40) : 0;
    this.#acceptsDue += 1;
    this.finish({ op: Op.Accept, slot: -1, result, block: -1 }, delayMs);
  }

  adopt(handle: number, slot: number): void {
    ensure(this.sockets[slot] === null, 'contract', `slot ${slot} is adopted while it is in use`);
    const link = this.#link(handle);
    ensure(!link.adopted && !link.serverClosed, 'contract', 'a handle is adopted once');
    const socket = new SimSocket(this, slot, link);
    link.adopt(socket);
    this.sockets[slot] = socket;
    this.#noteServer(link.lane, () => `adopted as slot ${slot}`);
  }

  refuse(handle: number): void {
    const link = this.#link(handle);
    link.injected.push('turned away');
    this.#noteServer(link.lane, () => 'rejected');
    link.serverReset();
  }

  #link(handle: number): Link {
    const link = this.parts.network.links[handle];
    ensure(link !== undefined, 'contract', `${handle} is a handle`);
    return link;
  }

  connect(): void {
    ensure(false, 'contract', 'a server does not connect');
  }

  // --- Operations on sockets ---

  socket(slot: number): SimSocket {
    const socket = this.sockets[slot];
    if (socket === null || socket === undefined) {
      throw new Violation('contract', `slot ${slot} is no socket`);
    }
    return socket;
  }

  receive(slot: number): void {
    const socket = this.socket(slot);
    socket.startReceive();
    this.enqueue(socket);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    const memory = this.region(region);
    ensure(
      start >= 0 && start < end && end <= memory.length,
      'contract',
      'a send lies within its region',
    );
    const socket = this.socket(slot);
    socket.startSend({ region, start, end, more });
    this.enqueue(socket);
  }

  watch(slot: number): void {
    const socket = this.socket(slot);
    socket.startWatch();
    this.enqueue(socket);
  }

  unacknowledged(slot: number): number {
    return this.socket(slot).link.down.unacknowledged;
  }

  shutdownSend(slot: number): void {
    this.socket(slot).shutdown();
    this.#noteServer(this.socket(slot).link.lane, () => 'shuts down its side');
  }

  abort(slot: number, reset: boolean): void {
    const socket = this.socket(slot);
    this.#noteServer(socket.link.lane, () => (reset ? 'aborts, with a reset' : 'aborts'));
    socket.abort(reset);
  }

  close(slot: number): void {
    const socket = this.socket(slot);
    const { faults } = this.parts;
    this.#noteServer(socket.link.lane, () => 'closes');
    socket.close();
    const delayMs = faults.hit('slowClose') ? faults.random('slowClose').ms(0, 20) : 0;
    this.finish({ op: Op.Close, slot, result: 0, block: -1 }, delayMs);
  }

  peer(slot: number): Peer {
    const { id } = this.socket(slot).link;
    return peerOf(id);
  }

  // --- Completions ---

  /** The next poll tries the operations of this socket. */
  enqueue(socket: SimSocket): void {
    this.#requested.push(socket);
    this.#wakeUp();
  }

  /** Poll() returns the completion after `delayMs`. */
  finish(completion: Completion, delayMs: number): void {
    if (delayMs > 0) {
      this.#after(delayMs, () => this.#makeReady(completion));
      return;
    }
    this.#makeReady(completion);
  }

  #after(delayMs: number, run: () => void): void {
    this.#later += 1;
    this.parts.schedule.after(delayMs, () => {
      this.#later -= 1;
      run();
    });
  }

  #makeReady(completion: Completion): void {
    this.#ready.push(completion);
    this.notify();
  }

  /** The kernel has something for poll(): the loop wakes the pump in its next poll phase. */
  notify(): void {
    if (!this.#asleep || this.#announced) return;
    this.#announced = true;
    this.parts.loop.announce(() => {
      this.#announced = false;
      if (!this.#asleep) return;
      this.#asleep = false;
      this.wake(true);
    });
  }

  /** A call of the server made poll() worth calling. */
  #wakeUp(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.wake(false);
  }

  /** The socket found no free block: it tries again with the next poll. */
  waitForBlock(socket: SimSocket): void {
    this.#starved.add(socket);
  }

  acquireBlock(): number {
    const held = this.#held.pop();
    if (held !== undefined) return held;
    return this.slab.acquire();
  }

  poll(out: Completions): number {
    ensure(!this.#destroyed, 'contract', 'a destroyed driver is not polled');
    this.beforePoll();
    this.polls += 1;
    this.parts.loop.countTurn();
    this.#asleep = false;
    const requested = this.#requested;
    this.#requested = [];
    for (const socket of requested) socket.attempt();
    this.#serveStarved();
    const { faults } = this.parts;
    if (this.#ready.length > 1 && faults.hit('reorder')) {
      // Only completions of sockets change their order; UNLISTEN and LISTEN keep their places.
      this.#random.shuffle(this.#ready, ({ slot }) => slot >= 0);
    }
    let most = Math.min(this.#ready.length, out.capacity);
    if (most > FEW && faults.hit('fewAtOnce')) most = FEW;
    const given = this.#ready;
    this.#ready = given.splice(most);
    let count = 0;
    for (const completion of given) count = this.#deliver(completion, out, count);
    if (faults.hit('holdBlocks')) this.#hold();
    return count;
  }

  #serveStarved(): void {
    if (this.#starved.size === 0) return;
    const waiting = [...this.#starved];
    this.#starved.clear();
    for (const socket of waiting) socket.attempt();
  }

  #deliver(completion: Completion, out: Completions, at: number): number {
    const { op, slot, result, block } = completion;
    const { trace, clock } = this.parts;
    trace.mix(op, slot, result, Math.round(clock.nowMs * 1000));
    if (op === Op.Accept) this.#acceptsDue -= 1;
    else if (op === Op.Close) this.sockets[slot] = null;
    else if (slot >= 0) this.socket(slot).delivered(op, result);
    if (trace.events !== null && slot >= 0 && op !== Op.Close) {
      const name = { [Op.Receive]: 'received', [Op.Send]: 'sent' }[op] ?? 'watched';
      this.#noteServer(this.socket(slot).link.lane, () => `${name} ${result}`);
    }
    return out.set(at, op, slot, result, block);
  }

  #hold(): void {
    if (this.#held.length < HELD_MAX && this.slab.freeCount > 2) {
      const block = this.slab.acquire();
      if (block >= 0) this.#held.push(block);
    } else if (this.#held.length > 0) this.slab.release(this.#held.pop() ?? -1);
  }

  /** Poll() has nothing to do now. */
  get isIdle(): boolean {
    return this.#ready.length === 0 && this.#requested.length === 0;
  }

  sleep(): boolean {
    ensure(!this.#asleep, 'contract', 'sleep() is called once until the driver wakes');
    if (!this.isIdle) return false;
    if (this.#starved.size > 0) {
      if (this.#held.length > 0 || this.slab.freeCount > 0) return false;
      this.slab.whenFree = () => this.#wakeUp();
    }
    this.#asleep = true;
    if (this.parts.faults.hit('spuriousWake')) this.notify();
    return true;
  }

  destroy(): void {
    this.#destroyed = true;
    ensure(
      this.isIdle && this.#later === 0,
      'contract',
      'nothing is in flight when a driver is destroyed',
    );
    for (const block of this.#held.splice(0)) this.slab.release(block);
  }

  #noteServer(lane: number, text: () => string): void {
    this.parts.trace.note(this.parts.clock.nowMs, lane, 'server', text);
  }
}
