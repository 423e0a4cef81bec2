// How long the place of a worker waits before the next start, and who ends the wait.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerSlot } from '../../src/cluster/worker-slot.ts';

class Clock {
  readonly waits: number[] = [];
  cancelled = 0;
  #due: () => void = () => {};

  now(): number {
    return 0;
  }

  after(delayMs: number, due: () => void): () => void {
    this.waits.push(delayMs);
    this.#due = due;
    return () => {
      this.cancelled += 1;
    };
  }

  pass(): void {
    this.#due();
  }
}

test('the longer one of the back-off and the least wait counts, not their sum', async () => {
  const clock = new Clock();
  const slot = new WorkerSlot(1, clock);
  await slot.wait();
  assert.deepEqual(clock.waits, [], 'the first start is at once');
  for (let exits = 1; exits <= 3; exits++) slot.backOff.exited(-1, false);
  const { waitMs } = slot.backOff;
  assert.ok(waitMs > 1);
  for (const leastMs of [0, 1, waitMs, waitMs + 5]) {
    const waiting = slot.wait(leastMs);
    clock.pass();
    await waiting;
  }
  assert.deepEqual(clock.waits, [waitMs, waitMs, waitMs, waitMs + 5]);
  assert.equal(clock.cancelled, 0);
});

test('a wait is over, with its timer, when the start is given up or asked for', async () => {
  const clock = new Clock();
  const slot = new WorkerSlot(1, clock);
  const started: string[] = [];
  const start = async (): Promise<void> => {
    await slot.wait(50);
    started.push('started');
  };
  const first = slot.start(start as never);
  assert.ok(slot.isStarting);
  await slot.whenStarted();
  await first;
  assert.deepEqual(started, ['started']);
  assert.equal(slot.isStarting, false);
  await slot.whenStarted();
  const second = slot.start(start as never);
  slot.abandon(new Error('the primary closes'));
  await assert.rejects(second, /the primary closes/);
  assert.equal(slot.isStarting, false);
  assert.equal(clock.cancelled, 2);
});
