// Hot: runs for every turn. Measured by perf/micro/connection.ts.
// One turn at a time: poll the driver, tell each socket's owner what finished, expire deadlines.
// The reactor knows no HTTP, and has no loop of its own: a pump (or a simulator) calls turn().

import { assert } from '../base/assert.ts';
import { Deadlines } from '../base/deadlines.ts';
import { ACCEPT_RETRY_MS, COMPLETIONS_PER_TURN, WRITE_LOOKS } from '../base/fixed-limits.ts';
import { Ring } from '../base/ring.ts';
import type { Slab } from '../base/slab.ts';
import { type Address, Completions, type Driver, Op, type Peer } from '../driver/driver.ts';
import { Admission, type AdmissionEvents, type OverloadOptions } from './admission.ts';
import { Progress } from './progress.ts';
import {
  CLOSING,
  IN_FLIGHT,
  OPEN,
  RECEIVING,
  SENDING,
  type SocketOwner,
  Sockets,
  WATCHING,
} from './sockets.ts';

/** What the reactor tells its server, beside what it tells the owners of sockets. */
export interface ReactorEvents extends AdmissionEvents {
  listening(result: number): void;
  unlistened(): void;
}

/** Each slot has two deadlines: its owner's, and that of a send. */
const DeadlineSide = { Input: 0, Output: 1 } as const;

export interface ReactorOptions {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly slots: number;
  /** One entry per kind of deadline that owners arm. */
  readonly timeoutsMs: readonly number[];
  /**
   * The kind among them for a send that does not complete. Each time it passes, the reactor looks
   * whether the peer takes anything; after WRITE_LOOKS looks in a row without progress it tells
   * the owner.
   */
  readonly sendTimeout: number;
  /** Clients that a closing listener may hand over at once. */
  readonly backlog: number;
  /** Null: whoever finds no slot waits, however long. */
  readonly overload: OverloadOptions | null;
  readonly events: ReactorEvents;
}

export class Reactor {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly sockets: Sockets;
  /** The clocks as they were when this turn began. */
  nowMs: number;
  wallMs: number;
  /** True while completions are told; promises of handlers wait until it is over. */
  inTurn = false;
  /** Set by owners that started work whose promises the pump should let run soon. */
  yieldWanted = false;
  readonly #events: ReactorEvents;
  readonly #out = new Completions(COMPLETIONS_PER_TURN);
  readonly #deadlines: Deadlines;
  readonly #kinds: number;
  readonly #admission: Admission;
  readonly #sendTimeout: number;
  readonly #progress: Progress;
  /** Slots whose send was asked for in the last turn or since. */
  readonly #sentLately: Ring;

