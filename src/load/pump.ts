// When the next turn of a load comes: turns in a row while there is work, a short look around when
// there is none, then sleep on Node's own loop until the kernel has something or a request is due.

import type { Driver } from '../driver/driver.ts';
import { type Load, Phase } from './load.ts';

/** Turns between two rounds of Node's loop, which brings signals and timers. */
const TURNS_IN_A_ROW = 64;
/**
 * A sleep and its end cost some ten microseconds; so long nothing has to come before it is worth
 * that.
 */
const EMPTY_TURNS_MAX = 24;
/** Timers of Node fire up to a millisecond late. */
const TIMER_SLACK_MS = 2;

export class LoadPump {
  readonly #load: Load;
  readonly #driver: Driver;
  readonly #over: () => void;
  readonly #run: () => void;
  #emptyTurns = 0;
  #isAsleep = false;
  #timer: NodeJS.Timeout | null = null;

  /** `over` is called once, when the load has closed its last connection. */
  constructor(load: Load, driver: Driver, over: () => void) {
    this.#load = load;
    this.#driver = driver;
    this.#over = over;
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
      if (load.phase === Phase.Over) {
        this.#over();
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
