// When a load opens a connection again: at once after a connection that brought a response, with
// growing delays after connections that brought none. So a server that is gone, or closes every
// connection, is not flooded with connects.

import { assert } from '../base/assert.ts';
import type { Ring } from '../base/ring.ts';

/** The first reconnect has no delay, the second has this one; each further delay is doubled. */
const DELAY_MS_MIN = 10;
const DELAY_MS_MAX = 1_000;
/** The least delay after a connect that failed: nothing has changed a moment later. */
const FAILED_DELAY_MS = 100;
/** Delays are shortened by up to this share, differently for each slot, to spread the connects. */
const SPREAD = 0.25;
/** Multiples of the golden ratio modulo 1 are spread evenly. */
const GOLDEN = 0.618_034;

/**
 * How long `slot` waits before it connects again. `barren` connections in a row brought no
 * response; `isFailed`: the last connect itself failed.
 */
export function reconnectDelayMs(slot: number, barren: number, isFailed: boolean): number {
  const growing = barren < 2 ? 0 : DELAY_MS_MIN * 2 ** (barren - 2);
  const delayMs = Math.min(isFailed ? Math.max(growing, FAILED_DELAY_MS) : growing, DELAY_MS_MAX);
  return delayMs * (1 - SPREAD * ((slot * GOLDEN) % 1));
}

/** Slots whose connect is delayed. */
export class Reconnects {
  /** When the first of them is due; Infinity when there is none. */
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

  /** Moves the slots that are due to `out`. */
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
