// The metrics of the program itself: server.metrics.counter() and the like. Names are checked
// against the grammar of Prometheus, and labels are bounded.

import {
  LABEL_CHARACTERS_MAX,
  OWN_LABELS_MAX,
  OWN_METRICS_MAX,
  OWN_SERIES_MAX,
} from '../base/fixed-limits.ts';
import { isPlainObject } from '../base/options.ts';
import { shown } from '../base/shown.ts';
import { boundFrom, bucketOf } from './buckets.ts';
import type { Family, MetricType } from './family.ts';
import { FAMILIES, SECONDS } from './schema.ts';
import type { Segment } from './segment.ts';

/** The value of each label. */
export type LabelValues = Readonly<Record<string, string | number | boolean>>;

/** A number that only grows: `server.metrics.counter()`. */
export interface Counter {
  /** Adds `count`, 1 when left out, which is not negative. */
  inc(count?: number, labels?: LabelValues): void;
}

/** A number that goes up and down: `server.metrics.gauge()`. */
export interface Gauge {
  /** Replaces the value. */
  set(value: number, labels?: LabelValues): void;
  /** Adds `amount`, 1 when left out; a negative one subtracts. */
  add(amount?: number, labels?: LabelValues): void;
}

/** How often values of each size occurred: `server.metrics.histogram()`. */
export interface Histogram {
  /** Counts a value, which is not negative. */
  observe(value: number, labels?: LabelValues): void;
}

/** Options of `server.metrics.histogram()`. */
export interface HistogramOptions {
  /** Upper bounds of the buckets that the text formats show, ascending; each is moved up to 3 %. */
  readonly buckets?: readonly number[];
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NAME_CHARACTERS_MAX = 200;
const RESERVED_LABELS: readonly string[] = ['worker', 'le', 'quantile'];
/** Prometheus' text format appends these to names of histograms. */
const PART_SUFFIX = /_(bucket|count|sum|created|total)$/;
const NO_LABELS: LabelValues = {};

/** The names of a family, and of its lines, in both text formats. */
function shownNames(type: MetricType, name: string): string[] {
  // OpenMetrics names the family of a counter without _total.
  if (type === 'counter') return [name, name.replace(/_total$/, '')];
  if (type === 'gauge') return [name];
  return [name, ...['_bucket', '_count', '_sum'].map((suffix) => name + suffix)];
}

const SERVER_NAMES: ReadonlySet<string> = new Set(
  Object.values(FAMILIES).flatMap(({ name, type }) => shownNames(type, name)),
);

/** The metrics of the program itself, `server.metrics`: they are shown beside the server's. */
export class OwnMetrics {
  /** Null while no metrics are collected: all calls are checked, and count nothing. */
  readonly #segment: Segment | null;
  /** All names that the formats show for them. */
  readonly #names = new Set<string>();
  #count = 0;

  constructor(segment: Segment | null) {
    this.#segment = segment;
  }

  /**
   * A counter, whose name ends in _total. `labels` are the names of its labels. Throws a TypeError
   * for a name or labels that Prometheus does not allow, and for a name that exists.
   */
  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    const call = this.#check('counter', name, help, labels);
    const family = familyOf('counter', name, help, labels);
    const series = new OwnSeries(this.#segment, family, call);
    return {
      inc: (count = 1, given = NO_LABELS) => {
        if (!Number.isFinite(count) || count < 0) {
          throw new TypeError(`${call}: a counter grows by 0 or more, given ${shown(count)}`);
        }
        series.add(series.cell(given), count);
      },
    };
  }

