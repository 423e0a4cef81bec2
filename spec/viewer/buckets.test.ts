// Sums, differences and percentiles of buckets against lists of the values themselves.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type Buckets,
  coarsened,
  countOf,
  longest,
  mergeBuckets,
  percentile,
  rowsOf,
  subtractBuckets,
} from '../../src/viewer/buckets.ts';
import { POINT_BUCKETS_MAX } from '../../src/viewer/limits.ts';
import { boundOf, histogram } from './fixtures/model-server.ts';

const seed = Number(process.env['VIBING_SEED'] ?? Date.now() & 0x7fffffff);
console.log(`seed ${seed}`);

const values = fc.array(fc.double({ min: 1e-6, max: 100, noNaN: true }), { maxLength: 200 });
const of = (all: readonly number[]): Buckets => histogram(all).buckets;

describe('buckets', () => {
  it('have percentiles with known results', () => {
    const buckets: Buckets = [
      [0.001, 50],
      [0.002, 40],
      [0.005, 9],
      [1, 1],
    ];
    const shares = [0, 0.5, 0.501, 0.9, 0.99, 0.999, 1];
    const found = shares.map((share) => percentile(buckets, share));
    assert.deepEqual(found, [0.001, 0.001, 0.002, 0.002, 0.005, 1, 1]);
    assert.equal(percentile([], 0.5), null);
    // Products that are not exact: 0.07 * 100 is more than 7, 0.999 * 3,000 less than 2,997.
    for (const count of [10, 100, 1_000, 3_000, 7_000, 10_000]) {
      for (const share of [0.07, 0.14, 0.28, 0.55, 0.57, 0.58, 0.9, 0.99, 0.999]) {
        const rank = Math.max(1, Math.ceil(Number((share * count).toFixed(6))));
        const two: Buckets = [
          [1, rank],
          [2, count - rank],
        ];
        assert.equal(percentile(two, share), 1, `${share} of ${count}`);
      }
    }
    assert.equal(longest(buckets), 1);
    assert.equal(longest([]), null);
  });

  it('have the percentile of the sorted values, rounded up to its bucket', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1), (all, share) => {
        const sorted = [...all].sort((a, b) => a - b);
        const rank = Math.max(1, Math.ceil(share * sorted.length - 1e-9 * sorted.length));
        const wanted = sorted.length === 0 ? null : boundOf(sorted[rank - 1]);
        assert.equal(percentile(of(all), share), wanted);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('are joined to as many as are kept, and no percentile becomes too small', () => {
    const most = 8;
    const wide = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 60 });
    fc.assert(
      fc.property(wide, (all) => {
        const fine = [...new Set(all)].sort((a, b) => a - b).map((bound) => [bound, 2] as const);
        const coarse = coarsened(fine, most);
        assert.ok(coarse.length <= most, String(coarse.length));
        assert.equal(countOf(coarse), countOf(fine));
        assert.equal(longest(coarse), longest(fine));
        for (const share of [0.01, 0.5, 0.9]) {
          assert.ok(Number(percentile(coarse, share)) >= Number(percentile(fine, share)));
        }
        assert.deepEqual(mergeBuckets([coarse, []], most), coarse);
      }),
      { seed, numRuns: 300 },
    );
    const grid = Array.from({ length: 1_000 }, (_, index) => [1.01 ** index, 1] as const);
    const merged = mergeBuckets([grid.slice(0, 500), grid.slice(500)]);
    assert.ok(merged.length > 250 && merged.length <= POINT_BUCKETS_MAX);
  });

  it('merge to those of all values, and subtract to those that were added', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const both = of([...first, ...second]);
        assert.deepEqual(mergeBuckets([of(first), of(second)]), both);
        assert.deepEqual(subtractBuckets(both, of(first)), of(second));
        assert.equal(countOf(both), first.length + second.length);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('that lost a count have no difference', () => {
    const now: Buckets = [[1, 5]];
    assert.deepEqual(subtractBuckets(now, [[1, 6]]), null);
    assert.deepEqual(subtractBuckets(now, [[0.5, 1]]), null);
    assert.deepEqual(subtractBuckets(now, [[2, 1]]), null);
    assert.deepEqual(subtractBuckets([], [[2, 1]]), null);
    assert.deepEqual(subtractBuckets(now, now), []);
  });

  it('fall into rows by their bounds, the greatest into the last', () => {
    const buckets: Buckets = [
      [0.5, 1],
      [1, 2],
      [1.5, 3],
      [50, 4],
    ];
    assert.deepEqual(rowsOf(buckets, [1, 2, 4]), [3, 3, 4]);
    assert.deepEqual(rowsOf([], [1, 2]), [0, 0]);
    // A bound that was computed in another way differs in its last bit.
    assert.deepEqual(rowsOf([[0.1 + 0.2, 1]], [0.3, 1]), [1, 0]);
  });
});
