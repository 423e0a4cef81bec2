// The ranges of the axes of charts, with the lines and rows in them. Bounds of buckets come from
// the network: whatever they are, a range is finite and has few rows.

import type { Column } from './columns.ts';
import { CHART_SECONDS_MAX, CHART_SECONDS_MIN, CHART_VALUE_MAX } from './limits.ts';

/** Least and greatest value of a logarithmic axis without values, in seconds. */
const LOG_RANGE: readonly [number, number] = [1e-4, 1e-1];
const ROWS_PER_DECADE = 6;
/** From the upper bound of a row to its lower one. */
export const STEP_DOWN: number = 10 ** (-1 / ROWS_PER_DECADE);

/** Around all latencies, between the numbers 1, 2 and 5 of a decade. */
export function logRange(columns: readonly Pick<Column, 'latency'>[]): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, 0];
  for (const { latency } of columns) {
    if (latency.length === 0) continue;
    least = Math.min(least, inChart(latency[0][0]));
    most = Math.max(most, inChart(latency[latency.length - 1][0]));
  }
  if (most === 0) return [...LOG_RANGE];
  const low = 10 ** Math.floor(Math.log10(least));
  const high = 10 ** Math.floor(Math.log10(most));
  const from = ([5, 2].find((each) => each * low < least * 0.99) ?? 1) * low;
  const to = ([1, 2, 5].find((each) => each * high > most) ?? 10) * high;
  return [from, Math.max(to, from * 100)];
}

function inChart(seconds: number): number {
  return Math.min(CHART_SECONDS_MAX, Math.max(CHART_SECONDS_MIN, seconds));
}

/** The powers of ten between two values. */
export function decades(least: number, most: number): number[] {
  const found: number[] = [];
  const first = Math.ceil(Math.log10(inChart(least)) - 1e-9);
  const last = Math.floor(Math.log10(Math.min(most, CHART_SECONDS_MAX * 100)) + 1e-3);
  for (let power = first; power <= last; power++) found.push(10 ** power);
  return found;
}

/** The upper bounds of the rows of a heat map: the last one is about the end of the range. */
export function rowBounds(columns: readonly Pick<Column, 'latency'>[]): readonly number[] {
  const [least, most] = logRange(columns);
  const rows = Math.ceil(Math.log10((most * 0.99) / least) * ROWS_PER_DECADE);
  return Array.from({ length: rows }, (_, row) => least * 10 ** ((row + 1) / ROWS_PER_DECADE));
}

/** A round number above the greatest value, so that the axis seldom changes. */
export function linearTop(most: number | null): number {
  if (most === null || !(most > 0)) return 1;
  const shown = Math.min(CHART_VALUE_MAX, Math.max(CHART_SECONDS_MIN, most));
  const unit = 10 ** Math.floor(Math.log10(shown * 1.05));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * unit >= shown * 1.05) ?? 10;
  return step * unit;
}
