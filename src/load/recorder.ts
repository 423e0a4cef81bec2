// The results of a run so far: latencies, statuses, errors, and their series over time.

import { Histogram } from './histogram.ts';

const STATUS_MAX = 1000;
const BAD_BYTES_KEPT = 60;

/** How a request or a connect failed. The values are keys of a report's `errors`. */
export const LoadError = {
  /** A connect failed or timed out. */
  Connect: 'connect',
  /** No bytes of a response came in time. */
  Timeout: 'timeout',
  /** The connection failed with requests in flight. */
  Reset: 'reset',
  /** The server closed the connection with requests in flight. */
  Closed: 'closed',
  /** The response is malformed. */
  Framing: 'framing',
  /** The body is not the expected one. */
  Body: 'body',
  /** The request was due and had no response when the run ended. */
  Unanswered: 'unanswered',
} as const;
export type LoadError = (typeof LoadError)[keyof typeof LoadError];

/** A second of a run, or a part of one at its end. */
export interface Second {
  /** Since counting began. */
  readonly endMs: number;
  readonly lengthMs: number;
  readonly responses: number;
  readonly errors: number;
  readonly bytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class Recorder {
  readonly histogram: Histogram = new Histogram();
  readonly seconds: Second[] = [];
  /** By kind of request. */
  readonly responsesByKind: Float64Array;
  responses = 0;
  bytes = 0;
  errors = 0;
  /** Connections that were opened again. */
  reconnects = 0;
  /** Those of them that were delayed, because the connection before had brought no response. */
  delayedReconnects = 0;
  /** The first bytes received that are no valid response, a character each; '' without any. */
  badBytes = '';
  readonly #statuses = new Float64Array(STATUS_MAX);
  readonly #errors = new Map<LoadError, number>();
  readonly #details = new Map<string, number>();
  #countsBefore: Float64Array = this.histogram.copyCounts();
  /** The counts at the beginning of the last second of the series. */
  #countsOfLast: Float64Array = this.histogram.copyCounts();
  #mismatches = 0;
  readonly #countMax: number;
  /** Whether the last responses are. */
  #isLeftOut = false;
  #secondStartMs = 0;
  #responsesBefore = 0;
  #errorsBefore = 0;
  #bytesBefore = 0;

  /** Of more requests than `countMax` that have a response or failed the others are left out. */
  constructor(kinds: number, countMax: number = Number.POSITIVE_INFINITY) {
    this.#countMax = countMax;
    this.responsesByKind = new Float64Array(kinds);
  }

  /** `responses` that have all of this in common. */
  responded(latencyMs: number, status: number, kind: number, responses = 1): void {
    const count = this.leftOf(responses);
    this.#isLeftOut = count === 0;
    if (this.#isLeftOut) return;
    this.histogram.add(latencyMs, count);
    this.#statuses[status] += count;
    this.responsesByKind[kind] += count;
    this.responses += count;
  }

  /** A request without a response: it would have taken this long at least. */
  waited(latencyMs: number): void {
    this.histogram.add(latencyMs);
  }

  /** The last response has another body than expected. */
  mismatched(): void {
    if (this.#isLeftOut) return;
    this.#mismatches += 1;
    this.failed(LoadError.Body, 1);
  }

  /** Requests that have a response or failed. */
  get endedCount(): number {
    return this.responses + this.errors - this.#mismatches;
  }

  /** How many of so many requests are not left out. */
  leftOf(requests: number): number {
    return Math.max(0, Math.min(requests, this.#countMax - this.endedCount));
  }

  /** `detail` is the cause, such as an errno; details are counted separately. */
  failed(error: LoadError, count: number, detail = ''): void {
    this.errors += count;
    this.#errors.set(error, (this.#errors.get(error) ?? 0) + count);
    if (detail !== '') this.#details.set(detail, (this.#details.get(detail) ?? 0) + count);
  }

  /** Ends a second of the series. */
  endSecond(atMs: number): void {
    const lengthMs = atMs - this.#secondStartMs;
    // A remainder of less than a millisecond without results gets no row.
    const isNothing =
      this.responses === this.#responsesBefore && this.errors === this.#errorsBefore;
    if (lengthMs <= 0 || (lengthMs < 1 && isNothing)) return;
    this.seconds.push({
      endMs: atMs,
      lengthMs,
      responses: this.responses - this.#responsesBefore,
      errors: this.errors - this.#errorsBefore,
      bytes: this.bytes - this.#bytesBefore,
      p50Ms: this.histogram.atSince(0.5, this.#countsBefore),
      p99Ms: this.histogram.atSince(0.99, this.#countsBefore),
    });
    this.#secondStartMs = atMs;
    this.#responsesBefore = this.responses;
    this.#errorsBefore = this.errors;
    this.#bytesBefore = this.bytes;
    const spare = this.#countsOfLast;
    this.#countsOfLast = this.#countsBefore;
    this.#countsBefore = this.histogram.copyCounts(spare);
  }

  /** Extends the last second of the series until now. */
  extendSecond(atMs: number): void {
    const last = this.seconds.pop();
    if (last !== undefined) {
      this.#secondStartMs -= last.lengthMs;
      this.#responsesBefore -= last.responses;
      this.#errorsBefore -= last.errors;
      this.#bytesBefore -= last.bytes;
      this.#countsBefore.set(this.#countsOfLast);
    }
    this.endSecond(atMs);
  }

  /** Keeps the beginning of the first bytes that are no valid response, for the report. */
  keepBad(bytes: Uint8Array): void {
    if (this.badBytes !== '') return;
    for (const byte of bytes.subarray(0, BAD_BYTES_KEPT)) {
      this.badBytes += String.fromCharCode(byte);
    }
  }

  /** The number of responses by status, in order. */
  statuses(): Readonly<Record<string, number>> {
    const found: Record<string, number> = {};
    this.#statuses.forEach((count, status) => {
      if (count > 0) found[status] = count;
    });
    return found;
  }

  errorCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  errorDetails(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#details);
  }

  /** Resets all results: the warm-up ended. */
  clear(): void {
    this.histogram.clear();
    this.histogram.copyCounts(this.#countsBefore);
    this.histogram.copyCounts(this.#countsOfLast);
    this.seconds.length = 0;
    this.responsesByKind.fill(0);
    this.responses = 0;
    this.bytes = 0;
    this.errors = 0;
    this.reconnects = 0;
    this.delayedReconnects = 0;
    this.badBytes = '';
    this.#mismatches = 0;
    this.#isLeftOut = false;
    this.#statuses.fill(0);
    this.#errors.clear();
    this.#details.clear();
    this.#secondStartMs = 0;
    this.#responsesBefore = 0;
    this.#errorsBefore = 0;
    this.#bytesBefore = 0;
  }
}
