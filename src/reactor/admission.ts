// Who gets in. A client that was taken from the kernel's queue gets a slot, or waits for one; while
// all are used accept() pauses and further clients wait in that queue. When no slot came free for
// too long, the idlest connections make room, and where there are none, clients are turned away
// with an answer on a few slots kept for that. The former end in order, as long as there are slots.

import { assert } from '../base/assert.ts';
import type { Deadlines } from '../base/deadlines.ts';
import { COMPLETIONS_PER_TURN } from '../base/fixed-limits.ts';
import { Ring } from '../base/ring.ts';
import type { Driver } from '../driver/driver.ts';
import { CLOSING, EXTRA, type SocketOwner, type Sockets } from './sockets.ts';

export interface AdmissionEvents {
  /**
   * A client connected on a new slot; gives who owns it. With `overloaded` there is no room for it:
   * its owner is to say so and end.
   */
  accepted(slot: number, overloaded: boolean): SocketOwner;
  /** accept() failed with this -errno; it is tried again later. */
  acceptFault(result: number): void;
}

export interface OverloadOptions {
  /** Of all slots those that only clients get who are turned away. */
  readonly extraSlots: number;
  /** How long all slots may be used before anybody is turned away; 0 is for ever. */
  readonly waitMs: number;
  /** The kind of deadline that idle connections have. */
  readonly idleTimeout: number;
}

/** Most connections that are asked whether they are idle, to make room for one client. */
const ASKED_MAX = 32;

