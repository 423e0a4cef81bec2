// The histogram of latencies against exact percentiles.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Histogram, UNITS_PER_MS } from '../../src/load/histogram.ts';

/** Of all values: the least that `share` of them do not exceed. */
function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const rank = Math.max(1, Math.ceil(share * sorted.length - 1e-9 * sorted.length));
  return sorted[rank - 1];
}

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

/** A bucket's width, and the rounding to a tenth of a microsecond. */
const slack = (ms: number): number => ms / 256 + 1 / UNITS_PER_MS;

const seed = Number(process.env['VIBING_SEED'] ?? Date.now() & 0x7fffffff);
console.log(`seed ${seed}`);

describe('a histogram', () => {
  it('returns percentiles within half a percent of the exact ones, at any size', () => {
    const latency = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 429_000, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1),
        (values, share) => {
          const is = filled(values).at(share);
          const wanted = exact(values, share);
          assert.ok(Math.abs(is - wanted) <= slack(wanted), `${is} for ${wanted}`);
        },
      ),
      { seed, numRuns: 300 },
    );
  });

  it('keeps count, least, most, mean and deviation exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 10_000, noNaN: true }), { minLength: 1 }),
        (values) => {
          const histogram = filled(values);
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
          const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
          assert.equal(histogram.count, values.length);
          assert.equal(histogram.mostMs, Math.max(...values));
          assert.equal(histogram.leastMs, Math.min(...values));
          assert.ok(Math.abs(histogram.meanMs - mean) <= 1e-9 * (1 + mean));
          const deviation = Math.sqrt(square / values.length);
          assert.ok(Math.abs(histogram.deviationMs - deviation) <= 1e-3 * (1 + deviation));
        },
      ),
      { seed, numRuns: 200 },
    );
  });

  it('has buckets without gaps, which contain their samples', () => {
    const values: number[] = [];
    for (let units = 0; units < 600; units++) values.push(units / UNITS_PER_MS);
    for (let units = 600; units < 4_000; units += 41) values.push(units / UNITS_PER_MS);
    for (let power = 9; power < 32; power++) {
      for (const off of [-1, 0, 1]) values.push((2 ** power + off) / UNITS_PER_MS);
    }
    for (const value of values) {
      const [bucket] = filled([value]).buckets();
      assert.ok(bucket.fromMs <= value + 1e-9 && value < bucket.toMs + 1e-9, `${value}`);
      assert.ok(
        bucket.toMs - bucket.fromMs <= slack(value) + 1e-9,
        `${value} has a bucket of the right width`,
      );
      const next = filled([bucket.toMs]).buckets()[0];
      assert.equal(next.fromMs, bucket.toMs, `behind ${value}`);
    }
  });

  it('counts a negative sample as 0, and Infinity in its last bucket', () => {
    const histogram = filled([-1, 1e9]);
    assert.equal(histogram.count, 2);
    assert.equal(histogram.at(0.5), 0);
    assert.ok(histogram.at(1) > 429_000);
    assert.equal(histogram.leastMs, 0);
  });

  it('is empty at first, and after clear()', () => {
    const histogram = filled([3]);
    histogram.clear();
    for (const one of [new Histogram(), histogram]) {
      assert.deepEqual(
        [one.count, one.at(0.99), one.mostMs, one.leastMs, one.meanMs, one.deviationMs],
        [0, 0, 0, 0, 0, 0],
      );
      assert.deepEqual(one.buckets(), []);
    }
  });

  it('returns percentiles of the samples since a copy', () => {
    const histogram = filled([1, 1, 1]);
    const before = histogram.copyCounts();
    for (const value of [5, 6, 7]) histogram.add(value);
    assert.ok(Math.abs(histogram.atSince(0.5, before) - 6) < slack(6));
    assert.equal(histogram.atSince(0.5, histogram.copyCounts(before)), 0);
    assert.ok(Math.abs(histogram.at(0.5) - 1) < slack(1));
    assert.equal(histogram.countTo(1), 3);
    assert.equal(histogram.countTo(100), 6);
  });
});
