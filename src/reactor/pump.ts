// When the next turn comes. The driver sleeps on Node's own loop, which calls when the kernel has
// something; then several turns run in a row, and between such rows promises, timers and files of
// handlers go on. One timer waits for the next deadline.

import type { Reactor } from './reactor.ts';

/** Turns in a row before Node's loop has its turn, which costs about 2 microseconds. */
const TURNS_IN_A_ROW = 16;

/** Timers of Node fire up to a millisecond early or late; being late is harmless. */
const TIMER_SLACK_MS = 1;

/** The longest setTimeout() can wait. */
const TIMER_MAX_MS = 0x7fffffff;

export class Pump {
  readonly #reactor: Reactor;
  readonly #run: () => void;
  #asleep = false;
  #stopped = true;
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#run = () => this.#turns();
    reactor.driver.wake = (fromLoop) => this.#wake(fromLoop);
  }

  start(): void {
    this.#stopped = false;
    setImmediate(this.#run);
  }

  /** No turn comes after this. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
  }

  /** For closing: the sockets' ends come by turns, so somebody else must wait between them. */
  wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
  }

  /**
   * Resolves after so many milliseconds, 0: when Node's loop has gone round. It keeps no process
   * alive for longer than a turn.
   */
  pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (pauseMs === 0) setImmediate(resolve);
      else setTimeout(resolve, pauseMs).unref();
    });
  }

  #turns(): void {
    for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped; turn++) {
      const count = this.#reactor.turn();
      if (this.#reactor.yieldWanted) break;
      // One empty turn costs less than asking Node's loop whether there is more.
      if (count === 0 && this.#sleep()) return;
    }
    this.#reactor.yieldWanted = false;
    if (this.#stopped || this.#sleep()) return;
    setImmediate(this.#run);
  }

  /** False when there is work left that no event will announce. */
  #sleep(): boolean {
    if (this.#stopped || !this.#reactor.driver.sleep()) return false;
    this.#asleep = true;
    this.#setTimer();
    return true;
  }

  #wake(fromLoop: boolean): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    if (this.#stopped) return;
    if (fromLoop) this.#turnsNow();
    else setImmediate(this.#run);
  }

  /** A mistake of ours must end the process: the library that calls back here would swallow it. */
  #turnsNow(): void {
    try {
      this.#turns();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** A timer that fires too early for the deadlines of now is kept: it sleeps on afterwards. */
  #setTimer(): void {
    const dueMs = this.#reactor.nextDueMs();
    if (dueMs >= this.#timerDueMs) return;
    this.#clearTimer();
    this.#timerDueMs = dueMs;
    const waitMs = dueMs - this.#reactor.driver.now() + TIMER_SLACK_MS;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#timerDueMs = Number.POSITIVE_INFINITY;
        // Not at once: Node's loop first reads what came while the process was held up, or clients
        // would be given up for silence that was not theirs.
        this.#wake(false);
      },
      Math.min(Math.max(waitMs, TIMER_SLACK_MS), TIMER_MAX_MS),
    );
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }
}
