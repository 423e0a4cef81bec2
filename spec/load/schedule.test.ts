// When requests of an open loop are due: evenly, at constant, stepped and rising rates.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RateStep, rateAt, Schedule, stepsDurationMs } from '../../src/load/schedule.ts';

const FOREVER = Number.POSITIVE_INFINITY;

function dues(steps: readonly RateStep[], most: number): number[] {
  const schedule = new Schedule(steps);
  const found: number[] = [];
  for (; schedule.dueMs < FOREVER && found.length < most; schedule.advance()) {
    found.push(schedule.dueMs);
  }
  return found;
}

describe('a schedule', () => {
  it('spaces the requests of a rate evenly, from the beginning on', () => {
    assert.deepEqual(dues([{ from: 1000, to: 1000, durationMs: FOREVER }], 4), [0, 1, 2, 3]);
    const many = dues([{ from: 30_000, to: 30_000, durationMs: 200 }], 1e4);
    assert.equal(many.length, 6_000);
    for (let index = 1; index < many.length; index++) {
      assert.ok(Math.abs(many[index] - many[index - 1] - 1 / 30) < 1e-9);
    }
  });

  it('does not drift: a late request is due at its exact time', () => {
    const schedule = new Schedule([{ from: 70_000, to: 70_000, durationMs: FOREVER }]);
    for (let index = 0; index < 100_000; index++) schedule.advance();
    assert.ok(Math.abs(schedule.dueMs - 1e8 / 70_000) < 1e-9);
  });

  it('follows its steps', () => {
    const steps = [
      { from: 1000, to: 1000, durationMs: 3 },
      { from: 500, to: 500, durationMs: 6 },
      { from: 0, to: 0, durationMs: 10 },
      { from: 1000, to: 1000, durationMs: 2 },
    ];
    assert.deepEqual(dues(steps, 99), [0, 1, 2, 3, 5, 7, 19, 20]);
    assert.equal(stepsDurationMs(steps), 21);
    assert.deepEqual(
      [0, 2.9, 3, 8.9, 9, 19, 21].map((at) => rateAt(steps, at)),
      [1000, 1000, 500, 500, 0, 1000, 0],
    );
  });

  it('rises: the requests until a time are the area under the rate', () => {
    for (const [from, to] of [
      [0, 2000],
      [2000, 0],
      [500, 1500],
    ]) {
      const found = dues([{ from, to, durationMs: 10_000 }], 2e4);
      assert.ok(Math.abs(found.length - ((from + to) / 2) * 10) <= 1, `${found.length}`);
      const [half] = [found.filter((due) => due < 5_000).length];
      const wanted = ((from + (from + to) / 2) / 2) * 5;
      assert.ok(Math.abs(half - wanted) <= 1, `${half} of ${wanted} in the first half`);
      assert.ok(found.every((due, index) => index === 0 || due > found[index - 1]));
    }
    assert.equal(rateAt([{ from: 0, to: 2000, durationMs: 1000 }], 250), 500);
  });
});
