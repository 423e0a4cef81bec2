// The figures of one interval, as the viewers draw them: what all workers did together, and each
// worker. Figures that a server does not report are null.

import { type Buckets, longest, mergeBuckets, NO_BUCKETS } from './buckets.ts';
import type { Difference } from './difference.ts';
import { POINT_WORKERS_MAX, TALLIES_MAX, TALLY_OTHER } from './limits.ts';
import type { HistogramSeries, Labels, NumberSeries } from './snapshot.ts';

/** The classes of statuses that are counted, in the order of `Point.statuses`. */
export const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export interface Point {
  /** The end of the interval, in seconds since the epoch. */
  readonly time: number;
  /** The length of the interval. */
  readonly seconds: number;
  /** Nothing is known of the time before: the server was away, or has restarted. */
  readonly gap: boolean;
  /** The server has restarted in the interval. */
  readonly restarted: boolean;
  /** Requests that ended in the interval. */
  readonly requests: number;
  /** The same by class of their status. */
  readonly statuses: readonly number[];
  /** Their durations, in seconds. */
  readonly latency: Buckets;
  readonly active: number | null;
  readonly open: number | null;
  readonly accepted: number | null;
  readonly closed: readonly Tally[];
  readonly faults: readonly Tally[];
  readonly timeouts: readonly Tally[];
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
  readonly cacheHits: number | null;
  readonly cacheMisses: number | null;
  /** Turns and pauses of the garbage collection, in seconds. */
  readonly turns: Buckets;
  readonly pauses: Buckets;
  readonly pauseSeconds: number;
  readonly workers: readonly WorkerPoint[];
}

/** A count with what it counts, such as a reason. */
export type Tally = readonly [what: string, count: number];

export interface WorkerPoint {
  readonly worker: string;
  readonly requests: number | null;
  /** Seconds of processor time. */
  readonly cpuSeconds: number | null;
  readonly open: number | null;
  readonly active: number | null;
  readonly residentBytes: number | null;
  readonly heapBytes: number | null;
  readonly descriptors: number | null;
  /** The longest turn, in seconds. */
  readonly longestTurn: number | null;
  /** When it started, in seconds since the epoch. */
  readonly started: number | null;
}

const DURATION = 'http_server_request_duration_seconds';
const WORKER_REQUESTS = 'vibing_worker_requests_total';

/** `gap`: whether snapshots were missing before this one. */
export function pointOf(difference: Difference, gap: boolean): Point {
  const { time, seconds, restarted } = difference;
  const durations = difference.histogram(DURATION);
  const workers = workersOf(difference);
  return {
    time,
    seconds,
    gap: gap || restarted,
    restarted,
    ...requestsOf(durations, workers),
    latency: bucketsOf(durations),
    active: sum(difference.gauge('http_server_active_requests')),
    open: sum(difference.gauge('vibing_connections_open')),
    accepted: sum(difference.counter('vibing_connections_accepted_total')),
    closed: tallies(difference.counter('vibing_connections_closed_total'), 'reason'),
    faults: tallies(difference.counter('vibing_faults_total'), 'kind'),
    timeouts: tallies(difference.counter('vibing_timeouts_total'), 'kind'),
    receivedBytes: sum(difference.counter('vibing_received_bytes_total')),
    sentBytes: sum(difference.counter('vibing_sent_bytes_total')),
    cacheHits: sum(difference.counter('vibing_static_cache_hits_total')),
    cacheMisses: sum(difference.counter('vibing_static_cache_misses_total')),
    turns: bucketsOf(difference.histogram('vibing_turn_seconds')),
    pauses: bucketsOf(difference.histogram('vibing_gc_pause_seconds')),
    pauseSeconds: (difference.histogram('vibing_gc_pause_seconds') ?? []).reduce(
      (total, series) => total + series.sum,
      0,
    ),
    workers: workers.slice(0, POINT_WORKERS_MAX),
  };
}

