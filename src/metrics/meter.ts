// Runs for every request while metrics are on. Measured by perf/micro/metrics.ts.
// What a server counts while it serves. Nothing is allocated per request, except for the first one
// of a route, method and class of status. Responses of a turn end when the next turn has polled and
// has read the clock: then the kernel has them, and no clock is read for metrics. For a response
// outside of a turn the clock is read.

import { assert } from '../base/assert.ts';
import { METRICS_ROUTES_MAX } from '../base/fixed-limits.ts';
import { bucketOf } from './buckets.ts';
import type { Family } from './family.ts';
import {
  BYTES,
  COUNTS,
  FAMILIES,
  type FamilyName,
  FULL,
  OTHER_METHOD,
  OVERFLOW,
  SECONDS,
} from './schema.ts';
import { NOWHERE, type Segment } from './segment.ts';

/** The classes of status, 0 for a status without one. */
const CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];
const CLASS_COUNT: number = CLASSES.length;

/** The histograms of one route, method and class, as an index behind that of the first. */
const Histogram = { Full: 0, RequestBytes: 1, ResponseBytes: 2, Stream: 3, FirstByte: 4 } as const;
/** A power of two: the index of each has its number in the lower bits. */
const HISTOGRAM_COUNT = 8;
const WHICH: number = HISTOGRAM_COUNT - 1;
const LAZY = 0;

/** Heads and ends of responses that wait for the end of their turn; equal ones in a row are one. */
const PENDING_MAX = 1_024;

const MS_PER_BASE: number = 1_000 * SECONDS.base;
const BYTES_BASE: number = BYTES.base;
const COMPLETIONS_BASE: number = COUNTS.base;

/** The series of one route: by method and class of status, the index of the first histogram. */
export class RouteSeries {
  readonly route: string;
  readonly histograms: Int32Array;

  constructor(route: string, methodCount: number) {
    this.route = route;
    this.histograms = new Int32Array(methodCount * CLASS_COUNT);
  }
}

export interface MeterOptions {
  readonly segment: Segment;
  /** By the number of the method; the first is any other method. */
  readonly methods: readonly string[];
}

export class Meter {
  readonly segment: Segment;
  readonly #methods: readonly string[];
  readonly #routes = new Map<string, RouteSeries>();
  /** Cells of histograms; LAZY for those that no response needed. The first group is not used. */
  #histograms: Int32Array = new Int32Array(64 * HISTOGRAM_COUNT);
  #used: number = HISTOGRAM_COUNT;
  #overflow = 0;
  /** Of each the index of its histogram of a time, when it began, its contents, and how many. */
  readonly #pendingAt = new Int32Array(PENDING_MAX);
  readonly #pendingSinceMs = new Float64Array(PENDING_MAX);
  readonly #pendingRequestBytes = new Float64Array(PENDING_MAX);
  readonly #pendingResponseBytes = new Float64Array(PENDING_MAX);
  readonly #pendingCounts = new Int32Array(PENDING_MAX);
  #pending = 0;
  /** The last of them, which is not in these arrays; a count of 0 is none. */
  #lastCount = 0;
  #lastAt = LAZY;
  #lastSinceMs = -1;
  #lastRequestBytes = 0;
  #lastResponseBytes = 0;
  /** The last time and content that were counted, and their buckets. */
  #ms = 0;
  #msBucket = 0;
  #responseBytes = 0;
  #responseBucket = 0;
  /** When the turn began whose end is awaited, and its completions; -1 without one. */
  #turnSinceMs = -1;
  #turnCompletions = 0;
  readonly #byKind = new Map<string, number>();
  readonly #active: number;
  readonly #requests: number;
  readonly #open: number;
  readonly #accepted: number;
  readonly #received: number;
  readonly #sent: number;
  readonly #turns: number;
  readonly #completions: number;
  readonly #pipelined: number;
  readonly #cacheHits: number;
  readonly #cacheMisses: number;

  constructor({ segment, methods }: MeterOptions) {
    this.segment = segment;
    this.#methods = methods;
    // In the order of the output.
    for (const family of [FULL, ...Object.values(FAMILIES)]) segment.family(family);
    this.#active = segment.cellOf(FAMILIES.active);
    this.#requests = segment.cellOf(FAMILIES.requests);
    this.#open = segment.cellOf(FAMILIES.open);
    this.#accepted = segment.cellOf(FAMILIES.accepted);
    this.#received = segment.cellOf(FAMILIES.received);
    this.#sent = segment.cellOf(FAMILIES.sent);
    this.#turns = segment.cellOf(FAMILIES.turns);
    this.#completions = segment.cellOf(FAMILIES.completions);
    this.#pipelined = segment.cellOf(FAMILIES.pipelined);
    this.#cacheHits = segment.cellOf(FAMILIES.cacheHits);
    this.#cacheMisses = segment.cellOf(FAMILIES.cacheMisses);
    // Those that no event may ever count are 0, not absent.
    segment.cellOf(FAMILIES.aborted);
    segment.cellOf(FAMILIES.acceptFaults);
    segment.cellOf(FAMILIES.handlerErrors);
    segment.cellOf(FAMILIES.lateCalls);
    segment.cellOf(FAMILIES.limited);
    segment.cellOf(FAMILIES.compressedFrom);
    segment.cellOf(FAMILIES.compressedTo);
  }

