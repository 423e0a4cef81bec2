// A first-in first-out queue of numbers, of fixed size.

import { assert } from './assert.ts';

export class Ring {
  readonly #mask: number;
  readonly #items: Int32Array;
  /** They count up to 2 ** 32 and start again: only their difference and low bits matter. */
  #head: number;
  #tail: number;

  /** Room for at least `capacity` numbers. Both ends begin at `start`. */
  constructor(capacity: number, start = 0) {
    let size = 16;
    while (size < capacity) size *= 2;
    this.#mask = size - 1;
    this.#head = start | 0;
    this.#tail = start | 0;
    this.#items = new Int32Array(size);
  }

  get length(): number {
    return (this.#tail - this.#head) | 0;
  }

  push(item: number): void {
    assert(this.length <= this.#mask, 'a ring has room: its capacity is the most there can be');
    this.#items[this.#tail & this.#mask] = item;
    this.#tail = (this.#tail + 1) | 0;
  }

  /** The oldest number; the ring is not empty. */
  shift(): number {
    assert(this.#head !== this.#tail, 'a number is there');
    const item = this.#items[this.#head & this.#mask];
    this.#head = (this.#head + 1) | 0;
    if (this.#head === this.#tail) this.#rewind();
    return item;
  }

  /** Numbers use the first memory again, and the rest stays untouched. */
  #rewind(): void {
    this.#head = 0;
    this.#tail = 0;
  }
}
