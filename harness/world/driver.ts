// The fourth driver: sockets of the simulated network behind the contract of src/driver/driver.ts.
// Whatever real drivers may do it does at times, as the seed says: finish early or late, in any
// order, in part, or not at all. And it fails for whoever breaks the contract from above.

import type { Slab } from '../../src/base/slab.ts';
import {
  type Address,
  type Completions,
  type Driver,
  type DriverOptions,
  ERRNO,
  Op,
  type Peer,
} from '../../src/driver/driver.ts';
import { Random } from '../../testing/random.ts';
import type { Clock, Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import type { VirtualLoop } from './loop.ts';
import { type Link, type Network, peerOf } from './network.ts';
import { type Completion, SimSocket } from './socket.ts';
import type { Trace } from './trace.ts';
import { ensure, Violation } from './violation.ts';

export interface SimDriverParts {
  readonly seed: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly loop: VirtualLoop;
  readonly network: Network;
  readonly faults: Faults;
  readonly trace: Trace;
}

const PORT = 8080;
/** Free blocks that the driver may keep for receives to come, as a ring does. */
const HELD_MAX = 4;
/** Completions of one poll when it gives only some. */
const FEW = 4;

export class SimDriver implements Driver {
  readonly name = 'sim';
  wake: (fromLoop: boolean) => void = () => {};
  readonly slab: Slab;
  readonly parts: SimDriverParts;
  readonly sockets: (SimSocket | null)[];
  readonly #regions = new Map<number, Uint8Array>();
  /** Asked for and not tried yet: the next poll does that. */
  #asked: SimSocket[] = [];
  #ready: Completion[] = [];
  /** Operations that will finish without anybody's doing, when their time comes. */
  #later = 0;
  readonly #held: number[] = [];
  readonly #blockless = new Set<SimSocket>();
  readonly #random: Random;
  readonly #backlog: number;
  #asleep = false;
  #announced = false;
  #accepting = false;
  #listening = false;
  /** ACCEPTs that were not given to the reactor yet. */
  #acceptsDue = 0;
  #destroyed = false;
  polls = 0;
  /** Runs before each poll: what stands between two turns is looked at. */
  beforePoll: () => void = () => {};

  constructor(options: DriverOptions, parts: SimDriverParts) {
    this.parts = parts;
    this.slab = options.slab;
    this.sockets = new Array<SimSocket | null>(options.slots).fill(null);
    this.#backlog = options.backlog;
    this.#random = new Random(parts.seed, 'driver');
    this.#regions.set(0, options.slab.bytes);
    parts.network.backlogMax = Math.max(options.backlog, 8);
    parts.network.knocked = () => this.#takeClients();
  }

  // --- Clocks and memory ---

  now(): number {
    return this.parts.clock.nowMs;
  }

  wall(): number {
    return this.parts.clock.wallMs;
  }

  map(region: number, bytes: Uint8Array): void {
    ensure(region > 0 && !this.#regions.has(region), 'contract', 'a mapped region is new');
    this.#regions.set(region, bytes);
  }

  unmap(region: number): void {
    ensure(this.#regions.delete(region), 'contract', 'an unmapped region was mapped');
    for (const socket of this.sockets) {
      const isSending = socket?.send?.region === region;
      ensure(!isSending, 'memory', `region ${region} is unmapped while it is sent from`);
    }
  }

  get regionCount(): number {
    return this.#regions.size - 1;
  }

  get heldBlocks(): number {
    let count = this.#held.length;
    for (const { block } of this.#ready) if (block >= 0) count += 1;
    return count;
  }

  region(number: number): Uint8Array {
    const bytes = this.#regions.get(number);
    ensure(bytes !== undefined, 'memory', `region ${number} is mapped while it is sent from`);
    return bytes;
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
    ensure(this.#listening, 'contract', 'unlisten() follows on listen()');
    const { network } = this.parts;
    this.#listening = false;
    for (const link of network.backlog.splice(0, this.#backlog)) this.#accepted(link.id);
    network.stop();
    this.#unlistenWhenTaken();
  }

  /** UNLISTEN is the listener's last word. */
  #unlistenWhenTaken(): void {
    if (this.#acceptsDue > 0) this.#after(1, () => this.#unlistenWhenTaken());
    else this.finish({ op: Op.Unlisten, slot: -1, result: 0, block: -1 }, 0);
  }

  accepting(on: boolean): void {
    ensure(this.#listening, 'contract', 'accepting() is about a listener');
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
      // Who failed is asked again after a while, or told to stop.
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
    this.#noteServer(link.lane, () => `taken as slot ${slot}`);
  }

  refuse(handle: number): void {
    const link = this.#link(handle);
    link.injected.push('turned away');
    this.#noteServer(link.lane, () => 'refused');
    link.serverReset();
  }

  #link(handle: number): Link {
    const link = this.parts.network.links[handle];
    ensure(link !== undefined, 'contract', `${handle} is a handle`);
    return link;
  }

  connect(): void {
    ensure(false, 'contract', 'a server connects to nobody');
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
    socket.askReceive();
    this.ask(socket);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    const memory = this.region(region);
    ensure(start >= 0 && start < end && end <= memory.length, 'contract', 'a send lies in memory');
    const socket = this.socket(slot);
    socket.askSend({ region, start, end, more });
    this.ask(socket);
  }

  watch(slot: number): void {
    const socket = this.socket(slot);
    socket.askWatch();
    this.ask(socket);
  }

  unacknowledged(slot: number): number {
    return this.socket(slot).link.down.unacknowledged;
  }

  shutdownSend(slot: number): void {
    this.socket(slot).shutdown();
    this.#noteServer(this.socket(slot).link.lane, () => 'shuts its side');
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

  // --- What finishes ---

  /** The next poll tries what this socket asked for. */
  ask(socket: SimSocket): void {
    this.#asked.push(socket);
    this.#wakeUp();
  }

  /** A completion that poll() gives from `delayMs` on. */
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
    this.ring();
  }

  /** Poll became worth calling through the kernel: the loop says so when it comes around. */
  ring(): void {
    if (!this.#asleep || this.#announced) return;
    this.#announced = true;
    this.parts.loop.announce(() => {
      this.#announced = false;
      if (!this.#asleep) return;
      this.#asleep = false;
      this.wake(true);
    });
  }

  /** The same through a call from above. */
  #wakeUp(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.wake(false);
  }

  /** Lets a socket that found no block try again when one comes back. */
  awaitBlock(socket: SimSocket): void {
    this.#blockless.add(socket);
  }

  acquireBlock(): number {
    const held = this.#held.pop();
    if (held !== undefined) return held;
    return this.slab.acquire();
  }

  poll(out: Completions): number {
    ensure(!this.#destroyed, 'contract', 'nobody polls what was destroyed');
    this.beforePoll();
    this.polls += 1;
    this.parts.loop.countTurn();
    this.#asleep = false;
    const asked = this.#asked;
    this.#asked = [];
    for (const socket of asked) socket.attempt();
    this.#serveBlockless();
    const { faults } = this.parts;
    if (this.#ready.length > 1 && faults.hit('reorder')) {
      // Only the order between sockets is open; UNLISTEN and LISTEN keep their places.
      this.#random.shuffle(this.#ready, ({ slot }) => slot >= 0);
    }
    let most = Math.min(this.#ready.length, out.capacity);
    if (most > FEW && faults.hit('fewAtOnce')) most = FEW;
    const given = this.#ready;
    this.#ready = given.splice(most);
    let count = 0;
    for (const completion of given) count = this.#give(completion, out, count);
    if (faults.hit('holdBlocks')) this.#hold();
    return count;
  }

  #serveBlockless(): void {
    if (this.#blockless.size === 0) return;
    const waiting = [...this.#blockless];
    this.#blockless.clear();
    for (const socket of waiting) socket.attempt();
  }

  #give(completion: Completion, out: Completions, at: number): number {
    const { op, slot, result, block } = completion;
    const { trace, clock } = this.parts;
    trace.mix(op, slot, result, Math.round(clock.nowMs * 1000));
    if (op === Op.Accept) this.#acceptsDue -= 1;
    else if (op === Op.Close) this.sockets[slot] = null;
    else if (slot >= 0) this.socket(slot).given(op, result);
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

  /** Nothing is to be had by polling now. */
  get isIdle(): boolean {
    return this.#ready.length === 0 && this.#asked.length === 0;
  }

  sleep(): boolean {
    ensure(!this.#asleep, 'contract', 'only the awake fall asleep');
    if (!this.isIdle) return false;
    if (this.#blockless.size > 0) {
      if (this.#held.length > 0 || this.slab.freeCount > 0) return false;
      this.slab.whenFree = () => this.#wakeUp();
    }
    this.#asleep = true;
    if (this.parts.faults.hit('spuriousWake')) this.ring();
    return true;
  }

  destroy(): void {
    this.#destroyed = true;
    ensure(this.isIdle && this.#later === 0, 'contract', 'nothing is under way at the end');
    for (const block of this.#held.splice(0)) this.slab.release(block);
  }

  #noteServer(lane: number, text: () => string): void {
    this.parts.trace.note(this.parts.clock.nowMs, lane, 'server', text);
  }
}
