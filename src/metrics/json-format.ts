// Metrics as JSON, in chunks: { version, time, server, families: [{ name, type, unit, help,
// series }] }. A series of a counter or gauge has a value; one of a histogram count, sum and the
// buckets that are not empty, as [upper bound, count in this bucket], ascending. Counts beyond the
// last bound of 3.3e7 times the least one are in `count` alone.

import type { Family } from './family.ts';
import { bucketsOf, type Reader, type Series } from './reader.ts';

export const JSON_VERSION = 1;

/** What is known about the server. */
export interface ServerFacts {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly driver: string;
  /** Seconds since 1970. */
  readonly started: number;
  readonly workers: number;
}

/** The chunks of one document without line ends; '' where nothing is ready yet. */
export function* jsonFormat(
  reader: Reader,
  server: ServerFacts,
  seconds: number,
): Generator<string> {
  for (const _ of reader.update()) yield '';
  const head = JSON.stringify({ version: JSON_VERSION, time: seconds, server });
  yield `${head.slice(0, -1)},"families":[`;
  let before = '';
  for (const { family, series } of reader.families()) {
    const { name, type, unit, help } = family;
    yield `${before}${JSON.stringify({ name, type, unit, help }).slice(0, -1)},"series":[`;
    yield* seriesOf(reader, family, series);
    yield ']}';
    before = ',';
  }
  yield ']}';
}

function* seriesOf(reader: Reader, family: Family, all: Iterable<Series>): Generator<string> {
  let before = '';
  for (const series of all) {
    const labels = Object.fromEntries(series.labels);
    if (family.type === 'histogram') {
      const { count, sum, counts } = reader.distribution(series);
      const buckets = bucketsOf(counts, family.base ?? 1);
      yield before + JSON.stringify({ labels, count, sum, buckets });
    } else {
      const value = reader.value(family, series);
      if (value === null) continue;
      yield before + JSON.stringify({ labels, value });
    }
    before = ',';
  }
}
