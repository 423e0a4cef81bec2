// Decides which clients are served. An accepted client gets a slot, or waits for one; while all
// slots are used accept() pauses, and further clients wait in the kernel's queue. When no slot
// became free for too long, the connections idle for longest are evicted, and where none is idle,
// clients get an overload response on a few slots kept for that. Evicted connections close
// gracefully as long as there are such slots.

import { assert } from '../base/assert.ts';
import type { Deadlines } from '../base/deadlines.ts';
import { COMPLETIONS_PER_TURN } from '../base/fixed-limits.ts';
import { Ring } from '../base/ring.ts';
import type { Driver } from '../driver/driver.ts';
import { CLOSING, EXTRA, type SocketOwner, type Sockets, slotOfNode } from './sockets.ts';

export interface AdmissionEvents {
  /**
   * A client connected on a new slot; returns the slot's owner. With `overloaded` there is no room
   * for it: its owner responds with that and closes.
   */
  accepted(slot: number, overloaded: boolean): SocketOwner;
  /** accept() failed with this -errno. It is tried again later. */
  acceptFault(result: number): void;
}

export interface OverloadOptions {
  /** How many of the slots are kept for clients that are turned away. */
  readonly extraSlots: number;
  /** How long all slots may be used before clients are turned away; 0 is for ever. */
  readonly waitMs: number;
  /** The kinds of deadline that idle connections have. */
  readonly idleTimeouts: readonly number[];
}

/** The most connections that are tried, to evict one for a client. */
export const EVICTIONS_TRIED_MAX = 32;

/** Off: not listening. Paused: after a fault of accept(), or because all slots are used. */
const Accept = { Off: 0, On: 1, Paused: 2 } as const;
type Accept = (typeof Accept)[keyof typeof Accept];

