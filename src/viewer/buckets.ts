// Sums, differences and percentiles of fine buckets: pairs of an upper bound and the count of
// values in that bucket alone, ascending, without empty ones.

import { POINT_BUCKETS_MAX } from './limits.ts';

/** Upper bound and count. */
export type Bucket = readonly [bound: number, count: number];
export type Buckets = readonly Bucket[];

export const NO_BUCKETS: Buckets = [];

export function countOf(buckets: Buckets): number {
  let count = 0;
  for (const [, each] of buckets) count += each;
  return count;
}

/** What was added between two states of one histogram; null when a count went back. */
export function subtractBuckets(now: Buckets, before: Buckets): Buckets | null {
  const added: Bucket[] = [];
  let at = 0;
  for (const [bound, count] of now) {
    // A bucket that is no longer there has lost its count.
    if (at < before.length && before[at][0] < bound) return null;
    const had = at < before.length && before[at][0] === bound ? before[at++][1] : 0;
    if (count < had) return null;
    if (count > had) added.push([bound, count - had]);
  }
  return at < before.length ? null : added;
}

/** The sums of several histograms, in at most `most` buckets. */
export function mergeBuckets(all: Iterable<Buckets>, most: number = POINT_BUCKETS_MAX): Buckets {
  const counts = new Map<number, number>();
  for (const buckets of all) {
    for (const [bound, count] of buckets) counts.set(bound, (counts.get(bound) ?? 0) + count);
  }
  return coarsened(
    [...counts].sort(([a], [b]) => a - b),
    most,
  );
}

/** The cells of an octave, with which joining begins: 2.2 % is finer than a server's buckets. */
const OCTAVE_CELLS = 32;

/**
 * The same values in at most `most` buckets, which is 4 or more. Neighbors are joined that lie in
 * one cell of a fixed logarithmic grid, so that to join again moves no value further. Each keeps
 * the greatest bound: percentiles are never too small, and the greatest value stays as it is.
 */
export function coarsened(buckets: Buckets, most: number): Buckets {
  let joined = buckets;
  for (let cells = OCTAVE_CELLS; joined.length > most; cells /= 2) joined = join(joined, cells);
  return joined;
}

function join(buckets: Buckets, octaveCells: number): Buckets {
  const joined: Bucket[] = [];
  let last = Number.NaN;
  for (const [bound, count] of buckets) {
    const cell = bound > 0 ? Math.ceil(Math.log2(bound) * octaveCells) : Number.NEGATIVE_INFINITY;
    if (cell === last) joined.push([bound, count + (joined.pop()?.[1] ?? 0)]);
    else joined.push([bound, count]);
    last = cell;
  }
  return joined;
}

/**
 * The upper bound of the bucket in which the value of this rank lies: at least `share` of all
 * values are not greater. Null without values. `share` is between 0 and 1.
 */
export function percentile(buckets: Buckets, share: number): number | null {
  const count = countOf(buckets);
  if (count === 0) return null;
  // 0.99 * 100 is 99.00000000000001 for some products: a rank is a whole number.
  const rank = Math.max(1, Math.ceil(share * count - 1e-9 * count));
  let seen = 0;
  for (const [bound, each] of buckets) {
    seen += each;
    if (seen >= rank) return bound;
  }
  return null;
}

/** The upper bound of the greatest value; null without values. */
export function longest(buckets: Buckets): number | null {
  return buckets.length === 0 ? null : buckets[buckets.length - 1][0];
}

/** Counts in rows with these upper bounds, ascending; what is greater is in the last row. */
export function rowsOf(buckets: Buckets, bounds: readonly number[]): number[] {
  const rows = bounds.map(() => 0);
  let row = 0;
  for (const [bound, count] of buckets) {
    while (row < bounds.length - 1 && bound > bounds[row] * (1 + 1e-9)) row += 1;
    rows[row] += count;
  }
  return rows;
}
