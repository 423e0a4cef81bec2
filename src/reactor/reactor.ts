// Hot: runs for every turn. Measured by perf/micro/connection.ts.
// One turn at a time: poll the driver, report completions to the owners of sockets, expire
// deadlines. The reactor has no HTTP in it, and no loop of its own: a pump (or a simulator) calls
// turn().

import { assert } from '../base/assert.ts';
import { Deadlines } from '../base/deadlines.ts';
import {
  ACCEPT_RETRY_MS,
  COMPLETIONS_PER_TURN,
  LATE_POLLS_MAX,
  WRITE_CHECKS,
} from '../base/fixed-limits.ts';
import { Ring } from '../base/ring.ts';
import type { Slab } from '../base/slab.ts';
import { type Address, Completions, type Driver, Op, type Peer } from '../driver/driver.ts';
import { Admission } from './admission.ts';
import type { ReactorEvents, ReactorOptions } from './options.ts';
import { Progress } from './progress.ts';
import {
  CLOSING,
  IN_FLIGHT,
  OPEN,
  ownerNode,
  RECEIVING,
  SENDING,
  type SocketOwner,
  Sockets,
  sendNode,
  slotOfNode,
  WATCHING,
} from './sockets.ts';
import type { TurnMeter } from './turn-meter.ts';

export class Reactor {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly sockets: Sockets;
  /** The clocks as they were when this turn began. */
  nowMs: number;
  wallMs: number;
  /** True during turn(); promises of handlers run after it. */
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
  readonly #meter: TurnMeter | null;
  /** Slots with a send() in the last turn or since, each once. */
  readonly #recentSends: Ring;
  /** 1 for each of them: within a turn a slot may send as often as the driver is polled. */
  readonly #isRecent: Uint8Array;

  constructor(options: ReactorOptions) {
    this.driver = options.driver;
    this.slab = options.slab;
    this.sockets = new Sockets(options.slots);
    this.#events = options.events;
    this.#meter = options.meter ?? null;
    this.#kinds = options.timeoutsMs.length;
    this.#sendTimeout = options.sendTimeout;
    this.#progress = new Progress(options.driver, options.slots);
    this.#recentSends = new Ring(options.slots);
    this.#isRecent = new Uint8Array(options.slots);
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

  /** Returns how many completions there were. */
  turn(): number {
    assert(!this.inTurn, 'turns do not nest');
    this.inTurn = true;
    const sends = this.#recentSends.length;
    let count = this.driver.poll(this.#out);
    this.nowMs = this.driver.now();
    this.wallMs = this.driver.wall();
    if (this.#meter !== null) this.#meter.polled(this.nowMs, count);
    this.#dispatchAll(count);
    this.#armLateSends(sends);
    if (this.#deadlines.isDue(this.nowMs)) {
      count += this.#pollAgain();
      this.#expire();
    }
    this.inTurn = false;
    return count;
  }

  /**
   * The process may have been paused between poll() and the clock. What came before a deadline must
   * not look as if it had not come: a client whose request waits would be closed.
   */
  #pollAgain(): number {
    let count = 0;
    for (let polls = 0; polls < LATE_POLLS_MAX; polls++) {
      const late = this.driver.poll(this.#out);
      if (late === 0) break;
      if (this.#meter !== null) this.#meter.polled(this.nowMs, late);
      this.#dispatchAll(late);
      count += late;
    }
    return count;
  }

  #dispatchAll(count: number): void {
    const out = this.#out;
    for (let index = 0; index < count; index++) {
      this.#dispatch(out.op[index], out.slot[index], out.result[index], out.block[index]);
    }
  }

  /**
   * Most sends complete within one turn and never get a deadline. The first `count` recent sends
   * were submitted by the last poll(): those that did not complete wait for the client.
   */
  #armLateSends(count: number): void {
    for (let left = count; left > 0; left--) {
      const slot = this.#recentSends.shift();
      this.#isRecent[slot] = 0;
      const state = this.sockets.state[slot];
      if ((state & (SENDING | CLOSING)) !== SENDING) continue;
      // No deadline of an earlier send runs: each starts here, and ends with its send.
      this.#progress.begin(slot);
      this.#deadlines.arm(sendNode(slot), this.#sendTimeout, this.nowMs);
    }
  }

  /** No turn follows soon: the last one has ended. */
  rest(): void {
    if (this.#meter?.isOpen === true) this.#meter.polled(this.driver.now(), 0);
  }

  /** For methods that need the time outside of turns: the wall clock goes on from the last turn. */
  readClock(): void {
    const nowMs = this.driver.now();
    this.wallMs += nowMs - this.nowMs;
    this.nowMs = nowMs;
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
        this.#admission.setListening(result >= 0);
        this.#events.listenDone(result);
        break;
      case Op.Unlisten:
        this.#events.unlistenDone();
        break;
      case Op.Watch:
        this.#broken(slot, result);
        break;
      default:
        assert(false, 'the server starts no other operation');
    }
  }

  #received(slot: number, result: number, block: number): void {
    const state = this.sockets.state[slot];
    assert((state & RECEIVING) !== 0, 'a receive was in flight');
    this.sockets.state[slot] = state & ~RECEIVING;
    if ((state & CLOSING) !== 0) {
      if (block >= 0) this.slab.release(block);
      this.#closeIfIdle(slot);
      return;
    }
    this.#owner(slot).received(result, block);
  }

  #sent(slot: number, result: number): void {
    const state = this.sockets.state[slot];
    assert((state & SENDING) !== 0, 'a send was in flight');
    this.sockets.state[slot] = state & ~SENDING;
    // Progress: the next send has the full timeout again.
    this.#deadlines.disarm(sendNode(slot));
    // Also reported on a closing socket: its owner keeps the memory until the kernel is done.
    this.#owner(slot).sent(result);
    if ((state & CLOSING) !== 0) this.#closeIfIdle(slot);
  }

