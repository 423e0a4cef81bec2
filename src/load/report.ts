// The report of a load as it is written as JSON. All other forms of a report are made from it.

import { countText, percentText, timeText } from './format.ts';
import type { Histogram } from './histogram.ts';
import type { Load } from './load.ts';
import type { Prepared } from './options.ts';
import type { Second } from './recorder.ts';
import type { Waiting } from './waiting.ts';

/** The share of a core from which on the load itself may limit the results. */
export const LOAD_BOUND = 0.97;
/**
 * For a shorter run the share of a core means nothing: V8 compiles most of the time, on threads of
 * its own, and processor time is counted coarsely.
 */
const SHARE_SECONDS_MIN = 0.5;

export const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99] as const;

/** The result of a load, as plain JSON. Names end in their unit; shares are from 0 to 1. */
export interface LoadReport {
  readonly format: 1;
  readonly startedAt: string;
  readonly urls: readonly string[];
  readonly method: string;
  readonly driver: string;
  readonly connections: number;
  readonly pipelining: number;
  readonly keepAlive: boolean;
  /** 'closed', or 'open' and the rate as text. */
  readonly loop: string;
  readonly warmUpSeconds: number;
  /** Length of the counted time. */
  readonly seconds: number;
  /** From then to the last counted response of an open loop. Rates are over both times. */
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
  /** The first bytes received that are no valid response, a character each; '' without any. */
  readonly badBytes: string;
  /**
   * Requests of a closed loop that had waited at its end for longer than any response took. They
   * are in no other figure.
   */
  readonly waiting: Waiting;
  readonly reconnects: number;
  /** Those of them that were delayed, because the connection before had brought no response. */
  readonly delayedReconnects: number;
  readonly responsesByRequest: Readonly<Record<string, number>>;
  readonly series: readonly Second[];
  /** Buckets as [from, to, count], in milliseconds. */
  readonly histogram: readonly (readonly [number, number, number])[];
  readonly load: LoadShare;
  /** The load was ended early. */
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

/** What the load itself cost. */
export interface LoadShare {
  /** The core it was pinned to, -1 for none. */
  readonly core: number;
  /**
   * Processor time of this process in the counted time, 0 to 1; more with threads of V8. It means
   * nothing for a run below half a second, and reports for people leave it out.
   */
  readonly cpuShare: number;
  /** The same without turns that had nothing to do. */
  readonly workShare: number;
  /** It had hardly a turn without work: the load may limit the results, not the server. */
  readonly isBound: boolean;
  /** The longest delay between a request's due time and its send. */
  readonly lateMsMax: number;
}

export interface Measured {
  readonly prepared: Prepared;
  readonly load: Load;
  readonly driver: string;
  readonly startedAtMs: number;
  /** Processor time in the counted time. */
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
  const { idleCpuMs, idleMs, sleptMs } = load.rest;
  const idleShare = seconds === 0 ? 0 : idleCpuMs / 1000 / seconds;
  // By the clock: a load that never gets a core of its own is bound at any share of it.
  const busyShare = seconds === 0 ? 0 : 1 - (idleMs + sleptMs) / 1000 / seconds;
  return {
    core: prepared.core,
    cpuShare,
    workShare: Math.max(0, cpuShare - idleShare),
    isBound: seconds >= SHARE_SECONDS_MIN && busyShare >= LOAD_BOUND,
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

/** How the requests were sent, for people. */
export function conditionsText(report: LoadReport): string {
  const { connections, driver, keepAlive, loop, pipelining, warmUpSeconds } = report;
  return [
    `${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    pipelining === 1 ? 'no pipelining' : `pipelining ${pipelining}`,
    ...(keepAlive ? [] : ['a connection for each request']),
    loop === 'closed' ? 'closed loop' : loop.replace(/^open,/, 'open loop:'),
    ...(warmUpSeconds > 0 ? [`after ${warmUpSeconds} s of warm-up`] : []),
    `driver ${driver}`,
  ].join(', ');
}

/** The processor time of the load. */
export function shareText({ load, seconds }: LoadReport): string {
  if (seconds < SHARE_SECONDS_MIN) {
    return `share of a core not measured, the run was shorter than ${SHARE_SECONDS_MIN} s`;
  }
  return `${percentText(load.cpuShare)} of a core, ${percentText(load.workShare)} working`;
}

/** How many responses have the status code of an error, 4xx or 5xx. */
export function errorStatusCount({ statuses }: LoadReport): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => {
    return Number(status) >= 400 ? sum + count : sum;
  }, 0);
}

/** Error responses, 4xx and 5xx; '' when there are none. */
export function errorStatusText(report: LoadReport): string {
  const { responses } = report;
  const errors = errorStatusCount(report);
  return errors === 0
    ? ''
    : `${countText(errors)}, ${percentText(errors / Math.max(1, responses), 1)} of all`;
}

/** Requests that are in no other figure; '' when there are none. */
export function waitingText({ waiting: { count, mostMs } }: LoadReport): string {
  if (count === 0) return '';
  const requests = count === 1 ? '1 request' : `${countText(count)} requests`;
  return `${requests} without a response at the end, after up to ${timeText(mostMs)}`;
}

/** Connections that were opened again. */
export function reconnectsText({ reconnects, delayedReconnects }: LoadReport): string {
  const count = countText(reconnects);
  if (delayedReconnects === 0) return count;
  const delayed = countText(delayedReconnects);
  return `${count}, ${delayed} of them delayed: the connection before brought no response`;
}