/** Without histograms of durations the counters of the workers are used. */
function requestsOf(
  durations: readonly HistogramSeries[] | null,
  workers: readonly WorkerPoint[],
): Pick<Point, 'requests' | 'statuses'> {
  const statuses = STATUS_CLASSES.map(() => 0);
  if (durations === null) {
    const requests = workers.reduce((total, { requests: each }) => total + (each ?? 0), 0);
    return { requests, statuses };
  }
  let requests = 0;
  for (const { labels, count } of durations) {
    requests += count;
    const index = statusClass(labels);
    if (index >= 0) statuses[index] += count;
  }
  return { requests, statuses };
}

/** The index in STATUS_CLASSES; -1 when the labels have no status. */
export function statusClass(labels: Labels): number {
  const status = labels['http_response_status_class'] ?? labels['http_response_status_code'] ?? '';
  return STATUS_CLASSES.findIndex((name) => status.startsWith(name[0]));
}

const NO_WORKER: WorkerPoint = {
  worker: '',
  requests: null,
  cpuSeconds: null,
  open: null,
  active: null,
  residentBytes: null,
  heapBytes: null,
  descriptors: null,
  longestTurn: null,
  started: null,
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function workersOf(difference: Difference): readonly WorkerPoint[] {
  const workers = new Map<string, Writable<WorkerPoint>>();
  const at = ({ labels }: { readonly labels: Labels }) => {
    const worker = labels['worker'] ?? '1';
    const found = workers.get(worker) ?? { ...NO_WORKER, worker };
    workers.set(worker, found);
    return found;
  };
  for (const [field, name] of WORKER_COUNTERS) {
    for (const series of difference.counter(name) ?? []) at(series)[field] = series.value;
  }
  for (const [field, name] of WORKER_GAUGES) {
    for (const series of difference.gauge(name) ?? []) at(series)[field] = series.value;
  }
  for (const series of difference.histogram('vibing_turn_seconds') ?? []) {
    at(series).longestTurn = longest(series.buckets);
  }
  return [...workers.values()].sort(byName);
}

const WORKER_COUNTERS = [
  ['requests', WORKER_REQUESTS],
  ['cpuSeconds', 'process_cpu_seconds_total'],
] as const;
const WORKER_GAUGES = [
  ['open', 'vibing_connections_open'],
  ['active', 'http_server_active_requests'],
  ['residentBytes', 'process_resident_memory_bytes'],
  ['heapBytes', 'vibing_heap_used_bytes'],
  ['descriptors', 'process_open_fds'],
  ['started', 'process_start_time_seconds'],
] as const;

/** Numbers in their order, then other names. */
function byName(a: WorkerPoint, b: WorkerPoint): number {
  const [x, y] = [Number(a.worker), Number(b.worker)];
  if (x !== y && Number.isFinite(x) && Number.isFinite(y)) return x - y;
  return a.worker < b.worker ? -1 : a.worker > b.worker ? 1 : 0;
}

function sum(series: readonly NumberSeries[] | null): number | null {
  return series?.reduce((total, { value }) => total + value, 0) ?? null;
}

function bucketsOf(series: readonly HistogramSeries[] | null): Buckets {
  if (series === null || series.length === 0) return NO_BUCKETS;
  return mergeBuckets(series.map(({ buckets }) => buckets));
}

/** Those that are not zero, the largest first; beyond TALLIES_MAX the rest is in one. */
function tallies(series: readonly NumberSeries[] | null, label: string): readonly Tally[] {
  const counts = new Map<string, number>();
  for (const { labels, value } of series ?? []) {
    const what = labels[label] ?? '';
    if (value > 0) counts.set(what, (counts.get(what) ?? 0) + value);
  }
  return largestFirst(counts);
}

/** The sums of several lists, the largest first. */
export function mergeTallies(lists: Iterable<readonly Tally[]>): readonly Tally[] {
  const counts = new Map<string, number>();
  for (const list of lists) {
    for (const [what, count] of list) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  return largestFirst(counts);
}

function largestFirst(counts: ReadonlyMap<string, number>): readonly Tally[] {
  const sorted = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  if (sorted.length <= TALLIES_MAX) return sorted;
  const rest = sorted.slice(TALLIES_MAX - 1).reduce((sum, [, count]) => sum + count, 0);
  return [...sorted.slice(0, TALLIES_MAX - 1), [TALLY_OTHER, rest]];
}