  /**
   * Reported to the owner as a failed receive. A receive in flight reports it by itself, after the
   * bytes that came before the break.
   */
  #broken(slot: number, result: number): void {
    const state = this.sockets.state[slot];
    assert((state & WATCHING) !== 0, 'a watch was in flight');
    this.sockets.state[slot] = state & ~WATCHING;
    if ((state & CLOSING) !== 0) this.#closeIfIdle(slot);
    else if ((state & RECEIVING) === 0) this.#owner(slot).received(result, -1);
  }

  #owner(slot: number): SocketOwner {
    const owner = this.sockets.owners[slot];
    assert(owner !== null, 'a socket has an owner');
    return owner;
  }

  #closed(slot: number): void {
    const owner = this.#owner(slot);
    this.#admission.slotClosed(slot);
    this.sockets.release(slot);
    owner.closed();
    this.#admission.slotFreed(this.nowMs);
  }

  #expire(): void {
    for (let kind = 0; kind < this.#kinds; kind++) {
      let node = this.#deadlines.expire(kind, this.nowMs);
      while (node >= 0) {
        const slot = slotOfNode(node);
        if ((this.sockets.state[slot] & CLOSING) === 0) this.#due(slot, node, kind);
        node = this.#deadlines.expire(kind, this.nowMs);
      }
    }
    this.#admission.expire(this.nowMs);
  }

  /** The deadline of a send is armed again as long as its peer makes progress. */
  #due(slot: number, node: number, kind: number): void {
    const isOfSend = node === sendNode(slot);
    if (isOfSend && this.#progress.check(slot) < WRITE_CHECKS) {
      this.#deadlines.arm(node, kind, this.nowMs);
    } else this.#owner(slot).due(kind);
  }

  /** When turn() is due although nothing completes; Infinity when never. */
  nextDueMs(): number {
    return this.#deadlines.nextDueMs();
  }

  listen(address: Address): void {
    this.driver.listen(address);
  }

  /** Also accepts clients from a listener that others own (see Driver). Only while listening. */
  acceptAlso(fd: number, on: boolean): void {
    if (this.#admission.isListening) this.driver.acceptAlso(fd, on);
  }

  /**
   * Waiting clients are still accepted; those of an inherited listener by the last process only.
   */
  unlisten(last: boolean): void {
    this.#admission.setListening(false);
    this.driver.unlisten(last);
  }

  /** Accepted clients that wait for a slot; refuseWaiting() closes them. */
  get waitingCount(): number {
    return this.#admission.waitingCount;
  }

  refuseWaiting(): void {
    this.#admission.refuseWaiting();
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
    if (this.#isRecent[slot] === 0) {
      this.#isRecent[slot] = 1;
      this.#recentSends.push(slot);
    }
    this.driver.send(slot, region, start, end, more);
  }

  /** While nothing is received, a connection that breaks calls the owner's received(-errno). */
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
   * After shutdownSend(): how many checks in a row, this one included, found no further bytes
   * acknowledged; -1 when all are, or the system does not report it.
   */
  stalledChecks(slot: number): number {
    const checks = this.#progress.check(slot);
    return this.#progress.unacknowledged(slot) > 0 ? checks : -1;
  }

  /**
   * Closes a socket: what is in flight is cancelled and awaited, then the slot is released and its
   * owner's closed() called. The kernel still delivers the bytes that it took.
   */
  close(slot: number): void {
    const state = this.sockets.state[slot];
    assert((state & OPEN) !== 0, 'a closing slot is open');
    if ((state & CLOSING) !== 0) return;
    this.sockets.state[slot] = state | CLOSING;
    this.#deadlines.disarm(ownerNode(slot));
    this.#deadlines.disarm(sendNode(slot));
    if ((state & IN_FLIGHT) !== 0) this.driver.abort(slot, false);
    else this.driver.close(slot);
  }

  /** As close(), but the peer always sees a reset: its response is truncated. */
  reset(slot: number): void {
    if ((this.sockets.state[slot] & CLOSING) === 0) this.driver.abort(slot, true);
    this.close(slot);
  }

  /** Closes when the last operation in flight has completed. */
  #closeIfIdle(slot: number): void {
    if ((this.sockets.state[slot] & IN_FLIGHT) === 0) this.driver.close(slot);
  }

  /** Starts the owner's one deadline, in place of an earlier one. */
  arm(slot: number, kind: number): void {
    this.#prepareDeadline(slot);
    this.#deadlines.arm(ownerNode(slot), kind, this.nowMs);
  }

  /** As arm(), for a kind that starts again with every request; arm() never gets such a kind. */
  extend(slot: number, kind: number): void {
    this.#prepareDeadline(slot);
    this.#deadlines.extend(ownerNode(slot), kind, this.nowMs);
  }

  #prepareDeadline(slot: number): void {
    assert((this.sockets.state[slot] & CLOSING) === 0, 'a closing socket has no deadlines');
    if (this.inTurn) return;
    // Called from a handler's promise, when the pump may sleep for longer than this deadline.
    this.readClock();
    this.driver.wake(false);
  }

  disarm(slot: number): void {
    this.#deadlines.disarm(ownerNode(slot));
  }

  /** The kind of the owner's deadline, or -1. */
  armed(slot: number): number {
    return this.#deadlines.kind(ownerNode(slot));
  }

  peer(slot: number): Peer {
    return this.driver.peer(slot);
  }
}
