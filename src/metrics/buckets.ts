// Runs for every request while metrics are on. Measured by perf/micro/metrics.ts.
// The buckets of a histogram: 32 equally wide ones in each doubling, over 32 doublings. A histogram
// has a base, which is the bound of a bucket, and so is each of its halves and doubles. A value is
// in the bucket (lower, upper] around it, and at most 1/32 (3.2 %) below its upper bound.

/** Buckets of one doubling, as a power of two. */
const SUB_BITS = 5;
export const BANK_BUCKETS: number = 1 << SUB_BITS;

/** The first bucket begins below base * 2 ** DOUBLING_MIN. */
const DOUBLING_MIN = -6;
export const DOUBLINGS = 32;
export const BUCKETS: number = DOUBLINGS << SUB_BITS;

/** How far a value lies below the upper bound of its bucket at most, relative to the value. */
export const RELATIVE_ERROR: number = 1 / BANK_BUCKETS;

/** A double as its upper and lower half: exponent, then the first 20 bits of the fraction. */
const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
double[0] = 1;
const UPPER = halves[1] === 0 ? 0 : 1;
const LOWER = 1 - UPPER;
const FRACTION_BITS = 20;
const EXPONENT_BIAS = 1023;
const SHIFT: number = FRACTION_BITS - SUB_BITS;
const FIRST: number = (EXPONENT_BIAS + DOUBLING_MIN) << SUB_BITS;

/**
 * The bucket of a value that is divided by the base: 0 for all that are smaller than those of
 * bucket 1, BUCKETS for all that are larger than those of the last one. A bound belongs to the
 * bucket below it, as the next smaller double would: that is what subtracting 1 does.
 */
export function bucketOf(scaled: number): number {
  double[0] = scaled;
  const upper = halves[UPPER] - (halves[LOWER] === 0 ? 1 : 0);
  const index = (upper >> SHIFT) - FIRST;
  return Math.max(0, Math.min(index, BUCKETS));
}

/** The largest value of a bucket. */
export function upperBound(bucket: number, base: number): number {
  const doubling = (bucket >> SUB_BITS) + DOUBLING_MIN;
  const within = (bucket & (BANK_BUCKETS - 1)) + 1;
  return base * 2 ** doubling * (1 + within / BANK_BUCKETS);
}

/** The bucket that ends at a bound, as upperBound() computes it: its division may round. */
export function bucketOfBound(bound: number, base: number): number {
  const near = bucketOf(bound / base);
  return upperBound(near - 1, base) >= bound ? near - 1 : near;
}

/** The least bound of a bucket that is not below `value`: where cumulative counts are exact. */
export function boundFrom(value: number, base: number): number {
  return upperBound(Math.min(bucketOf(value / base), BUCKETS - 1), base);
}