  /** A gauge. With several workers its value is the sum of theirs. */
  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    const call = this.#check('gauge', name, help, labels);
    const series = new OwnSeries(this.#segment, familyOf('gauge', name, help, labels), call);
    const check = (value: unknown): void => {
      if (typeof value === 'number' && Number.isFinite(value)) return;
      throw new TypeError(`${call}: a value is a finite number, given ${shown(value)}`);
    };
    return {
      set: (value, given = NO_LABELS) => {
        check(value);
        series.set(series.cell(given), value);
      },
      add: (amount = 1, given = NO_LABELS) => {
        check(amount);
        series.add(series.cell(given), amount);
      },
    };
  }

  /** A histogram of values that are not negative; of seconds without `buckets`. */
  histogram(
    name: string,
    help: string,
    labels: readonly string[] = [],
    options: HistogramOptions = {},
  ): Histogram {
    const scale = scaleOf(`metrics.histogram(${shown(name)})`, options);
    const call = this.#check('histogram', name, help, labels);
    const family = { ...familyOf('histogram', name, help, labels), ...scale };
    const series = new OwnSeries(this.#segment, family, call);
    return {
      observe: (value, given = NO_LABELS) => {
        if (!Number.isFinite(value) || value < 0) {
          throw new TypeError(`${call}: a value is a number, 0 or more, given ${shown(value)}`);
        }
        series.observe(series.cell(given), bucketOf(value / scale.base), value);
      },
    };
  }

  #check(type: MetricType, name: string, help: string, labels: readonly string[]): string {
    const call = `metrics.${type}(${shown(name)})`;
    if (typeof name !== 'string' || !NAME.test(name) || name.length > NAME_CHARACTERS_MAX) {
      const wanted = `letters, digits and _, at most ${NAME_CHARACTERS_MAX} and no digit first`;
      throw new TypeError(`${call}: a name has ${wanted}`);
    }
    if (type === 'counter' && !name.endsWith('_total')) {
      throw new TypeError(`${call}: the name of a counter ends in _total: "${name}_total"`);
    }
    if (type !== 'counter' && PART_SUFFIX.test(name)) {
      throw new TypeError(
        `${call}: only a counter ends in _total, and none in _bucket, _count, _sum`,
      );
    }
    if (name === '_total') {
      throw new TypeError(`${call}: the name of a counter says before _total what it counts`);
    }
    const names = shownNames(type, name);
    const taken = names.find((one) => this.#names.has(one) || SERVER_NAMES.has(one));
    if (taken !== undefined) {
      const owner = SERVER_NAMES.has(taken) ? 'the server has' : 'there is already';
      const as = taken === name ? 'of this name' : `that is shown as ${taken}, too`;
      throw new TypeError(`${call}: ${owner} a metric ${as}`);
    }
    if (typeof help !== 'string' || help === '') {
      throw new TypeError(`${call}: its second argument says what it is, given ${shown(help)}`);
    }
    checkLabels(call, labels);
    if (this.#count === OWN_METRICS_MAX) {
      throw new TypeError(
        `${call}: there are ${OWN_METRICS_MAX} metrics, the most that there may be`,
      );
    }
    this.#count += 1;
    for (const one of names) this.#names.add(one);
    return call;
  }
}

function checkLabels(call: string, labels: unknown): void {
  if (!Array.isArray(labels) || labels.length > OWN_LABELS_MAX) {
    const wanted = `a list of at most ${OWN_LABELS_MAX} names`;
    throw new TypeError(`${call}: its labels are ${wanted}, given ${shown(labels)}`);
  }
  for (const label of labels) {
    const isName = typeof label === 'string' && NAME.test(label) && !label.startsWith('__');
    if (!isName || label.length > NAME_CHARACTERS_MAX) {
      const wanted = 'letters, digits and _, no digit and no __ first';
      throw new TypeError(`${call}: a label has ${wanted}, given ${shown(label)}`);
    }
    if (RESERVED_LABELS.includes(label)) {
      throw new TypeError(`${call}: the label ${shown(label)} is reserved, choose another name`);
    }
  }
  if (new Set(labels).size < labels.length) {
    throw new TypeError(`${call}: a label is listed twice`);
  }
}

function familyOf(type: MetricType, name: string, help: string, labels: readonly string[]): Family {
  const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1] ?? '';
  return { name, type, unit, help, labels: [...labels], isOwn: true };
}

function scaleOf(
  call: string,
  options: HistogramOptions,
): Pick<Required<Family>, 'base' | 'bounds'> {
  const { buckets } = options;
  if (buckets === undefined) return SECONDS;
  const fits = (bound: unknown, index: number) =>
    typeof bound === 'number' &&
    bound > 0 &&
    Number.isFinite(bound) &&
    (index === 0 || bound > buckets[index - 1]);
  if (!Array.isArray(buckets) || buckets.length === 0 || !buckets.every(fits)) {
    const wanted = 'a list of numbers above 0, ascending, such as [1, 10, 100]';
    throw new TypeError(`${call}: buckets are ${wanted}`);
  }
  const [base] = buckets;
  const bounds = new Set(buckets.map((bound) => boundFrom(bound, base)));
  return { base, bounds: [...bounds] };
}

/** A character of two code units is not divided. */
function cut(text: string): string {
  return text.slice(0, LABEL_CHARACTERS_MAX).replace(/[\ud800-\udbff]$/, '');
}

/** As its UTF-8 is read again: what differs only in halves of characters is one value. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** The series of one family, by the values of their labels. */
class OwnSeries {
  readonly #segment: Segment | null;
  readonly #family: Family;
  readonly #call: string;
  /** As many as there are series; those without one of their own are not in it. */
  readonly #cells = new Map<string, number>();

