// What a load came to, as it stands in JSON and as every other form of a report is made from.

import { countText, percentText, timeText } from './format.ts';
import type { Histogram } from './histogram.ts';
import type { Load } from './load.ts';
import type { Prepared } from './options.ts';
import type { Second } from './recorder.ts';
import type { Waiting } from './waiting.ts';

/** Of a core: from here on the load may be what limits a figure. */
export const LOAD_BOUND = 0.97;
/**
 * A shorter run is compiling most of its time, on threads of V8's own, and counting so coarsely
 * that its share of a core says nothing.
 */
const SHARE_SECONDS_MIN = 0.5;

export const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99] as const;

export interface LoadReport {
  readonly format: 1;
  readonly startedAt: string;
  readonly urls: readonly string[];
  readonly method: string;
  readonly driver: string;
  readonly connections: number;
  readonly pipelining: number;
  readonly keepAlive: boolean;
  /** 'closed', or what the rate was in words. */
  readonly loop: string;
  readonly warmUpSeconds: number;
  /** How long the time that counts was. */
  readonly seconds: number;
  /** How much longer an open loop waited for the last answer that counts; part of every rate. */
  readonly drainSeconds: number;
  readonly responses: number;
  readonly requestsPerSecond: number;
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly latencyMs: Latencies;
  readonly statuses: Readonly<Record<string, number>>;
  readonly errorCount: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly errorDetails: Readonly<Record<string, number>>;
  /** How the first bytes began that were no answer, a character for each; '' when all were. */
  readonly badBytes: string;
  /**
   * Requests of a closed loop that had waited at its end for longer than any answer took: they
   * stand in no other figure.
   */
  readonly waiting: Waiting;
  readonly reconnects: number;
  /** Those of them that were delayed: the connection before had brought no response. */
  readonly delayedReconnects: number;
  readonly responsesByRequest: Readonly<Record<string, number>>;
  readonly series: readonly Second[];
  /** Buckets as [from, to, count], in milliseconds. */
  readonly histogram: readonly (readonly [number, number, number])[];
  readonly load: LoadShare;
  /** It was ended before its time. */
  readonly interrupted: boolean;
}

export interface Latencies {
  readonly least: number;
  readonly mean: number;
  readonly deviation: number;
  readonly most: number;
  /** By percent, as '99.9'. */
  readonly percentiles: Readonly<Record<string, number>>;
}

/** What the load itself took. */
export interface LoadShare {
  /** The core it was pinned to, -1 for none. */
  readonly core: number;
  /**
   * Processor time of this process by time, 0 to 1 and a little more with V8's own threads. Of a
   * run below half a second it says nothing, and reports for people leave it out.
   */
  readonly cpuShare: number;
  /** The same without looking for work where there was none. */
  readonly workShare: number;
  /** Its core was full: the figure may be the load's, not the server's. */
  readonly isBound: boolean;
  /** The longest that a request was due before it went out. */
  readonly lateMsMax: number;
}

export interface Measured {
  readonly prepared: Prepared;
  readonly load: Load;
  readonly driver: string;
  readonly startedAtMs: number;
  /** Processor time in the time that counted, microseconds. */
  readonly cpuMicroseconds: number;
}

