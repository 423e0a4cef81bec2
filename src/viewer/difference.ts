// What happened between two snapshots of one server: how much its counters and histograms grew.
// Counters begin at zero again when a server restarts; what a series lost is not a negative rate.

import { NO_BUCKETS, subtractBuckets } from './buckets.ts';
import type {
  HistogramSeries,
  NumberSeries,
  SeriesByKey,
  ServerFacts,
  Snapshot,
} from './snapshot.ts';

export interface Difference {
  /** The time of the second snapshot, in seconds since the epoch. */
  readonly time: number;
  /** How long it is since the first, or since the start of a server that restarted. */
  readonly seconds: number;
  /** The server is another process than that of the first snapshot. */
  readonly restarted: boolean;
  readonly server: ServerFacts;
  /** How much each counter grew; series that did not grow are there with 0. */
  counter(name: string): readonly NumberSeries[] | null;
  /** The gauges as they are in the second snapshot. */
  gauge(name: string): readonly NumberSeries[] | null;
  /** What was added to each histogram; series without new values are left out. */
  histogram(name: string): readonly HistogramSeries[] | null;
}

/**
 * Null when the second snapshot is not later than the first. Without a first one the difference is
 * to the start of the server.
 */
export function difference(before: Snapshot | null, now: Snapshot): Difference | null {
  const restarted = before !== null && hasRestarted(before, now);
  const first = before === null || restarted ? null : before;
  const from = Math.max(before?.time ?? 0, first === null ? now.server.started : 0);
  const seconds = now.time - from;
  if (!(seconds > 0)) return null;
  return {
    time: now.time,
    seconds,
    restarted,
    server: now.server,
    counter: (name) => grown(now.counters.get(name), first?.counters.get(name)),
    gauge: (name) => listOf(now.gauges.get(name)),
    histogram: (name) => added(now.histograms.get(name), first?.histograms.get(name)),
  };
}

/** The times of one start are equal but for rounding. */
const SAME_START_SECONDS = 0.5;

function hasRestarted(before: Snapshot, now: Snapshot): boolean {
  // A snapshot without a start says nothing of it.
  if (before.server.started === 0) return false;
  return now.server.started - before.server.started > SAME_START_SECONDS;
}

function listOf<S>(series: ReadonlyMap<string, S> | undefined): readonly S[] | null {
  return series === undefined ? null : [...series.values()];
}

function grown(
  now: SeriesByKey<NumberSeries> | undefined,
  before: SeriesByKey<NumberSeries> | undefined,
): readonly NumberSeries[] | null {
  if (now === undefined) return null;
  return [...now.values()].map((series) => {
    const had = before?.get(series.key)?.value ?? 0;
    // A value that went back began again at zero.
    return { ...series, value: series.value >= had ? series.value - had : series.value };
  });
}

function added(
  now: SeriesByKey<HistogramSeries> | undefined,
  before: SeriesByKey<HistogramSeries> | undefined,
): readonly HistogramSeries[] | null {
  if (now === undefined) return null;
  const grew: HistogramSeries[] = [];
  for (const series of now.values()) {
    const had = before?.get(series.key);
    if (had !== undefined && had.count === series.count && had.sum === series.sum) continue;
    const buckets = subtractBuckets(series.buckets, had?.buckets ?? NO_BUCKETS);
    const isSame = had !== undefined && buckets !== null && series.count >= had.count;
    const rest = isSame
      ? { count: series.count - had.count, sum: series.sum - had.sum, buckets }
      : { count: series.count, sum: series.sum, buckets: series.buckets };
    if (rest.count > 0) grew.push({ ...series, ...rest });
  }
  return grew;
}
