// Whether peers make progress in taking what is sent. The kernel completes a send only when a third
// of its buffer is free, which can take minutes with a slow peer; the count of unacknowledged bytes
// shows every byte of progress. Reading it costs a system call, so only late sends are checked.

import type { Driver } from '../driver/driver.ts';

/** No check was made yet. */
const UNCHECKED = -2;

export class Progress {
  readonly #driver: Driver;
  /** Bytes not acknowledged at the last check. */
  readonly #unacknowledged: Int32Array;
  /** Checks in a row that found no progress. */
  readonly #stalled: Int32Array;

  constructor(driver: Driver, slots: number) {
    this.#driver = driver;
    this.#unacknowledged = new Int32Array(slots).fill(UNCHECKED);
    this.#stalled = new Int32Array(slots);
  }

  /** A wait begins: its first check has nothing to compare with, and counts as progress. */
  begin(slot: number): void {
    this.#unacknowledged[slot] = UNCHECKED;
    this.#stalled[slot] = 0;
  }

  /** How many checks in a row, this one included, found no progress. */
  check(slot: number): number {
    const bytes = this.#driver.unacknowledged(slot);
    // Where the system does not report it, only a completed send is progress.
    const isStalled = bytes < 0 || bytes === this.#unacknowledged[slot];
    this.#stalled[slot] = isStalled ? this.#stalled[slot] + 1 : 0;
    // A system that once does not report it, as in a slow reading of its table, changes nothing.
    if (bytes >= 0 || this.#unacknowledged[slot] < 0) this.#unacknowledged[slot] = bytes;
    return this.#stalled[slot];
  }

  /** Bytes not acknowledged when last reported; -1 where the system does not report it. */
  unacknowledged(slot: number): number {
    return this.#unacknowledged[slot];
  }
}
