// The completions of the portable driver that were not polled yet, and the wake() for those that
// come while the driver sleeps.

import { CompletionQueue } from '../completion-queue.ts';

export class NetQueue extends CompletionQueue {
  /** True between sleep() and the next completion or poll(). */
  armed = false;
  wake: (fromLoop: boolean) => void = () => {};

  override push(op: number, slot: number, result: number, block: number): void {
    super.push(op, slot, result, block);
    this.notify();
  }

  /** poll() is worth calling: calls wake() once after each sleep(). */
  notify(): void {
    if (!this.armed) return;
    this.armed = false;
    this.wake(false);
  }
}
