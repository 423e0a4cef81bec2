// The buckets of histograms: every value is in the one around it, whose bounds are near.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BUCKETS,
  boundFrom,
  bucketOf,
  bucketOfBound,
  RELATIVE_ERROR,
  upperBound,
} from '../../src/metrics/buckets.ts';

/** The bounds below and above which there are no buckets, for a base of 1. */
const LEAST = 2 ** -6;
const MOST = 2 ** 26;

const inRange = fc.double({ min: LEAST * 1.04, max: MOST, noNaN: true });
const base = fc.double({ min: 1e-9, max: 1e9, noNaN: true });

test('a value is above the bucket below, and at most 1/32 below its upper bound', () => {
  fc.assert(
    fc.property(inRange, (value) => {
      const bucket = bucketOf(value);
      const upper = upperBound(bucket, 1);
      assert.ok(value <= upper && value > upperBound(bucket - 1, 1), `${value} in ${bucket}`);
      assert.ok((upper - value) / value <= RELATIVE_ERROR, `${value} below ${upper}`);
    }),
  );
});

test('a bound belongs to the bucket below it, and the next double to the one above', () => {
  const next = new Float64Array(1);
  const bits = new BigUint64Array(next.buffer);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const bound = upperBound(bucket, 1);
    assert.equal(bucketOf(bound), bucket);
    next[0] = bound;
    bits[0] += 1n;
    assert.equal(bucketOf(next[0]), bucket + 1);
  }
});

test('values beyond the range are in the first bucket, or behind the last one', () => {
  for (const value of [0, Number.MIN_VALUE, 1e-300, LEAST]) assert.equal(bucketOf(value), 0);
  assert.equal(bucketOf(MOST), BUCKETS - 1);
  for (const value of [MOST + 0.1, 1e300, Number.MAX_VALUE]) assert.equal(bucketOf(value), BUCKETS);
});

test('a bound for a value is the next one of a bucket, whatever the base', () => {
  fc.assert(
    fc.property(inRange, base, (value, scale) => {
      const bound = boundFrom(value * scale, scale);
      assert.ok(bound >= value * scale * (1 - 1e-12));
      assert.ok(bound <= value * scale * (1 + RELATIVE_ERROR + 1e-12));
      assert.equal(upperBound(bucketOfBound(bound, scale), scale), bound);
    }),
  );
});

test('a value beyond the range has the bound of the last bucket', () => {
  for (const value of [MOST, MOST * 2, 1e300]) assert.equal(boundFrom(value, 1), MOST);
});
