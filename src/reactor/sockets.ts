// The table of sockets: the owner of each slot, what is in flight on it, and which slots are free.

import { assert } from '../base/assert.ts';
import { FreeStack } from '../base/free-stack.ts';

/** Called with a socket's completions. One method call per completion, no closures. */
export interface SocketOwner {
  /** Bytes (with the block that holds them), 0 at the end of the stream, or -errno. */
  received(result: number, block: number): void;
  /** Bytes that were sent, or -errno. */
  sent(result: number): void;
  /** A deadline of the given kind passed. */
  due(kind: number): void;
  /** The socket is closed and its slot free. */
  closed(): void;
  /** Another client waits for a slot: starts to close when idle, and returns whether it was. */
  evict(): boolean;
}

export const RECEIVING = 1;
export const SENDING = 2;
/**
 * close() was called: receives and watches are no longer reported to the owner; sends still are, so
 * that it can release their memory.
 */
export const CLOSING = 4;
export const OPEN = 8;
/** Not counted among the slots of served clients: it closes soon. */
export const EXTRA = 16;
/** A watch is in flight. */
export const WATCHING = 32;
/** Operations that have to complete before a slot closes. */
export const IN_FLIGHT: number = RECEIVING | SENDING | WATCHING;

/** Each slot has two nodes for deadlines: its owner's here, that of a send in sendNode(). */
export function ownerNode(slot: number): number {
  return 2 * slot;
}

export function sendNode(slot: number): number {
  return 2 * slot + 1;
}

export function slotOfNode(node: number): number {
  return node >> 1;
}

export class Sockets {
  readonly slots: number;
  readonly state: Uint8Array;
  readonly owners: (SocketOwner | null)[];
  readonly #free: FreeStack;

  constructor(slots: number) {
    this.slots = slots;
    this.state = new Uint8Array(slots);
    this.owners = new Array<SocketOwner | null>(slots).fill(null);
    this.#free = new FreeStack(slots);
  }

  get freeCount(): number {
    return this.#free.count;
  }

  get openCount(): number {
    return this.slots - this.#free.count;
  }

  /** A free slot; the caller knows that there is one. */
  acquire(): number {
    const slot = this.#free.acquire();
    assert(slot >= 0, 'a slot is free');
    assert(this.state[slot] === 0, 'a free slot has nothing in flight');
    this.state[slot] = OPEN;
    return slot;
  }

  release(slot: number): void {
    assert((this.state[slot] & IN_FLIGHT) === 0, 'a freed slot has nothing in flight');
    assert(this.state[slot] !== 0, 'a freed slot was in use');
    this.state[slot] = 0;
    this.owners[slot] = null;
    this.#free.release(slot);
  }
}
