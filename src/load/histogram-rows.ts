// Joins the buckets of a report's histogram into a few rows that are equally wide on a logarithmic
// scale. Every sample is in a row.

export interface Row {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  /** 0 to 1. */
  readonly share: number;
}

type Bucket = readonly [fromMs: number, toMs: number, count: number];

/** The lower edge of the scale, which cannot begin at 0. */
const LEAST_MS = 0.001;
/** The share of the slowest samples that go into the last row together. */
const TAIL_SHARE = 0.001;

/** At most `rows` rows, the shortest times first; the last one may hold a long tail. */
export function rowsOf(buckets: readonly Bucket[], rows: number): readonly Row[] {
  const total = buckets.reduce((sum, [, , count]) => sum + count, 0);
  if (total === 0) return [];
  const low = Math.max(LEAST_MS, buckets[0][0]);
  const last = buckets[buckets.length - 1][1];
  const high = Math.min(last, Math.max(tailStart(buckets, total), low * 1.01));
  const hasTail = high < last;
  const fine = hasTail ? rows - 1 : rows;
  const step = Math.log(high / low) / fine;
  const counts = new Array<number>(rows).fill(0);
  for (const [fromMs, toMs, count] of buckets) {
    const middle = Math.max(low, (fromMs + toMs) / 2);
    const at = middle >= high ? rows - 1 : Math.floor(Math.log(middle / low) / step);
    counts[Math.min(rows - 1, Math.max(0, at))] += count;
  }
  const edge = (index: number): number => low * Math.exp(step * index);
  return counts.map((count, index) => ({
    fromMs: index === 0 ? buckets[0][0] : edge(index),
    toMs: index === rows - 1 ? last : edge(index + 1),
    count,
    share: count / total,
  }));
}

/** Where the slowest TAIL_SHARE begins. */
function tailStart(buckets: readonly Bucket[], total: number): number {
  let beyond = total * TAIL_SHARE;
  for (let index = buckets.length - 1; index > 0; index--) {
    beyond -= buckets[index][2];
    if (beyond < 0) return buckets[index][1];
  }
  return buckets[0][1];
}
