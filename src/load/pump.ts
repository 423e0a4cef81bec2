// Decides when the next turn of a load runs: turns in a row while there is work, some empty turns
// when there is none, then a sleep on Node's event loop until a completion or a due request.

import type { Driver } from '../driver/driver.ts';
import type { Load } from './load.ts';
import { Phase } from './phase.ts';

/** Turns between two rounds of Node's event loop, which runs signal handlers and timers. */
export const TURNS_IN_A_ROW = 64;
/** Empty turns before a sleep, because a sleep and its end cost some ten microseconds. */
export const EMPTY_TURNS_MAX = 24;
/** Timers of Node fire up to a millisecond late. */
const TIMER_SLACK_MS = 2;

export class LoadPump {
  readonly #load: Load;
  readonly #driver: Driver;
  readonly #closed: () => void;
  readonly #run: () => void;
  #emptyTurns = 0;
  #isAsleep = false;
  #timer: NodeJS.Timeout | null = null;

  /** `closed` is called once, when the load has closed its last connection. */
  constructor(load: Load, driver: Driver, closed: () => void) {
    this.#load = load;
    this.#driver = driver;
    this.#closed = closed;
    this.#run = () => this.#turns();
    driver.wake = () => this.#wake();
  }

  start(): void {
    this.#load.start();
    setImmediate(this.#run);
  }

  #turns(): void {
    const load = this.#load;
    for (let turn = 0; turn < TURNS_IN_A_ROW; turn++) {
      const count = load.turn();
      if (load.phase === Phase.Closed) {
        this.#closed();
        return;
      }
      this.#emptyTurns = count === 0 ? this.#emptyTurns + 1 : 0;
      if (this.#emptyTurns > EMPTY_TURNS_MAX && this.#sleep()) return;
    }
    setImmediate(this.#run);
  }

  #sleep(): boolean {
    const quietMs = this.#load.quietMs();
    if (quietMs === 0 || !this.#driver.sleep()) return false;
    this.#isAsleep = true;
    const waitMs = Math.max(1, quietMs - TIMER_SLACK_MS);
    this.#timer = setTimeout(() => this.#wake(), waitMs);
    return true;
  }

  #wake(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.#emptyTurns = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#load.slept();
    setImmediate(this.#run);
  }
}
