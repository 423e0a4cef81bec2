// When the next turn comes. While there is work, turns are chained by setImmediate, several in a
// row, so that promises, timers and files of handlers go on between them; when there is none for a
// while, the driver sleeps on Node's own loop and one timer waits for the next deadline.

import type { Reactor } from './reactor.ts';

/** Turns in a row before Node's loop has its turn: an immediate costs 1.6 to 2 microseconds. */
const TURNS_IN_A_ROW = 16;

/** Empty turns before sleeping: waking costs several times what an empty turn does. */
const EMPTY_TURNS = 2;

/** Timers of Node fire up to a millisecond early or late; being late is harmless. */
const TIMER_SLACK_MS = 1;

/** The longest setTimeout() can wait. */
const TIMER_MAX_MS = 0x7fffffff;

export class Pump {
  readonly #reactor: Reactor;
  readonly #run: () => void;
  #asleep = false;
  #stopped = true;
  #emptyTurns = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = Number.POSITIVE_INFINITY;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#run = () => this.#turns();
    reactor.driver.wake = () => this.#wake();
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

  #turns(): void {
    for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped; turn++) {
      const count = this.#reactor.turn();
      if (count > 0) {
        this.#emptyTurns = 0;
      } else if (++this.#emptyTurns > EMPTY_TURNS) {
        if (this.#sleep()) return;
      }
      if (this.#reactor.yieldWanted) break;
    }
    this.#reactor.yieldWanted = false;
    if (!this.#stopped) setImmediate(this.#run);
  }

  #sleep(): boolean {
    this.#emptyTurns = 0;
    if (!this.#reactor.driver.sleep()) return false;
    this.#asleep = true;
    this.#setTimer();
    return true;
  }

  #wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    if (!this.#stopped) setImmediate(this.#run);
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
        this.#wake();
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
