// The place of one worker: who has it, who stands in while nobody does, and when the next one may
// start.

import { BackOff } from './back-off.ts';
import type { Ready } from './messages.ts';
import type { WorkerProcess } from './worker-process.ts';

export class WorkerSlot {
  readonly index: number;
  readonly backOff: BackOff = new BackOff();
  /** The worker that takes this seat's clients: it listens and was not told to end. */
  worker: WorkerProcess | null = null;
  /** The sibling that takes them while there is none. */
  helper: WorkerProcess | null = null;
  /** A reload is starting the next worker. */
  isRenewing = false;
  #filling: Promise<Ready> | null = null;
  #attemptFailed: ((error: Error) => void)[] = [];
  #skipWait: () => void = () => {};
  #abandon: (error: Error) => void = () => {};

  constructor(index: number) {
    this.index = index;
  }

  /** Runs what starts workers until one listens, or until abandon(). */
  fill(start: () => Promise<Ready>): Promise<Ready> {
    const abandoned = new Promise<never>((_resolve, reject) => {
      this.#abandon = reject;
    });
    this.#filling = Promise.race([start(), abandoned]).finally(() => {
      this.#filling = null;
    });
    return this.#filling;
  }

  abandon(error: Error): void {
    this.#abandon(error);
    this.#skipWait();
  }

  /** Waits as long as the ends before make it. */
  wait(): Promise<void> {
    const { waitMs } = this.backOff;
    if (waitMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#skipWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  attemptFailed(error: Error): void {
    for (const tell of this.#attemptFailed.splice(0)) tell(error);
  }

  /** Resolves when it has a worker; rejects when the next start fails, which is now. */
  async whenFilled(): Promise<void> {
    if (this.#filling === null) return;
    const failed = new Promise<never>((_resolve, reject) => {
      this.#attemptFailed.push(reject);
    });
    this.#skipWait();
    await Promise.race([this.#filling, failed]);
  }
}