export interface AdmissionParts {
  readonly driver: Driver;
  readonly sockets: Sockets;
  readonly deadlines: Deadlines;
  readonly events: AdmissionEvents;
  /** The node and kind of the two deadlines of this class: to try accept() again, and overload. */
  readonly retryNode: number;
  readonly retryKind: number;
  readonly backlog: number;
  readonly overload: OverloadOptions | null;
  /** Ends the socket of a slot now. */
  readonly close: (slot: number) => void;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #overloadNode: number;
  readonly #overloadKind: number;
  /** Slots for clients that are served. */
  readonly #slotsMax: number;
  /** Handles of clients without a slot: what came before the driver heard that it should stop. */
  readonly #waiting: Ring;
  readonly #waitingMax: number;
  /** Listening, and not between unlisten() and UNLISTEN. */
  #listening = false;
  /** accept() was stopped, by a fault or for want of slots. */
  #paused = false;
  /** No slot came free for too long. */
  #overloaded = false;
  /** Sockets in use beyond #slotsMax: of clients turned away, and of those that made room. */
  #extraCount = 0;
  /** Slots of connections that made room and are not gone, in that order. */
  readonly #leaving: number[] = [];

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#overloadNode = parts.retryNode + 1;
    this.#overloadKind = parts.retryKind + 1;
    this.#slotsMax = parts.sockets.slots - (parts.overload?.extraSlots ?? 0);
    // A closing listener hands over all of the kernel's queue.
    this.#waitingMax = parts.backlog + COMPLETIONS_PER_TURN;
    this.#waiting = new Ring(this.#waitingMax);
  }

  /** Clients that were taken and have no slot. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  get #isFull(): boolean {
    return this.#parts.sockets.openCount - this.#extraCount >= this.#slotsMax;
  }

  /** True when something can be done with one more client. */
  get #hasUse(): boolean {
    return !this.#isFull || (this.#overloaded && this.#parts.sockets.freeCount > 0);
  }

  get isListening(): boolean {
    return this.#listening;
  }

  /** listen() was asked for. */
  begin(): void {
    this.#paused = false;
  }

  listening(isListening: boolean): void {
    this.#listening = isListening;
  }

  accepted(result: number, nowMs: number): void {
    const { deadlines, driver, events, retryKind, retryNode } = this.#parts;
    if (result < 0) {
      // Out of descriptors or memory: trying again at once would only burn the core.
      this.#pause();
      deadlines.arm(retryNode, retryKind, nowMs);
      events.acceptFault(result);
      return;
    }
    if (this.#waiting.length === this.#waitingMax) {
      driver.refuse(result);
      return;
    }
    this.#waiting.push(result);
    this.#letIn(nowMs);
  }

  /** Gives slots to those who wait; then there are free ones, or nobody comes in for now. */
  #letIn(nowMs: number): void {
    while (this.#waiting.length > 0 && !this.#isFull) this.#admit(false);
    if (!this.#isFull) return;
    if (this.#overloaded) this.#shed(nowMs);
    else this.#watch(nowMs);
    // Further clients wait in the kernel's queue.
    if (!this.#hasUse) this.#pause();
  }

  #admit(overloaded: boolean): void {
    const { driver, events, sockets } = this.#parts;
    const handle = this.#waiting.shift();
    const slot = sockets.acquire();
    driver.adopt(handle, slot);
    if (overloaded) this.#markExtra(slot);
    sockets.owners[slot] = events.accepted(slot, overloaded);
  }

  #markExtra(slot: number): void {
    const { state } = this.#parts.sockets;
    assert((state[slot] & EXTRA) === 0, 'a slot is counted as extra once');
    state[slot] |= EXTRA;
    this.#extraCount += 1;
  }

  /** Begins to wait for a slot, unless that is under way. */
  #watch(nowMs: number): void {
    const { deadlines, overload } = this.#parts;
    if (overload === null || overload.waitMs === 0 || overload.extraSlots === 0) return;
    if (deadlines.kind(this.#overloadNode) >= 0) return;
    deadlines.arm(this.#overloadNode, this.#overloadKind, nowMs);
  }

  /** Everybody who waits gets the slot of an idle connection, or an answer that says no. */
  #shed(nowMs: number): void {
    const { sockets } = this.#parts;
    while (this.#waiting.length > 0 && sockets.freeCount > 0) this.#admit(!this.#makeRoom(nowMs));
    if (sockets.freeCount === 0) this.#hurry();
  }

  /** Whoever waits, and the next to come, cannot wait for those who take their time to leave. */
  #hurry(): void {
    const { close } = this.#parts;
    let wanted = this.#waiting.length + 1;
    for (; wanted > 0 && this.#leaving.length > 0; wanted--) close(this.#leaving.shift() ?? -1);
  }

  /** Ends the connection that has been idle for longest, if it was for long enough. */
  #makeRoom(nowMs: number): boolean {
    const { deadlines, overload, sockets } = this.#parts;
    assert(overload !== null, 'only who knows overload makes room');
    let node = deadlines.oldest(overload.idleTimeout);
    for (let asked = 0; node >= 0 && asked < ASKED_MAX; asked++) {
      if (deadlines.sinceMs(node, nowMs) < overload.waitMs) return false;
      const slot = node >> 1;
      const next = deadlines.next(node);
      const owner = sockets.owners[slot];
      if ((sockets.state[slot] & (CLOSING | EXTRA)) === 0 && owner?.yieldSlot() === true) {
        this.#markExtra(slot);
        this.#leaving.push(slot);
        return true;
      }
      node = next;
    }
    return false;
  }

  #pause(): void {
    if (!this.#listening || this.#paused) return;
    this.#paused = true;
    this.#parts.driver.accepting(false);
  }

  #resume(): void {
    if (!this.#listening || !this.#paused) return;
    this.#paused = false;
    this.#parts.deadlines.disarm(this.#parts.retryNode);
    this.#parts.driver.accepting(true);
  }

  /** A slot is about to be free. */
  closed(slot: number): void {
    if ((this.#parts.sockets.state[slot] & EXTRA) === 0) return;
    this.#extraCount -= 1;
    const at = this.#leaving.indexOf(slot);
    if (at >= 0) this.#leaving.splice(at, 1);
  }

  /** A slot came free, and a descriptor: this also ends the wait after EMFILE. */
  freed(nowMs: number): void {
    // A slot that goes to somebody who waited is the end of this wait; the next one begins.
    if (!this.#isFull) this.#parts.deadlines.disarm(this.#overloadNode);
    if (!this.#isFull && this.#waiting.length === 0) this.#overloaded = false;
    this.#letIn(nowMs);
    if (this.#hasUse) this.#resume();
  }

  expire(nowMs: number): void {
    const { deadlines, retryKind, retryNode } = this.#parts;
    if (deadlines.expire(retryKind, nowMs) >= 0 && this.#hasUse) this.#resume();
    if (deadlines.expire(this.#overloadKind, nowMs) < 0) return;
    this.#overloaded = true;
    this.#shed(nowMs);
    if (this.#hasUse && deadlines.kind(retryNode) < 0) this.#resume();
  }

  /** Cuts off everybody who still waits for a slot. */
  turnAway(): void {
    while (this.#waiting.length > 0) this.#parts.driver.refuse(this.#waiting.shift());
  }
}
