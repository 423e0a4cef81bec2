// The completions of the portable driver that were not polled yet, and the one bell that rings when
// something finishes while nobody polls.

import { CompletionQueue } from '../completion-queue.ts';

export class NetQueue extends CompletionQueue {
  /** True between sleep() and the next completion or poll(). */
  armed = false;
  wake: (fromLoop: boolean) => void = () => {};

  override push(op: number, slot: number, result: number, block: number): void {
    super.push(op, slot, result, block);
    this.ring();
  }

  /** Something is worth a poll(): wakes the sleeper, once. */
  ring(): void {
    if (!this.armed) return;
    this.armed = false;
    this.wake(false);
  }
}
