// The latencies of a window as a few percentiles, and the medians of several windows.

import { median } from './pairs.ts';
import type { Latencies } from './results.ts';

/** In percent; the maximum is added as 'most'. */
export const CURVE_PERCENTS = [10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9] as const;

/** From the histogram of a report of src/load: buckets in milliseconds, in ascending order. */
export function percentilesOf(
  buckets: readonly (readonly [from: number, to: number, count: number])[],
  mostMs: number,
): Latencies {
  const total = buckets.reduce((sum, [, , count]) => sum + count, 0);
  const found: Record<string, number> = {};
  let index = 0;
  let seen = 0;
  for (const percent of CURVE_PERCENTS) {
    const wanted = Math.max(1, Math.ceil((percent / 100) * total - 1e-9 * total));
    while (index < buckets.length && seen + buckets[index][2] < wanted) seen += buckets[index++][2];
    const end = index < buckets.length ? buckets[index][1] : mostMs;
    found[String(percent)] = Math.min(end, mostMs);
  }
  found['most'] = mostMs;
  return found;
}

/** The median of each percentile: one disturbed window does not change it much. */
export function medianLatencies(all: readonly Latencies[]): Latencies {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, round(median(all.map((one) => one[name] ?? Number.NaN)))]),
  );
}

/** To a tenth of a microsecond, the resolution of the measurement. */
function round(ms: number): number {
  return Math.round(ms * 10_000) / 10_000;
}
