// The slot of one worker: its process, the sibling that accepts for it while it has none, and when
// the next process may start.

import { BackOff, STARTS_MAX } from './back-off.ts';
import type { Ready } from './messages.ts';
import type { Timers } from './ports.ts';
import type { WorkerProcess } from './worker-process.ts';

/**
 * A worker that closes by itself is replaced after this time: when a signal to stop came to all
 * processes of a group, it has come to this one by then. A guess, more than a busy machine needs.
 */
export const CLOSING_MS = 100;

export class WorkerSlot {
  readonly index: number;
  readonly backOff: BackOff = new BackOff();
  /** The worker that accepts the clients of this slot: it listens and was not asked to close. */
  worker: WorkerProcess | null = null;
  /** The worker of another slot that accepts them while there is none. */
  sibling: WorkerProcess | null = null;
  /** A reload is starting the next worker. */
  isRenewing = false;
  readonly #timers: Timers;
  #starting: Promise<Ready> | null = null;
  #attemptFailed: ((error: Error) => void)[] = [];
  #skipWait: () => void = () => {};
  #abandon: (error: Error) => void = () => {};

  constructor(index: number, timers: Timers) {
    this.index = index;
    this.#timers = timers;
  }

  /** Runs `start`, which starts workers until one listens; abandon() rejects it. */
  start(start: () => Promise<Ready>): Promise<Ready> {
    const abandoned = new Promise<never>((_resolve, reject) => {
      this.#abandon = reject;
    });
    this.#starting = Promise.race([start(), abandoned]).finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  abandon(error: Error): void {
    this.#abandon(error);
    this.#skipWait();
  }

  /** Waits for the back-off, and no less than `leastMs`. */
  wait(leastMs = 0): Promise<void> {
    const waitMs = Math.max(this.backOff.waitMs, leastMs);
    if (waitMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#timers.after(waitMs, resolve);
      this.#skipWait = () => {
        cancel();
        resolve();
      };
    });
  }

  /** start() has not ended. */
  get isStarting(): boolean {
    return this.#starting !== null;
  }

  releaseSibling(): void {
    this.sibling?.acceptAlso(this.index, false);
    this.sibling = null;
  }

  attemptFailed(error: Error): void {
    for (const notify of this.#attemptFailed.splice(0)) notify(error);
  }

  /** Skips the back-off. Resolves when the slot has a worker; rejects when the next start fails. */
  async whenStarted(): Promise<void> {
    if (this.#starting === null) return;
    const failed = new Promise<never>((_resolve, reject) => {
      this.#attemptFailed.push(reject);
    });
    this.#skipWait();
    await Promise.race([this.#starting, failed]);
  }
}

export function exhaustedError(workerSlot: WorkerSlot, last: Error): Error {
  const what = `worker ${workerSlot.index} failed to start ${STARTS_MAX} times in a row`;
  return Object.assign(new Error(`${what}: ${last.message}`), { code: 'ECHILD' });
}
