// Hot: runs for every request. Measured by perf/micro/route.ts.
// A hash map from spans of bytes to values, so that looking up a path makes no string. Open
// addressing with linear probing; set() copies keys, get() allocates nothing.

import { assert } from './assert.ts';

/** A power of two, so that a mask wraps around. 8 is a guess: most tree nodes have few children. */
const CAPACITY_MIN = 8;

/**
 * The keys are the server's own (routes, files that exist), so the hash needs no secret: a peer
 * chooses what is looked up, never what is stored, and cannot make keys collide.
 */
export class ByteMap<T> {
  /** By slot; a free slot has a null key. At most half of the slots are used. */
  #keys: (Uint8Array | null)[];
  #values: (T | null)[];
  /** The hash of the key in the same slot; compared before any byte of the key is read. */
  #hashes: Int32Array;
  #size: number;
  /** No key set since the last clear() is longer; longer spans are not hashed. */
  #keyBytesMax: number;

  constructor() {
    this.#keys = new Array<Uint8Array | null>(CAPACITY_MIN).fill(null);
    this.#values = new Array<T | null>(CAPACITY_MIN).fill(null);
    this.#hashes = new Int32Array(CAPACITY_MIN);
    this.#size = 0;
    this.#keyBytesMax = -1;
  }

  get size(): number {
    return this.#size;
  }

  /** The value of the key that equals bytes `from` to `to`, or null. Allocates nothing. */
  get(bytes: Uint8Array, from: number, to: number): T | null {
    if (to - from > this.#keyBytesMax) return null;
    const slot = this.#find(bytes, from, to, hashBytes(bytes, from, to));
    return slot >= 0 ? this.#values[slot] : null;
  }

  /** Sets the value of a key: all of `bytes`, which are copied. */
  set(bytes: Uint8Array, value: T): void {
    const hash = hashBytes(bytes, 0, bytes.length);
    let slot = this.#find(bytes, 0, bytes.length, hash);
    if (slot >= 0) {
      this.#values[slot] = value;
      return;
    }
    if ((this.#size + 1) * 2 > this.#keys.length) {
      this.#grow();
      slot = this.#find(bytes, 0, bytes.length, hash);
    }
    this.#put(~slot, Uint8Array.from(bytes), value, hash);
    this.#size += 1;
    if (bytes.length > this.#keyBytesMax) this.#keyBytesMax = bytes.length;
  }

  /** Removes a key; false when it was not there. */
  delete(bytes: Uint8Array, from: number = 0, to: number = bytes.length): boolean {
    let hole = this.#find(bytes, from, to, hashBytes(bytes, from, to));
    if (hole < 0) return false;
    // Later keys of the run move back into the hole if it lies between their preferred slot and
    // their slot, so that no run is interrupted and no tombstones are needed.
    const mask = this.#keys.length - 1;
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const key = this.#keys[slot];
      if (key === null) break;
      const hash = this.#hashes[slot];
      const distanceToSlot = (slot - hash) & mask;
      const distanceFromHole = (slot - hole) & mask;
      if (distanceToSlot >= distanceFromHole) {
        this.#put(hole, key, this.#values[slot], hash);
        hole = slot;
      }
    }
    this.#put(hole, null, null, 0);
    this.#size -= 1;
    return true;
  }

  /** Removes all keys and frees their memory. */
  clear(): void {
    this.#keys = new Array<Uint8Array | null>(CAPACITY_MIN).fill(null);
    this.#values = new Array<T | null>(CAPACITY_MIN).fill(null);
    this.#hashes = new Int32Array(CAPACITY_MIN);
    this.#size = 0;
    this.#keyBytesMax = -1;
  }

  /** The slot of a key, or ~slot of the free one where it would go. */
  #find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const keys = this.#keys;
    const hashes = this.#hashes;
    const mask = keys.length - 1;
    // Half of the slots are free, so the loop ends.
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const key = keys[slot];
      if (key === null) return ~slot;
      if (hashes[slot] === hash && equals(key, bytes, from, to)) return slot;
    }
  }

  #put(slot: number, key: Uint8Array | null, value: T | null, hash: number): void {
    this.#keys[slot] = key;
    this.#values[slot] = value;
    this.#hashes[slot] = hash;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const hashes = this.#hashes;
    const capacity = keys.length * 2;
    this.#keys = new Array<Uint8Array | null>(capacity).fill(null);
    this.#values = new Array<T | null>(capacity).fill(null);
    this.#hashes = new Int32Array(capacity);
    for (let slot = 0; slot < keys.length; slot++) {
      const key = keys[slot];
      if (key === null) continue;
      const free = ~this.#find(key, 0, key.length, hashes[slot]);
      assert(free >= 0, 'a key is in a map once');
      this.#put(free, key, values[slot], hashes[slot]);
    }
  }
}

/** FNV-1a, its upper half folded into the lower, because a map's mask keeps only lower bits. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = from; index < to; index++) {
    hash = Math.imul(hash ^ bytes[index], 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

function equals(key: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (key.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (key[index] !== bytes[from + index]) return false;
  }
  return true;
}
