// Whether peers go on taking what is sent to them. The kernel completes a send only when a third of
// its buffer is free, which can take minutes with a slow peer. What the peer has acknowledged tells
// of every byte. Asking costs a system call, so only sends that are late are looked at.

import type { Driver } from '../driver/driver.ts';

/** No look was taken yet. */
const UNSEEN = -2;

export class Progress {
  readonly #driver: Driver;
  /** What was left to be acknowledged at the last look. */
  readonly #left: Int32Array;
  /** Looks in a row that found nothing new. */
  readonly #quiet: Int32Array;

  constructor(driver: Driver, slots: number) {
    this.#driver = driver;
    this.#left = new Int32Array(slots).fill(UNSEEN);
    this.#quiet = new Int32Array(slots);
  }

  /** A wait begins: the first look after it has nothing to compare with, and counts as progress. */
  begin(slot: number): void {
    this.#left[slot] = UNSEEN;
    this.#quiet[slot] = 0;
  }

  /** How many looks in a row, this one included, have found no progress. */
  look(slot: number): number {
    const left = this.#driver.unacknowledged(slot);
    // Where the system does not tell, a send that completes is the only progress.
    const isQuiet = left < 0 || left === this.#left[slot];
    this.#quiet[slot] = isQuiet ? this.#quiet[slot] + 1 : 0;
    this.#left[slot] = left;
    return this.#quiet[slot];
  }

  /** What the last look found: bytes not acknowledged, -1 where the system does not tell. */
  left(slot: number): number {
    return this.#left[slot];
  }
}