export interface AdmissionParts {
  readonly driver: Driver;
  readonly sockets: Sockets;
  readonly deadlines: Deadlines;
  readonly events: AdmissionEvents;
  /** The node and kind of the deadline to retry accept(); those for overload follow them. */
  readonly retryNode: number;
  readonly retryKind: number;
  readonly backlog: number;
  readonly overload: OverloadOptions | null;
  /** Closes the socket of a slot now. */
  readonly close: (slot: number) => void;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #overloadNode: number;
  readonly #overloadKind: number;
  /** Slots for clients that are served. */
  readonly #slotsMax: number;
  /** Handles of clients without a slot: those accepted before the driver paused accept(). */
  readonly #waiting: Ring;
  readonly #waitingMax: number;
  /** Not Off from LISTEN until unlisten(). */
  #accept: Accept = Accept.Off;
  /** No slot became free for too long. */
  #overloaded = false;
  /** Sockets that do not count for #slotsMax: of clients turned away, of evicted connections. */
  #extraCount = 0;
  /** Slots of evicted connections that are not closed yet, in that order. */
  readonly #evicted: number[] = [];

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#overloadNode = parts.retryNode + 1;
    this.#overloadKind = parts.retryKind + 1;
    this.#slotsMax = parts.sockets.slots - (parts.overload?.extraSlots ?? 0);
    // A closing listener accepts the full queue of the kernel.
    this.#waitingMax = parts.backlog + COMPLETIONS_PER_TURN;
    this.#waiting = new Ring(this.#waitingMax);
  }

  /** Accepted clients without a slot. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  get #isFull(): boolean {
    return this.#parts.sockets.openCount - this.#extraCount >= this.#slotsMax;
  }

  /** True when one more client can be served or turned away. */
  get #canTakeMore(): boolean {
    return !this.#isFull || (this.#overloaded && this.#parts.sockets.freeCount > 0);
  }

  get isListening(): boolean {
    return this.#accept !== Accept.Off;
  }

  setListening(isListening: boolean): void {
    this.#accept = isListening ? Accept.On : Accept.Off;
  }

  accepted(result: number, nowMs: number): void {
    const { deadlines, driver, events, retryKind, retryNode } = this.#parts;
    if (result < 0) {
      // Out of descriptors or memory: an immediate retry would fail again.
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
    this.#admitWaiting(nowMs);
  }

  /** Admits waiting clients to free slots. When all slots are used, pauses accept(). */
  #admitWaiting(nowMs: number): void {
    while (this.#waiting.length > 0 && !this.#isFull) this.#admit(false);
    if (!this.#isFull) return;
    if (this.#overloaded) this.#shed(nowMs);
    else this.#startOverloadWait(nowMs);
    // Further clients wait in the kernel's queue.
    if (!this.#canTakeMore) this.#pause();
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

  /** Starts the deadline until overload, unless it runs already. */
  #startOverloadWait(nowMs: number): void {
    const { deadlines, overload } = this.#parts;
    if (overload === null || overload.waitMs === 0 || overload.extraSlots === 0) return;
    if (deadlines.isArmed(this.#overloadNode)) return;
    deadlines.arm(this.#overloadNode, this.#overloadKind, nowMs);
  }

  /** Each waiting client gets the slot of an idle connection, or an overload response. */
  #shed(nowMs: number): void {
    const { sockets } = this.#parts;
    while (this.#waiting.length > 0 && sockets.freeCount > 0) this.#admit(!this.#evictIdle(nowMs));
    if (sockets.freeCount === 0) this.#closeEvicted();
  }

  /** Clients that wait, and the next one, need slots now: closes evicted connections at once. */
  #closeEvicted(): void {
    const { close } = this.#parts;
    let wanted = this.#waiting.length + 1;
    for (; wanted > 0 && this.#evicted.length > 0; wanted--) close(this.#evicted.shift() ?? -1);
  }

  /** Evicts the longest-idle connection that agrees, if it was idle for overload.waitMs. */
  #evictIdle(nowMs: number): boolean {
    const { deadlines, overload, sockets } = this.#parts;
    assert(overload !== null, 'with overload options connections are evicted');
    const nodes = overload.idleTimeouts.map((kind) => deadlines.oldest(kind));
    for (let tried = 0; tried < EVICTIONS_TRIED_MAX; tried++) {
      const at = this.#longestIdle(nodes, nowMs);
      if (at < 0 || deadlines.sinceMs(nodes[at], nowMs) < overload.waitMs) return false;
      const slot = slotOfNode(nodes[at]);
      nodes[at] = deadlines.next(nodes[at]);
      const owner = sockets.owners[slot];
      if ((sockets.state[slot] & (CLOSING | EXTRA)) === 0 && owner?.evict() === true) {
        this.#markExtra(slot);
        this.#evicted.push(slot);
        return true;
      }
    }
    return false;
  }

  /** Which of these nodes is armed for longest, -1 for none. A node of -1 is the end of a list. */
  #longestIdle(nodes: readonly number[], nowMs: number): number {
    const { deadlines } = this.#parts;
    let longest = -1;
    for (let at = 0; at < nodes.length; at++) {
      if (nodes[at] < 0) continue;
      const isLonger =
        longest < 0 ||
        deadlines.sinceMs(nodes[at], nowMs) > deadlines.sinceMs(nodes[longest], nowMs);
      if (isLonger) longest = at;
    }
    return longest;
  }

  #pause(): void {
    if (this.#accept !== Accept.On) return;
    this.#accept = Accept.Paused;
    this.#parts.driver.setAccepting(false);
  }

  #resume(): void {
    if (this.#accept !== Accept.Paused) return;
    this.#accept = Accept.On;
    this.#parts.deadlines.disarm(this.#parts.retryNode);
    this.#parts.driver.setAccepting(true);
  }

  /** Called before a slot is released. */
  slotClosed(slot: number): void {
    if ((this.#parts.sockets.state[slot] & EXTRA) === 0) return;
    this.#extraCount -= 1;
    const at = this.#evicted.indexOf(slot);
    if (at >= 0) this.#evicted.splice(at, 1);
  }

  /** A slot became free, and a descriptor: this also ends the wait after EMFILE. */
  slotFreed(nowMs: number): void {
    // A slot for a waiting client ends this wait for a slot; admitWaiting() may start the next.
    if (!this.#isFull) this.#parts.deadlines.disarm(this.#overloadNode);
    if (!this.#isFull && this.#waiting.length === 0) this.#overloaded = false;
    this.#admitWaiting(nowMs);
    if (this.#canTakeMore) this.#resume();
  }

  expire(nowMs: number): void {
    const { deadlines, retryKind, retryNode } = this.#parts;
    const isRetryDue = deadlines.expire(retryKind, nowMs) === retryNode;
    if (isRetryDue && this.#canTakeMore) this.#resume();
    if (deadlines.expire(this.#overloadKind, nowMs) !== this.#overloadNode) return;
    this.#overloaded = true;
    this.#shed(nowMs);
    if (this.#canTakeMore && !deadlines.isArmed(retryNode)) this.#resume();
  }

  /** Closes all clients that still wait for a slot. */
  refuseWaiting(): void {
    while (this.#waiting.length > 0) this.#parts.driver.refuse(this.#waiting.shift());
  }
}