  constructor(segment: Segment | null, family: Family, call: string) {
    this.#segment = segment;
    this.#family = family;
    this.#call = call;
    // Without labels it is shown from the start.
    if (family.labels.length === 0) this.cell(NO_LABELS);
    else segment?.family(family);
  }

  /** Throws a TypeError for labels that are not those of the metric. */
  cell(given: LabelValues): number {
    const { labels } = this.#family;
    if (!isPlainObject(given)) {
      throw new TypeError(`${this.#call}: labels are an object, given ${shown(given)}`);
    }
    const values = labels.map((label) => this.#valueOf(label, given[label]));
    const unknown = Object.keys(given).find((label) => !labels.includes(label));
    if (unknown !== undefined) {
      const known = labels.length === 0 ? 'it has none' : `it has ${labels.join(', ')}`;
      throw new TypeError(`${this.#call}: no label ${shown(unknown)}, ${known}`);
    }
    const key = values.length === 1 ? values[0] : JSON.stringify(values);
    const cell = this.#cells.get(key);
    return cell ?? this.#add(key, values);
  }

  #valueOf(label: string, value: unknown): string {
    const isText = typeof value === 'string';
    if (!isText && typeof value !== 'number' && typeof value !== 'boolean') {
      const wanted = `the label ${label} is a string, a number or a boolean`;
      throw new TypeError(`${this.#call}: ${wanted}, given ${shown(value)}`);
    }
    const text = String(value);
    return text.length <= LABEL_CHARACTERS_MAX ? text : cut(text);
  }

  #add(key: string, values: readonly string[]): number {
    const segment = this.#segment;
    if (segment === null) return 0;
    const cell = segment.cellOfMany(this.#family, values.map(wellFormed));
    // Values without a series of their own are not remembered: there may be any number.
    const isOwn = values.length === 0 || !segment.isReserved(cell);
    if (isOwn && this.#cells.size < OWN_SERIES_MAX) this.#cells.set(key, cell);
    return cell;
  }

  add(cell: number, amount: number): void {
    if (this.#segment !== null) this.#segment.cells[cell] += amount;
  }

  set(cell: number, value: number): void {
    if (this.#segment !== null) this.#segment.cells[cell] = value;
  }

  observe(cell: number, bucket: number, value: number): void {
    this.#segment?.observe(cell, bucket, value);
  }
}