  constructor(options: ReactorOptions) {
    this.driver = options.driver;
    this.slab = options.slab;
    this.sockets = new Sockets(options.slots);
    this.#events = options.events;
    this.#kinds = options.timeoutsMs.length;
    this.#sendTimeout = options.sendTimeout;
    this.#progress = new Progress(options.driver, options.slots);
    this.#sentLately = new Ring(4 * options.slots);
    const { overload } = options;
    const timeoutsMs = [...options.timeoutsMs, ACCEPT_RETRY_MS, overload?.waitMs ?? 0];
    // Admission has a node and a kind for each of these two, after those of the owners.
    const retryNode = 2 * options.slots;
    this.#deadlines = new Deadlines(retryNode + 2, timeoutsMs);
    this.#admission = new Admission({
      driver: options.driver,
      sockets: this.sockets,
      deadlines: this.#deadlines,
      events: options.events,
      retryNode,
      retryKind: this.#kinds,
      backlog: options.backlog,
      overload,
      close: (slot) => this.close(slot),
    });
    this.nowMs = this.driver.now();
    this.wallMs = this.driver.wall();
  }

  /** Gives how many completions there were. */
  turn(): number {
    assert(!this.inTurn, 'turns do not nest');
    this.inTurn = true;
    const out = this.#out;
    const sends = this.#sentLately.length;
    const count = this.driver.poll(out);
    this.readClocks();
    for (let index = 0; index < count; index++) {
      this.#dispatch(out.op[index], out.slot[index], out.result[index], out.block[index]);
    }
    this.#watchSends(sends);
    this.#expire();
    this.inTurn = false;
    return count;
  }

  /**
   * Most sends are back after one turn, and never get a deadline: only those that are not wait for
   * the client. `count` of them were asked for before the last poll.
   */
  #watchSends(count: number): void {
    for (let left = count; left > 0; left--) {
      const slot = this.#sentLately.shift();
      const state = this.sockets.state[slot];
      if ((state & (SENDING | CLOSING)) !== SENDING) continue;
      const node = 2 * slot + DeadlineSide.Output;
      if (this.#deadlines.kind(node) < 0) {
        this.#progress.begin(slot);
        this.#deadlines.arm(node, this.#sendTimeout, this.nowMs);
      }
    }
  }

  /** Once a turn is enough, and outside of turns whoever needs the time reads them. */
  readClocks(): void {
    this.nowMs = this.driver.now();
    this.wallMs = this.driver.wall();
  }

  #dispatch(op: number, slot: number, result: number, block: number): void {
    switch (op) {
      case Op.Receive:
        this.#received(slot, result, block);
        break;
      case Op.Send:
        this.#sent(slot, result);
        break;
      case Op.Accept:
        this.#admission.accepted(result, this.nowMs);
        break;
      case Op.Close:
        this.#closed(slot);
        break;
      case Op.Listen:
        this.#admission.listening(result >= 0);
        this.#events.listening(result);
        break;
      case Op.Unlisten:
        this.#events.unlistened();
        break;
      case Op.Watch:
        this.#broke(slot, result);
        break;
      default:
        assert(false, 'the server asks for no other operation');
    }
  }

  #received(slot: number, result: number, block: number): void {
    const state = this.sockets.state[slot];
    assert((state & RECEIVING) !== 0, 'a receive was in flight');
    this.sockets.state[slot] = state & ~RECEIVING;
    if ((state & CLOSING) !== 0) {
      if (block >= 0) this.slab.release(block);
      this.#join(slot);
      return;
    }
    this.#owner(slot).received(result, block);
  }

  #sent(slot: number, result: number): void {
    const state = this.sockets.state[slot];
    assert((state & SENDING) !== 0, 'a send was in flight');
    this.sockets.state[slot] = state & ~SENDING;
    // Progress: the client has its whole time again.
    this.#deadlines.disarm(2 * slot + DeadlineSide.Output);
    // A closing socket's owner still hears of it: its memory may go only when the kernel is done.
    this.#owner(slot).sent(result);
    if ((state & CLOSING) !== 0) this.#join(slot);
  }

  /**
   * The owner hears of it as of a failed receive. A receive in flight tells by itself, after the
   * bytes that came before the break.
   */
  #broke(slot: number, result: number): void {
    const state = this.sockets.state[slot];
    assert((state & WATCHING) !== 0, 'a watch was in flight');
    this.sockets.state[slot] = state & ~WATCHING;
    if ((state & CLOSING) !== 0) this.#join(slot);
    else if ((state & RECEIVING) === 0) this.#owner(slot).received(result, -1);
  }

  #owner(slot: number): SocketOwner {
    const owner = this.sockets.owners[slot];
    assert(owner !== null, 'a socket has an owner');
    return owner;
  }

  #closed(slot: number): void {
    const owner = this.#owner(slot);
    this.#deadlines.disarm(2 * slot);
    this.#deadlines.disarm(2 * slot + 1);
    this.#admission.closed(slot);
    this.sockets.release(slot);
    owner.closed();
    this.#admission.freed(this.nowMs);
  }

  #expire(): void {
    for (let kind = 0; kind < this.#kinds; kind++) {
      let node = this.#deadlines.expire(kind, this.nowMs);
      while (node >= 0) {
        const slot = node >> 1;
        if ((this.sockets.state[slot] & CLOSING) === 0) this.#due(slot, node, kind);
        node = this.#deadlines.expire(kind, this.nowMs);
      }
    }
    this.#admission.expire(this.nowMs);
  }

  /** The deadline of a send is armed again as long as its peer takes something. */
  #due(slot: number, node: number, kind: number): void {
    const isOfSend = node === 2 * slot + DeadlineSide.Output;
    if (isOfSend && this.#progress.look(slot) < WRITE_LOOKS) {
      this.#deadlines.arm(node, kind, this.nowMs);
    } else this.#owner(slot).due(kind);
  }

  /** When turn() is due even though nothing completes; Infinity when never. */
  nextDueMs(): number {
    return this.#deadlines.nextDueMs();
  }

  listen(address: Address): void {
    this.#admission.begin();
    this.driver.listen(address);
  }

  /** Takes clients from a listener of somebody else too (see Driver), while it listens itself. */
  acceptAlso(fd: number, on: boolean): void {
    if (this.#admission.isListening) this.driver.acceptAlso(fd, on);
  }

  /** Clients who wait are still taken; those of an inherited listener by the last process only. */
  unlisten(last: boolean): void {
    this.#admission.listening(false);
    this.driver.unlisten(last);
  }

  /** Clients that were taken and wait for a slot; turnAway() cuts them off. */
  get waitingCount(): number {
    return this.#admission.waitingCount;
  }

  turnAway(): void {
    this.#admission.turnAway();
  }

  receiving(slot: number): boolean {
    return (this.sockets.state[slot] & RECEIVING) !== 0;
  }

  sending(slot: number): boolean {
    return (this.sockets.state[slot] & SENDING) !== 0;
  }

  receive(slot: number): void {
    const state = this.sockets.state[slot];
    assert((state & (RECEIVING | CLOSING)) === 0, 'no receive in flight, and not closing');
    this.sockets.state[slot] = state | RECEIVING;
    this.driver.receive(slot);
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    const state = this.sockets.state[slot];
    assert((state & (SENDING | CLOSING)) === 0, 'no send in flight, and not closing');
    this.sockets.state[slot] = state | SENDING;
    this.#sentLately.push(slot);
    this.driver.send(slot, region, start, end, more);
  }

  /** Has the driver tell of a break while nothing is received: received() then gets -errno. */
  watch(slot: number): void {
    const state = this.sockets.state[slot];
    if ((state & (RECEIVING | WATCHING)) !== 0) return;
    assert((state & CLOSING) === 0, 'a closing socket is not watched');
    this.sockets.state[slot] = state | WATCHING;
    this.driver.watch(slot);
  }

  shutdownSend(slot: number): void {
    this.#progress.begin(slot);
    this.driver.shutdownSend(slot);
  }

  /**
   * After shutdownSend(): how many looks in a row, this one included, found nothing more to be
   * acknowledged; -1 when all is acknowledged, or the system does not tell.
   */
  quietLooks(slot: number): number {
    const looks = this.#progress.look(slot);
    return this.#progress.left(slot) > 0 ? looks : -1;
  }

  /**
   * Ends a socket: what is in flight is cancelled and joined, then the slot is closed and its owner
   * told. The kernel goes on delivering what it was given.
   */
  close(slot: number): void {
    const state = this.sockets.state[slot];
    assert((state & OPEN) !== 0, 'a closing slot is open');
    if ((state & CLOSING) !== 0) return;
    this.sockets.state[slot] = state | CLOSING;
    this.#deadlines.disarm(2 * slot);
    this.#deadlines.disarm(2 * slot + 1);
    if ((state & IN_FLIGHT) !== 0) this.driver.abort(slot, false);
    else this.driver.close(slot);
  }

  /** As close(), but the peer sees a reset in any case: its answer is not whole. */
  reset(slot: number): void {
    if ((this.sockets.state[slot] & CLOSING) === 0) this.driver.abort(slot, true);
    this.close(slot);
  }

  /** Closes when the last operation in flight has come back. */
  #join(slot: number): void {
    if ((this.sockets.state[slot] & IN_FLIGHT) === 0) this.driver.close(slot);
  }

  /** Starts the one deadline that an owner has, instead of any before. */
  arm(slot: number, kind: number): void {
    this.#prepareDeadline(slot);
    this.#deadlines.arm(2 * slot + DeadlineSide.Input, kind, this.nowMs);
  }

  /** As arm(), for a kind that starts again with every request; it is never given to arm(). */
  extend(slot: number, kind: number): void {
    this.#prepareDeadline(slot);
    this.#deadlines.extend(2 * slot + DeadlineSide.Input, kind, this.nowMs);
  }

  #prepareDeadline(slot: number): void {
    assert((this.sockets.state[slot] & CLOSING) === 0, 'a closing socket has no deadlines');
    if (this.inTurn) return;
    // A handler's promise acts while the pump may sleep for longer than this deadline.
    this.readClocks();
    this.driver.wake(false);
  }

  disarm(slot: number): void {
    this.#deadlines.disarm(2 * slot + DeadlineSide.Input);
  }

  /** The kind of deadline that an owner armed, or -1. */
  armed(slot: number): number {
    return this.#deadlines.kind(2 * slot + DeadlineSide.Input);
  }

  peer(slot: number): Peer {
    return this.driver.peer(slot);
  }
}
