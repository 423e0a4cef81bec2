// When a connection of a load is tried again. Behind one that brought a response that is at once.
// Behind those that brought none it is later each time, so that a server that ends them all, or is
// gone, is not called without pause.

import { assert } from '../base/assert.ts';
import type { Ring } from '../base/ring.ts';

/** The delay of the second time; the first time there is none. Each is twice the one before. */
const DELAY_MS_MIN = 10;
const DELAY_MS_MAX = 1_000;
/** The least delay after a connect that failed: nothing has changed a moment later. */
const FAILED_DELAY_MS = 100;
/** The most that a delay is shortened by; each slot by another share, lest all come at once. */
const SPREAD = 0.25;
/** The golden ratio spreads numbers in a row evenly. */
const GOLDEN = 0.618_034;

/**
 * How long `slot` waits before it connects again; `fruitless` connections in a row brought no
 * response, and `isFailed` says that the last of them did not even come about.
 */
export function reconnectDelayMs(slot: number, fruitless: number, isFailed: boolean): number {
  const growing = fruitless < 2 ? 0 : DELAY_MS_MIN * 2 ** (fruitless - 2);
  const delayMs = Math.min(isFailed ? Math.max(growing, FAILED_DELAY_MS) : growing, DELAY_MS_MAX);
  return delayMs * (1 - SPREAD * ((slot * GOLDEN) % 1));
}

/** Slots that wait until they may connect. */
export class Reconnects {
  /** When the first of them may; Infinity when none waits. */
  nextMs: number = Number.POSITIVE_INFINITY;
  readonly #slots: Int32Array;
  readonly #dueMs: Float64Array;
  #count = 0;

  constructor(slots: number) {
    this.#slots = new Int32Array(slots);
    this.#dueMs = new Float64Array(slots);
  }

  add(slot: number, dueMs: number): void {
    assert(this.#count < this.#slots.length, 'a slot waits once');
    this.#slots[this.#count] = slot;
    this.#dueMs[this.#count] = dueMs;
    this.#count += 1;
    if (dueMs < this.nextMs) this.nextMs = dueMs;
  }

  /** Moves those whose time has come to `out`. */
  moveDue(nowMs: number, out: Ring): void {
    if (nowMs < this.nextMs) return;
    this.nextMs = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (let index = 0; index < this.#count; index++) {
      const dueMs = this.#dueMs[index];
      if (dueMs <= nowMs) {
        out.push(this.#slots[index]);
        continue;
      }
      this.#slots[kept] = this.#slots[index];
      this.#dueMs[kept] = dueMs;
      kept += 1;
      if (dueMs < this.nextMs) this.nextMs = dueMs;
    }
    this.#count = kept;
  }
}
