// The columns of charts: points side by side, merged where a chart is too narrow for all of them.
// Percentiles of a merged column are those of all its values, not averages of percentiles.

import { type Buckets, longest, mergeBuckets, percentile } from './buckets.ts';
import { type Point, STATUS_CLASSES } from './point.ts';

/** The percentiles that are drawn. */
export const SHARES = [0.5, 0.9, 0.99, 0.999] as const;
export const SHARE_NAMES = ['P50', 'P90', 'P99', 'P99.9'] as const;

export interface Column {
  /** The end, in seconds since the epoch. */
  readonly time: number;
  /** The time that its points cover. */
  readonly seconds: number;
  /** Nothing is known of the time before. */
  readonly gap: boolean;
  /** Requests a second, and the same by class of status. */
  readonly rate: number;
  readonly statusRates: readonly number[];
  readonly latency: Buckets;
  /** In the order of SHARES, in seconds; null without requests. */
  readonly percentiles: readonly (number | null)[];
  readonly open: number | null;
  readonly active: number | null;
  readonly receivedRate: number | null;
  readonly sentRate: number | null;
  readonly turnP99: number | null;
  readonly turnLongest: number | null;
  readonly pauseLongest: number | null;
  /** The part of the time that was spent in pauses of the garbage collection. */
  readonly pauseShare: number;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  /** Processor time of each worker in cores, by its name. */
  readonly cpu: ReadonlyMap<string, number>;
}

/** With a `width` of up to a second every point is a column. */
export function columnsOf(points: readonly Point[], width: number): readonly Column[] {
  const groups: Point[][] = [];
  let last = Number.NaN;
  for (const point of points) {
    const number = Math.floor(point.time / width);
    const group = groups.at(-1);
    if (width > 1 && number === last && group !== undefined && !point.gap) group.push(point);
    else groups.push([point]);
    last = number;
  }
  return groups.map(columnOf);
}

export function columnOf(group: readonly Point[]): Column {
  const last = group[group.length - 1];
  const seconds = total(group, (point) => point.seconds);
  const latency = merge(group, (point) => point.latency);
  const turns = merge(group, (point) => point.turns);
  return {
    time: last.time,
    seconds,
    gap: group[0].gap,
    rate: total(group, (point) => point.requests) / seconds,
    statusRates: STATUS_CLASSES.map(
      (_name, index) => total(group, (point) => point.statuses[index]) / seconds,
    ),
    latency,
    percentiles: SHARES.map((share) => percentile(latency, share)),
    open: last.open,
    active: last.active,
    receivedRate: perSecond(group, seconds, (point) => point.receivedBytes),
    sentRate: perSecond(group, seconds, (point) => point.sentBytes),
    turnP99: percentile(turns, 0.99),
    turnLongest: longest(turns),
    pauseLongest: longest(merge(group, (point) => point.pauses)),
    pauseShare: total(group, (point) => point.pauseSeconds) / seconds,
    residentBytes: sumOf(last.workers.map((worker) => worker.residentBytes)),
    heapBytes: sumOf(last.workers.map((worker) => worker.heapBytes)),
    cpu: cpuOf(group, seconds),
  };
}

/** The times of a line, with a place for the break before each column behind a gap. */
export function timesOf(columns: readonly Column[]): readonly (readonly [number, Column | null])[] {
  const times: (readonly [number, Column | null])[] = [];
  for (const column of columns) {
    if (column.gap && times.length > 0) {
      const before = times[times.length - 1][0];
      times.push([(before + column.time) / 2, null]);
    }
    times.push([column.time, column]);
  }
  return times;
}

function cpuOf(group: readonly Point[], seconds: number): ReadonlyMap<string, number> {
  const cpu = new Map<string, number>();
  for (const { workers } of group) {
    for (const { worker, cpuSeconds } of workers) {
      if (cpuSeconds !== null) cpu.set(worker, (cpu.get(worker) ?? 0) + cpuSeconds / seconds);
    }
  }
  return cpu;
}

function total(group: readonly Point[], value: (point: Point) => number): number {
  return group.reduce((sum, point) => sum + value(point), 0);
}

function perSecond(
  group: readonly Point[],
  seconds: number,
  value: (point: Point) => number | null,
): number | null {
  const sum = sumOf(group.map(value));
  return sum === null ? null : sum / seconds;
}

/** Null when no value is known. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function merge(group: readonly Point[], value: (point: Point) => Buckets): Buckets {
  return group.length === 1 ? value(group[0]) : mergeBuckets(group.map(value));
}