  /** The series of a route; '' is that of requests without a route. */
  route(route: string): RouteSeries {
    let series = this.#routes.get(route);
    if (series === undefined) {
      series = new RouteSeries(route, this.#methods.length);
      this.#routes.set(route, series);
    }
    return series;
  }

  /** A request is handed to middleware and handlers. */
  began(): void {
    const { cells } = this.segment;
    cells[this.#requests] += 1;
    cells[this.#active] += 1;
  }

  /** The head of a stream was sent. */
  headSent(route: RouteSeries, method: number, status: number, startedMs: number): void {
    const at = this.#histogramsOf(route, method, status) + Histogram.FirstByte;
    if (this.#histograms[at] === LAZY) this.#makeHistogram(at, FAMILIES.firstByte);
    this.#pend(at, startedMs, 0, 0);
  }

  /** A response has ended. */
  responded(
    route: RouteSeries,
    method: number,
    status: number,
    startedMs: number,
    requestBytes: number,
    responseBytes: number,
    isStream: boolean,
  ): void {
    const first = this.#histogramsOf(route, method, status);
    const at = first + (isStream ? Histogram.Stream : Histogram.Full);
    this.segment.cells[this.#active] -= 1;
    if (
      at === this.#lastAt &&
      startedMs === this.#lastSinceMs &&
      responseBytes === this.#lastResponseBytes &&
      requestBytes === this.#lastRequestBytes
    ) {
      this.#lastCount += 1;
      return;
    }
    if (isStream && this.#histograms[at] === LAZY) this.#makeHistogram(at, FAMILIES.duration);
    this.#pend(at, startedMs, requestBytes, responseBytes);
  }

  #pend(at: number, startedMs: number, requestBytes: number, responseBytes: number): void {
    if (this.#lastCount > 0) this.#keepLast();
    this.#lastAt = at;
    this.#lastSinceMs = startedMs;
    this.#lastRequestBytes = requestBytes;
    this.#lastResponseBytes = responseBytes;
    this.#lastCount = 1;
  }

  #keepLast(): void {
    const index = this.#pending;
    assert(index < PENDING_MAX, 'isFull was heeded');
    this.#pendingAt[index] = this.#lastAt;
    this.#pendingSinceMs[index] = this.#lastSinceMs;
    this.#pendingRequestBytes[index] = this.#lastRequestBytes;
    this.#pendingResponseBytes[index] = this.#lastResponseBytes;
    this.#pendingCounts[index] = this.#lastCount;
    this.#pending = index + 1;
  }

  /** What has ended since the last call ended now. */
  flush(nowMs: number): void {
    for (let index = 0; index < this.#pending; index++) {
      this.#count(
        nowMs - this.#pendingSinceMs[index],
        this.#pendingAt[index],
        this.#pendingRequestBytes[index],
        this.#pendingResponseBytes[index],
        this.#pendingCounts[index],
      );
    }
    this.#pending = 0;
    if (this.#lastCount === 0) return;
    const ms = nowMs - this.#lastSinceMs;
    const count = this.#lastCount;
    this.#count(ms, this.#lastAt, this.#lastRequestBytes, this.#lastResponseBytes, count);
    this.#lastCount = 0;
    this.#lastAt = LAZY;
  }

  #count(ms: number, at: number, requestBytes: number, responseBytes: number, count: number): void {
    const { segment } = this;
    const histograms = this.#histograms;
    // Most heads of a turn were read at one time.
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#msBucket = bucketOf(ms / MS_PER_BASE);
    }
    segment.observe(histograms[at], this.#msBucket, ms / 1_000, count);
    if ((at & WHICH) === Histogram.FirstByte) return;
    const first = at & ~WHICH;
    // Most requests have no content, and many responses in a row the same length.
    const requestBucket = requestBytes === 0 ? 0 : bucketOf(requestBytes / BYTES_BASE);
    const requests = histograms[first + Histogram.RequestBytes];
    segment.observe(requests, requestBucket, requestBytes, count);
    if (responseBytes !== this.#responseBytes) {
      this.#responseBytes = responseBytes;
      this.#responseBucket = bucketOf(responseBytes / BYTES_BASE);
    }
    const responses = histograms[first + Histogram.ResponseBytes];
    segment.observe(responses, this.#responseBucket, responseBytes, count);
  }

  /** True when flush() must be called before the next response. */
  get isFull(): boolean {
    return this.#pending > PENDING_MAX - 3;
  }

  /** True when a turn, or a response, has not ended. */
  get isOpen(): boolean {
    return this.#turnSinceMs >= 0 || this.#lastCount > 0;
  }

  /**
   * The driver has polled, which has handed to the kernel what the turn before has sent: that turn
   * and its responses have ended. A turn of so many completions begins.
   */
  polled(nowMs: number, completions: number): void {
    if (this.#lastCount > 0) this.flush(nowMs);
    if (this.#turnSinceMs >= 0) this.#turnEnded(nowMs - this.#turnSinceMs);
    this.#turnSinceMs = completions > 0 ? nowMs : -1;
    this.#turnCompletions = completions;
  }

  #turnEnded(ms: number): void {
    this.segment.observe(this.#turns, bucketOf(ms / MS_PER_BASE), ms / 1_000);
    const completions = this.#turnCompletions;
    const bucket = bucketOf(completions / COMPLETIONS_BASE);
    this.segment.observe(this.#completions, bucket, completions);
  }

  #histogramsOf(route: RouteSeries, method: number, status: number): number {
    const statusClass = status >= 100 && status < 600 ? (status / 100) | 0 : 0;
    const at = route.histograms[CLASS_COUNT * method + statusClass];
    return at === 0 ? this.#addHistograms(route, method, statusClass) : at;
  }

  #addHistograms(route: RouteSeries, method: number, statusClass: number): number {
    let at = this.#overflow;
    if (this.segment.hasRoom && this.#used < METRICS_ROUTES_MAX * HISTOGRAM_COUNT) {
      const name = method === 0 ? OTHER_METHOD : this.#methods[method];
      at = this.#makeHistograms([route.route, name, CLASSES[statusClass]]);
    }
    if (at === 0) {
      at = this.#makeHistograms([OVERFLOW, OVERFLOW, OVERFLOW]);
      this.#overflow = at;
    }
    route.histograms[CLASS_COUNT * method + statusClass] = at;
    return at;
  }

  #makeHistograms(labels: string[]): number {
    const at = this.#used;
    if (at + HISTOGRAM_COUNT > this.#histograms.length) {
      const longer = new Int32Array(2 * this.#histograms.length);
      longer.set(this.#histograms);
      this.#histograms = longer;
    }
    this.#used += HISTOGRAM_COUNT;
    const { segment } = this;
    this.#labels.set(at, labels);
    const { requestBytes, responseBytes } = FAMILIES;
    this.#histograms[at + Histogram.Full] = segment.cellOfMany(FULL, labels);
    this.#histograms[at + Histogram.RequestBytes] = segment.cellOfMany(requestBytes, labels);
    this.#histograms[at + Histogram.ResponseBytes] = segment.cellOfMany(responseBytes, labels);
    return at;
  }

  readonly #labels = new Map<number, string[]>();

  /** Most routes never stream. */
  #makeHistogram(at: number, family: Family): void {
    const labels = this.#labels.get(at & ~WHICH) ?? [];
    this.#histograms[at] = this.segment.cellOfMany(family, labels);
  }

  aborted(): void {
    this.segment.cells[this.#active] -= 1;
    this.add('aborted');
  }

  opened(): void {
    const { cells } = this.segment;
    cells[this.#accepted] += 1;
    cells[this.#open] += 1;
  }

  closed(reason: string): void {
    this.segment.cells[this.#open] -= 1;
    this.add('closed', reason);
  }

  received(bytes: number): void {
    this.segment.cells[this.#received] += bytes;
  }

  sent(bytes: number): void {
    this.segment.cells[this.#sent] += bytes;
  }

  pipelined(): void {
    this.segment.cells[this.#pipelined] += 1;
  }

  cacheHit(): void {
    this.segment.cells[this.#cacheHits] += 1;
  }

  cacheMiss(): void {
    this.segment.cells[this.#cacheMisses] += 1;
  }

  /** compress() has encoded so many bytes into so many. */
  compressed(from: number, to: number): void {
    this.add('compressedFrom', '', from);
    this.add('compressedTo', '', to);
  }

  /** For what happens rarely: a counter by its family and the value of its label. */
  add(name: Countable, label = '', count = 1): void {
    const cell = this.#cellOf(name, label);
    this.segment.cells[cell] += count;
  }

  /** Sets a gauge, or a counter that is counted elsewhere: then to what it was when this began. */
  set(name: Countable, value: number, label = ''): void {
    this.segment.cells[this.#cellOf(name, label)] = value;
  }

  /** The value of a counter, as of an earlier process of this worker. */
  valueOf(name: Countable): number {
    return this.segment.cells[this.#cellOf(name, '')];
  }

  /** A pause of the garbage collector. */
  paused(kind: string, ms: number): void {
    const cell = this.#cellOf('gcPause', kind);
    this.segment.observe(cell, bucketOf(ms / MS_PER_BASE), ms / 1_000);
  }

  #cellOf(name: Countable, label: string): number {
    const key = `${name} ${label}`;
    let cell = this.#byKind.get(key);
    if (cell === undefined) {
      cell = this.segment.cellOf(FAMILIES[name], label === '' ? [] : [label]);
      if (cell !== NOWHERE) this.#byKind.set(key, cell);
    }
    return cell;
  }
}

/** Families that are counted or set by name, with one label or none. */
export type Countable = Exclude<
  FamilyName,
  'duration' | 'firstByte' | 'requestBytes' | 'responseBytes' | 'turns' | 'completions'
>;
