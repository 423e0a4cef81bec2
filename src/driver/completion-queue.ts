// Completions that wait for the next poll(): a ring of fixed size, four numbers an entry.

import { assert } from '../base/assert.ts';
import type { Completions } from './driver.ts';

export class CompletionQueue {
  readonly #mask: number;
  /** Four words an entry: op, slot, result, block. */
  readonly #words: Int32Array;
  /** They count up to 2 ** 32 and start again: only their difference and low bits matter. */
  #head: number;
  #tail: number;

  /**
   * Room for at least `capacity` entries: the most operations that can be in flight at once. Both
   * ends begin at `start`.
   */
  constructor(capacity: number, start = 0) {
    let size = 16;
    while (size < capacity) size *= 2;
    this.#mask = size - 1;
    this.#head = start | 0;
    this.#tail = start | 0;
    this.#words = new Int32Array(4 * size);
  }

  get length(): number {
    return (this.#tail - this.#head) | 0;
  }

  push(op: number, slot: number, result: number, block: number): void {
    assert(this.length <= this.#mask, 'a completion has room: an operation has one');
    const at = (this.#tail & this.#mask) * 4;
    const words = this.#words;
    words[at] = op;
    words[at + 1] = slot;
    words[at + 2] = result;
    words[at + 3] = block;
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Moves as many as fit to `out` from `count` on; returns the new count. */
  moveTo(out: Completions, count: number): number {
    const words = this.#words;
    let next = count;
    while (this.#head !== this.#tail && next < out.capacity) {
      const at = (this.#head & this.#mask) * 4;
      out.op[next] = words[at];
      out.slot[next] = words[at + 1];
      out.result[next] = words[at + 2];
      out.block[next] = words[at + 3];
      this.#head = (this.#head + 1) | 0;
      next += 1;
    }
    if (this.#head === this.#tail) this.#rewind();
    return next;
  }

  /** Entries use the first memory again, and the rest stays untouched. */
  #rewind(): void {
    this.#head = 0;
    this.#tail = 0;
  }
}
