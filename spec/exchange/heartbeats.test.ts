// Heartbeats in virtual time: when a quiet stream beats, and that one timer serves all streams.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Services } from '../../src/exchange/exchange.ts';
import { addHeartbeat } from '../../src/exchange/heartbeats.ts';

/** Services whose timers fire when the test says so. */
class Clock {
  nowMs = 1000;
  readonly timers: { readonly dueMs: number; readonly fire: () => void }[] = [];
  readonly services: Services = {
    nowMs: () => this.nowMs,
    pause: (ms: number) =>
      new Promise<void>((fire) => this.timers.push({ dueMs: this.nowMs + ms, fire })),
  } as unknown as Services;

  async pass(ms: number): Promise<void> {
    for (let step = 0; step < ms; step++) {
      this.nowMs += 1;
      const due = this.timers.filter(({ dueMs }) => dueMs <= this.nowMs);
      for (const timer of due) {
        this.timers.splice(this.timers.indexOf(timer), 1);
        timer.fire();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

class Stream {
  readonly beatsMs: number[] = [];
  readonly openedMs: number;
  isOpen = true;
  sentMs: number;
  readonly #clock: Clock;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.openedMs = clock.nowMs;
    this.sentMs = clock.nowMs;
    addHeartbeat(clock.services, intervalMs, (sinceMs) => {
      if (this.isOpen && this.sentMs <= sinceMs) this.send(true);
      return this.isOpen;
    });
  }

  send(isBeat = false): void {
    this.sentMs = this.#clock.nowMs;
    if (isBeat) this.beatsMs.push(this.sentMs);
  }
}

describe('heartbeats', () => {
  test('no stream is silent for longer than its interval, whenever it began', async () => {
    const clock = new Clock();
    const streams: Stream[] = [];
    for (let offset = 0; offset < 40; offset += 7) {
      streams.push(new Stream(clock, 40));
      await clock.pass(7);
    }
    await clock.pass(400);
    for (const { openedMs, beatsMs } of streams) {
      assert.ok(beatsMs.length >= 10 && beatsMs.length <= 16, beatsMs.join());
      beatsMs.forEach((atMs, index) => {
        const silentMs = atMs - (index === 0 ? openedMs : beatsMs[index - 1]);
        assert.ok(silentMs >= 30 && silentMs <= 40, beatsMs.join());
      });
    }
  });

  test('a stream that sends does not beat', async () => {
    const clock = new Clock();
    const busy = new Stream(clock, 40);
    const quiet = new Stream(clock, 40);
    for (let round = 0; round < 40; round++) {
      await clock.pass(20);
      busy.send();
    }
    assert.deepEqual(busy.beatsMs, []);
    assert.ok(quiet.beatsMs.length >= 20);
    await clock.pass(40);
    assert.equal(busy.beatsMs.length, 1);
  });

  test('one timer serves all streams with an interval, and none when all are closed', async () => {
    const clock = new Clock();
    const streams = Array.from({ length: 1000 }, () => new Stream(clock, 40));
    assert.equal(clock.timers.length, 1);
    const other = new Stream(clock, 100);
    await clock.pass(100);
    assert.equal(clock.timers.length, 2);
    other.isOpen = false;
    await clock.pass(100);
    assert.equal(clock.timers.length, 1);
    for (const stream of streams) stream.isOpen = false;
    await clock.pass(40);
    assert.equal(clock.timers.length, 0);
    const next = new Stream(clock, 40);
    await clock.pass(40);
    assert.equal(next.beatsMs.length, 1);
    assert.ok(streams.every(({ beatsMs }) => beatsMs.length <= 7));
  });

  test('servers do not share them', async () => {
    const [one, two] = [new Clock(), new Clock()];
    new Stream(one, 40);
    new Stream(two, 40);
    assert.deepEqual([one.timers.length, two.timers.length], [1, 1]);
  });
});
