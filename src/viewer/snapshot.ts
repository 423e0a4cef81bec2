// A snapshot of metrics, as a server sends it in JSON. The text comes from the network: what does
// not have the form of a snapshot is a problem in one line, and series of another form are left
// out.

import { shown } from '../base/shown.ts';
import type { Bucket, Buckets } from './buckets.ts';
import {
  BUCKETS_MAX,
  LABEL_CHARACTERS_MAX,
  NUMBER_MAX,
  SERIES_MAX,
  TIME_SECONDS_MAX,
} from './limits.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly labels: Labels;
  /** The labels as text: the same for the same series of every snapshot. */
  readonly key: string;
}

export interface NumberSeries extends Series {
  readonly value: number;
}

export interface HistogramSeries extends Series {
  readonly count: number;
  readonly sum: number;
  readonly buckets: Buckets;
}

/** Series by their key. */
export type SeriesByKey<S extends Series> = ReadonlyMap<string, S>;

export interface ServerFacts {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly driver: string;
  /** When it started, in seconds since the epoch. */
  readonly started: number;
  readonly workers: number;
}

export interface Snapshot {
  /** When it was collected, in seconds since the epoch. */
  readonly time: number;
  readonly server: ServerFacts;
  readonly counters: ReadonlyMap<string, SeriesByKey<NumberSeries>>;
  readonly gauges: ReadonlyMap<string, SeriesByKey<NumberSeries>>;
  readonly histograms: ReadonlyMap<string, SeriesByKey<HistogramSeries>>;
}

const VERSION = 1;

/** The snapshot, or what is wrong with the text. */
export function parseSnapshot(text: string): Snapshot | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'the response is not JSON';
  }
  return readSnapshot(value);
}

function readSnapshot(value: unknown): Snapshot | string {
  if (!isObject(value)) return 'the response is not a snapshot of metrics';
  const { version, time, server, families } = value;
  if (version !== VERSION) {
    const what = version === undefined ? 'no version' : `version ${shown(version)}`;
    return `the response has ${what} of the snapshot format; this viewer reads version ${VERSION}`;
  }
  if (!isTime(time)) return `the response has no time of the snapshot, but ${shown(time)}`;
  if (!Array.isArray(families)) return 'the response has no list of families';
  const reader = new SnapshotReader();
  for (const family of families) reader.family(family);
  const { counters, gauges, histograms } = reader;
  return { time, server: factsFrom(server), counters, gauges, histograms };
}

class SnapshotReader {
  readonly counters = new Map<string, Map<string, NumberSeries>>();
  readonly gauges = new Map<string, Map<string, NumberSeries>>();
  readonly histograms = new Map<string, Map<string, HistogramSeries>>();
  #room: number = SERIES_MAX;

  family(value: unknown): void {
    if (!isObject(value)) return;
    const { name, type, series } = value;
    if (typeof name !== 'string' || !Array.isArray(series)) return;
    if (type === 'histogram') this.#into(this.histograms, name, series, histogramFrom);
    else if (type === 'counter') this.#into(this.counters, name, series, numberFrom);
    else if (type === 'gauge') this.#into(this.gauges, name, series, numberFrom);
  }

  #into<S extends Series>(
    families: Map<string, Map<string, S>>,
    name: string,
    values: readonly unknown[],
    from: (value: Readonly<Record<string, unknown>>, labels: Labels) => S | null,
  ): void {
    const found = families.get(name) ?? new Map<string, S>();
    families.set(name, found);
    for (const value of values) {
      if (this.#room === 0) return;
      if (!isObject(value)) continue;
      const labels = labelsFrom(value['labels']);
      const series = labels === null ? null : from(value, labels);
      if (series === null) continue;
      found.set(series.key, series);
      this.#room -= 1;
    }
  }
}

function numberFrom(
  { value }: Readonly<Record<string, unknown>>,
  labels: Labels,
): NumberSeries | null {
  return isNumber(value) ? { labels, key: keyOf(labels), value } : null;
}

function histogramFrom(
  { count, sum, buckets }: Readonly<Record<string, unknown>>,
  labels: Labels,
): HistogramSeries | null {
  const fine = bucketsFrom(buckets);
  if (!isCount(count) || !isNumber(sum) || fine === null) return null;
  return { labels, key: keyOf(labels), count, sum, buckets: fine };
}

/** Null unless they are ascending pairs with counts. */
function bucketsFrom(value: unknown): Buckets | null {
  if (!Array.isArray(value) || value.length > BUCKETS_MAX) return null;
  const buckets: Bucket[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const pair of value) {
    if (!Array.isArray(pair)) return null;
    const [bound, count]: readonly unknown[] = pair;
    if (!isNumber(bound) || !isCount(count) || bound <= last) return null;
    if (count > 0) buckets.push([bound, count]);
    last = bound;
  }
  return buckets;
}

function labelsFrom(value: unknown): Labels | null {
  if (value === undefined) return {};
  if (!isObject(value)) return null;
  const labels: Record<string, string> = Object.create(null);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') return null;
    labels[name] = kept(text);
  }
  return labels;
}

function keyOf(labels: Labels): string {
  const names = Object.keys(labels).sort();
  return JSON.stringify(names.map((name) => [name, labels[name]]));
}

function factsFrom(value: unknown): ServerFacts {
  const facts = isObject(value) ? value : {};
  return {
    name: textFrom(facts['name']),
    version: textFrom(facts['version']),
    node: textFrom(facts['node']),
    driver: textFrom(facts['driver']),
    started: isTime(facts['started']) ? facts['started'] : 0,
    workers: isCount(facts['workers']) ? facts['workers'] : 0,
  };
}

function textFrom(value: unknown): string {
  return typeof value === 'string' ? kept(value) : '';
}

/** The beginning of a long text, as a string of its own: a slice would keep the whole one. */
function kept(text: string): string {
  if (text.length <= LABEL_CHARACTERS_MAX) return text;
  return JSON.parse(JSON.stringify(`${text.slice(0, LABEL_CHARACTERS_MAX - 1)}…`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= NUMBER_MAX;
}

function isTime(value: unknown): value is number {
  return isNumber(value) && value >= 0 && value <= TIME_SECONDS_MAX;
}

function isCount(value: unknown): value is number {
  return isNumber(value) && value >= 0;
}
