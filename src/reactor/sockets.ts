// The table of sockets: who owns a slot, what is in flight on it, and which slots are free.

import { assert } from '../base/assert.ts';

/** Who hears of a socket's completions. One method call per completion, no closures. */
export interface SocketOwner {
  /** Bytes (with the block that holds them), 0 at the end of the stream, or -errno. */
  received(result: number, block: number): void;
  /** Bytes that went out, or -errno. */
  sent(result: number): void;
  /** A deadline of the given kind passed. */
  due(kind: number): void;
  /** The socket is gone; the slot is free when this returns. */
  closed(): void;
  /** Another client waits: begins to end when idle, and gives whether it was. */
  yieldSlot(): boolean;
}

export const RECEIVING = 1;
export const SENDING = 2;
/** close() was asked for; completions are no longer told, only joined. */
export const CLOSING = 4;
export const OPEN = 8;
/** In use beyond the slots for clients that are served: it ends soon. */
export const EXTRA = 16;
/** A watch is in flight. */
export const WATCHING = 32;
/** Operations that have to come back before a slot closes. */
export const IN_FLIGHT: number = RECEIVING | SENDING | WATCHING;

export class Sockets {
  readonly slots: number;
  readonly state: Uint8Array;
  readonly owners: (SocketOwner | null)[];
  /** Free slots, the next to take on top. */
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(slots: number) {
    this.slots = slots;
    this.state = new Uint8Array(slots);
    this.owners = new Array<SocketOwner | null>(slots).fill(null);
    this.#free = new Int32Array(slots);
    for (let index = 0; index < slots; index++) this.#free[index] = slots - 1 - index;
    this.#freeCount = slots;
  }

  get freeCount(): number {
    return this.#freeCount;
  }

  get openCount(): number {
    return this.slots - this.#freeCount;
  }

  /** A free slot; there is one. */
  acquire(): number {
    assert(this.#freeCount > 0, 'a slot is free');
    this.#freeCount -= 1;
    const slot = this.#free[this.#freeCount];
    assert(this.state[slot] === 0, 'a free slot has nothing in flight');
    this.state[slot] = OPEN;
    return slot;
  }

  release(slot: number): void {
    assert((this.state[slot] & IN_FLIGHT) === 0, 'a freed slot has nothing in flight');
    assert(this.state[slot] !== 0, 'a freed slot was in use');
    this.state[slot] = 0;
    this.owners[slot] = null;
    this.#free[this.#freeCount] = slot;
    this.#freeCount += 1;
  }
}
