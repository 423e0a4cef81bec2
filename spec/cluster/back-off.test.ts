// How long a worker slot waits before its next start, and when it has failed too often.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BackOff,
  HEALTHY_MS as HEALTHY,
  STARTED_MS,
  STARTS_MAX,
} from '../../src/cluster/back-off.ts';

const NEVER = -1;
const EARLY_MS = 20;
const LATER_MS = 5_000;
const HEALTHY_MS = 60_000;

test('the first start after an exit is at once, then the wait doubles up to its limit', () => {
  const backOff = new BackOff();
  const waits: number[] = [];
  for (let count = 0; count < 12; count++) {
    backOff.exited(LATER_MS, false);
    waits.push(backOff.waitMs);
  }
  assert.deepEqual(
    waits,
    [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000],
  );
  assert.equal(backOff.isExhausted, false, 'a worker that had started is not a failed start');
  backOff.exited(HEALTHY_MS, false);
  assert.equal(backOff.waitMs, 0);
});

test('failed starts in a row exhaust the slot', () => {
  for (const listenedMs of [NEVER, EARLY_MS]) {
    const backOff = new BackOff();
    for (let count = 0; count < STARTS_MAX; count++) {
      assert.equal(backOff.isExhausted, false);
      backOff.exited(listenedMs, false);
    }
    assert.equal(backOff.isExhausted, true);
    backOff.exited(LATER_MS, false);
    assert.equal(backOff.isExhausted, false, 'only those in a row count');
  }
});

test('a worker that is killed after its start is replaced at once, however often', () => {
  const backOff = new BackOff();
  for (let count = 0; count < 20; count++) {
    backOff.exited(LATER_MS, true);
    assert.equal(backOff.waitMs, 0);
  }
  // Soon after it listened this costs a wait, but is not a failed start.
  for (let count = 0; count < 20; count++) backOff.exited(EARLY_MS, true);
  assert.equal(backOff.isExhausted, false);
  assert.ok(backOff.waitMs > 0);
});

test('a worker that a reload replaced had started', () => {
  const backOff = new BackOff();
  for (let count = 1; count < STARTS_MAX; count++) backOff.exited(-1, false);
  backOff.replaced(STARTED_MS - 1);
  assert.notEqual(backOff.waitMs, 0);
  backOff.replaced(STARTED_MS);
  assert.equal(backOff.waitMs, 0);
  backOff.exited(-1, false);
  assert.equal(backOff.isExhausted, false);
});

test('the times of a start and of a healthy worker belong to them', () => {
  const waitAfter = (listenedMs: number, byOthers: boolean): number => {
    const backOff = new BackOff();
    for (let count = 0; count < 3; count++) backOff.exited(LATER_MS, false);
    backOff.exited(listenedMs, byOthers);
    return backOff.waitMs;
  };
  assert.equal(waitAfter(HEALTHY, false), 0);
  assert.notEqual(waitAfter(HEALTHY - 1, false), 0);
  assert.equal(waitAfter(STARTED_MS, true), 0);
  assert.notEqual(waitAfter(STARTED_MS - 1, true), 0);
  const isExhaustedAfter = (listenedMs: number, byOthers: boolean): boolean => {
    const backOff = new BackOff();
    for (let count = 0; count < STARTS_MAX; count++) backOff.exited(listenedMs, byOthers);
    return backOff.isExhausted;
  };
  assert.equal(isExhaustedAfter(STARTED_MS, false), false);
  assert.equal(isExhaustedAfter(STARTED_MS - 1, false), true);
  assert.equal(isExhaustedAfter(0, true), false, 'it listened, and was killed');
  assert.equal(isExhaustedAfter(NEVER, true), true, 'one that never listens is a failed start');
});