export function reportOf(measured: Measured): LoadReport {
  const { prepared, load } = measured;
  const { recorder } = load;
  const seconds = Math.max(0, load.endMs - load.beginMs) / 1000;
  const drainSeconds = load.drainMs / 1000;
  const lasted = seconds + drainSeconds;
  const perSecond = (count: number): number => (lasted === 0 ? 0 : count / lasted);
  return {
    format: 1,
    startedAt: new Date(measured.startedAtMs).toISOString(),
    urls: prepared.urls,
    method: prepared.requests[0].name.split(' ', 1)[0],
    driver: measured.driver,
    connections: prepared.connections,
    pipelining: prepared.depth,
    keepAlive: prepared.keepAlive,
    loop: loopText(prepared),
    warmUpSeconds: prepared.warmUpMs / 1000,
    seconds,
    drainSeconds,
    responses: recorder.responses,
    requestsPerSecond: perSecond(recorder.responses),
    bytes: recorder.bytes,
    bytesPerSecond: perSecond(recorder.bytes),
    latencyMs: latenciesOf(recorder.histogram),
    statuses: recorder.statuses(),
    errorCount: recorder.errors,
    errors: recorder.errorCounts(),
    errorDetails: recorder.errorDetails(),
    badBytes: recorder.badBytes,
    waiting: load.waiting,
    reconnects: recorder.reconnects,
    delayedReconnects: recorder.delayedReconnects,
    responsesByRequest: Object.fromEntries(
      prepared.requests.map(({ name }, index) => [name, recorder.responsesByKind[index]]),
    ),
    series: recorder.seconds,
    histogram: recorder.histogram.buckets().map(({ fromMs, toMs, count }) => [fromMs, toMs, count]),
    load: shareOf(measured, seconds),
    interrupted: load.isStopped,
  };
}

function shareOf({ load, prepared, cpuMicroseconds }: Measured, seconds: number): LoadShare {
  const cpuShare = seconds === 0 ? 0 : cpuMicroseconds / 1e6 / seconds;
  const idleShare = seconds === 0 ? 0 : load.idleMs / 1000 / seconds;
  const workShare = Math.max(0, cpuShare - idleShare);
  return {
    core: prepared.core,
    cpuShare,
    workShare,
    isBound: seconds >= SHARE_SECONDS_MIN && workShare >= LOAD_BOUND,
    lateMsMax: load.lateMsMax,
  };
}

export function latenciesOf(histogram: Histogram): Latencies {
  return {
    least: histogram.leastMs,
    mean: histogram.meanMs,
    deviation: histogram.deviationMs,
    most: histogram.mostMs,
    percentiles: Object.fromEntries(
      PERCENTILES.map((percent) => [String(percent), histogram.at(percent / 100)]),
    ),
  };
}

function loopText({ rate }: Prepared): string {
  if (rate.length === 0) return 'closed';
  const steps = rate.map(({ from, to, durationMs }) => {
    const many = from === to ? `${from}/s` : `${from}/s to ${to}/s`;
    return durationMs === Number.POSITIVE_INFINITY ? many : `${many} for ${durationMs / 1000} s`;
  });
  return `open, ${steps.join(', then ')}`;
}

/** The processor time of the load in words. */
export function shareText({ load, seconds }: LoadReport): string {
  if (seconds < SHARE_SECONDS_MIN) {
    return `no share of a core told of a run below ${SHARE_SECONDS_MIN} s`;
  }
  return `${percentText(load.cpuShare)} of a core, ${percentText(load.workShare)} working`;
}

/** Answers that refuse or fail: 4xx and 5xx, in words; '' when there are none. */
export function refusedText({ responses, statuses }: LoadReport): string {
  const refused = Object.entries(statuses).reduce((sum, [status, count]) => {
    return Number(status) >= 400 ? sum + count : sum;
  }, 0);
  return refused === 0
    ? ''
    : `${countText(refused)}, ${percentText(refused / Math.max(1, responses), 1)} of all`;
}

/** Requests that stand in no figure, in words; '' when there are none. */
export function waitingText({ waiting: { count, mostMs } }: LoadReport): string {
  if (count === 0) return '';
  const requests = count === 1 ? '1 request was' : `${countText(count)} requests were`;
  return `${requests} not answered by the end, after up to ${timeText(mostMs)}`;
}

/** Connections that were opened again, in words. */
export function reconnectsText({ reconnects, delayedReconnects }: LoadReport): string {
  const count = countText(reconnects);
  if (delayedReconnects === 0) return count;
  const delayed = countText(delayedReconnects);
  return `${count}, ${delayed} of them delayed: the connection before brought no response`;
}
