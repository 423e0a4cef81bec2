// perf:metrics: ratios mean the same, whichever server was started first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costRatios } from '../../perf/experiments/metrics-cost.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';

leaveOutOfCoverage();

test('a ratio below 1 says that metrics cost something, in both orders', () => {
  const without = { rate: 100, cpuUs: 10 };
  const withThem = { rate: 80, cpuUs: 12.5 };
  const inOrder = costRatios([without, without], [withThem], false);
  const swapped = costRatios([withThem, withThem], [without], true);
  assert.deepEqual(inOrder, [{ rate: 0.8, cpu: 0.8 }]);
  assert.deepEqual(swapped, inOrder);
  const drifting = [90, 110].map((rate) => ({ rate, cpuUs: 1_000 / rate }));
  assert.equal(costRatios(drifting, [withThem], false)[0].rate, 0.8);
  assert.throws(() => costRatios([without], [withThem], false), /one window more/);
});
