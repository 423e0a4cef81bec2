// Hot: runs for every turn. Measured by perf/micro/driver.ts.
// Runs the reactor's turns. The driver sleeps on Node's own event loop, which calls when the kernel
// has completions; then turns run in batches of 16, and between batches promises, timers and file
// callbacks of handlers run. One timer waits for the next deadline.

import { AsyncResource } from 'node:async_hooks';
import type { Reactor } from './reactor.ts';

/** Turns in a row before Node's loop runs, which costs about 2 microseconds. */
export const TURNS_IN_A_ROW = 16;

/** Timers of Node fire up to a millisecond early or late; being late is harmless. */
const TIMER_SLACK_MS = 1;

/** The longest delay of setTimeout(). */
const TIMER_MAX_MS = 0x7fffffff;

export class Pump {
  readonly #reactor: Reactor;
  readonly #run: () => void;
  /** As #run, without the asynchronous context of its caller, a handler, whose stores it has. */
  readonly #runAlone: () => void;
  #asleep = false;
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #holds = true;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#run = () => this.#turns();
    this.#runAlone = AsyncResource.bind(this.#run);
    reactor.driver.wake = (fromLoop) => this.#wake(fromLoop);
  }

  start(): void {
    this.#stopped = false;
    setImmediate(this.#run);
  }

  /** No turn runs after this. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
  }

  /** Whether the timer of the next deadline keeps the process alive, as it does at first. */
  hold(on: boolean): void {
    this.#holds = on;
    if (on) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** For a server that closes: sockets close in turns, which run while this waits. */
  wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
  }

  /**
   * Resolves after `pauseMs`; with 0 after one round of Node's loop. It does not keep the process
   * alive.
   */
  pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (pauseMs === 0) setImmediate(resolve);
      else setTimeout(resolve, Math.min(pauseMs, TIMER_MAX_MS)).unref();
    });
  }

  #turns(): void {
    for (let turn = 0; turn < TURNS_IN_A_ROW && !this.#stopped; turn++) {
      const count = this.#reactor.turn();
      if (this.#reactor.yieldWanted) break;
      // One empty turn costs less than a round of Node's loop.
      if (count === 0 && this.#sleep()) return;
    }
    this.#reactor.yieldWanted = false;
    if (this.#stopped || this.#sleep()) return;
    setImmediate(this.#run);
  }

  /** False when the driver has completions now, for which no wake() would come. */
  #sleep(): boolean {
    if (this.#stopped || !this.#reactor.driver.sleep()) return false;
    this.#asleep = true;
    this.#reactor.rest();
    this.#setTimer();
    return true;
  }

  #wake(fromLoop: boolean): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    if (this.#stopped) return;
    if (fromLoop) this.#turnsNow();
    else setImmediate(this.#runAlone);
  }

  /** A failed assertion must end the process: the library that calls this would swallow it. */
  #turnsNow(): void {
    try {
      this.#turns();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** A timer that is due before the next deadline stays: the pump sleeps again afterwards. */
  #setTimer(): void {
    const dueMs = this.#reactor.nextDueMs();
    if (dueMs >= this.#timerDueMs) return;
    this.#clearTimer();
    this.#timerDueMs = dueMs;
    const waitMs = dueMs - this.#reactor.driver.now() + TIMER_SLACK_MS;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#timerDueMs = Number.POSITIVE_INFINITY;
        // Not at once: Node's loop first reads what came while the process was blocked; otherwise
        // clients would time out although their bytes are there.
        this.#wake(false);
      },
      Math.min(Math.max(waitMs, TIMER_SLACK_MS), TIMER_MAX_MS),
    );
    if (!this.#holds) this.#timer.unref();
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
  }
}
