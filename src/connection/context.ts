// What all connections of a server share.

import { DRAIN_HEAD_MS, LINGER_CHECKS, WRITE_CHECKS } from '../base/fixed-limits.ts';
import type { Limits } from '../base/limits.ts';
import type { Exchange, Services } from '../exchange/exchange.ts';
import type { RefusedListener } from '../exchange/refused.ts';
import type { Counts } from '../metrics/counters.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { ExchangePool } from './exchange-pool.ts';
import type { ProxyPolicy } from './proxy-policy.ts';
import type { ResponseWriter } from './response-writer.ts';
import type { SpanPool } from './span.ts';

export interface ConnectionContext {
  readonly reactor: Reactor;
  readonly writer: ResponseWriter;
  readonly exchanges: ExchangePool;
  readonly spans: SpanPool;
  readonly limits: ConnectionLimits;
  readonly counters: Counts;
  /** Null without metrics. */
  readonly meter: Meter | null;
  readonly services: Services;
  /** Whether the server is closing, and in which phase. */
  draining: Draining;
  /** The deadline of connections between two requests: Idle, and Drain while the server closes. */
  idleTimeout: Timeout;
  /** That of an incomplete head: Head, and DrainHead while the server closes. */
  headTimeout: Timeout;
  /** Runs the middleware and handler of a request. Never throws. */
  readonly handle: (exchange: Exchange) => void;
  /** Called with the time for every response of a handler, before its head is sent. */
  readonly responding?: ((nowMs: number) => void) | undefined;
  /** Responds in place of a handler that took too long. */
  readonly handlerTimedOut: (exchange: Exchange) => void;
  /** Null: connections begin with a request, not with a PROXY header. */
  readonly proxyPolicy: ProxyPolicy | null;
  /** Those of the middleware that covers all requests. */
  readonly refusedListeners: readonly RefusedListener[];
  readonly logDebug: (message: string) => void;
  readonly debugEnabled: boolean;
}

/** What a closing server does with requests. */
export const Draining = {
  No: 0,
  /** Received requests get their responses; the last one says that the connection ends. */
  Gently: 1,
  /** Every response is its connection's last, whatever follows its request. */
  Firmly: 2,
} as const;
export type Draining = (typeof Draining)[keyof typeof Draining];

/** The limits that connections look at. */
export type ConnectionLimits = Pick<
  Limits,
  | 'headBytesMax'
  | 'targetBytesMax'
  | 'fieldsMax'
  | 'trailerBytesMax'
  | 'chunkExtensionBytesMax'
  | 'bodyBytesMax'
  | 'formPartsMax'
  | 'formFilesMax'
  | 'streamBytesMax'
  | 'discardBytesMax'
  | 'sendQueueBytesMax'
  | 'requestsPerConnectionMax'
  | 'pipelineDepthMax'
  | 'bodyTotalTimeoutMs'
  | 'lingerTimeoutMs'
  | 'writeTimeoutMs'
>;

/**
 * Written out, so that the record has a fixed shape in V8: limits that are set by name form a hash
 * table, and reading that cost 7 % of a request.
 */
export function connectionLimits(limits: Limits): ConnectionLimits {
  return {
    headBytesMax: limits.headBytesMax,
    targetBytesMax: limits.targetBytesMax,
    fieldsMax: limits.fieldsMax,
    trailerBytesMax: limits.trailerBytesMax,
    chunkExtensionBytesMax: limits.chunkExtensionBytesMax,
    bodyBytesMax: limits.bodyBytesMax,
    formPartsMax: limits.formPartsMax,
    formFilesMax: limits.formFilesMax,
    streamBytesMax: limits.streamBytesMax,
    discardBytesMax: limits.discardBytesMax,
    sendQueueBytesMax: limits.sendQueueBytesMax,
    requestsPerConnectionMax: limits.requestsPerConnectionMax,
    pipelineDepthMax: limits.pipelineDepthMax,
    bodyTotalTimeoutMs: limits.bodyTotalTimeoutMs || Number.POSITIVE_INFINITY,
    lingerTimeoutMs: limits.lingerTimeoutMs,
    writeTimeoutMs: limits.writeTimeoutMs,
  };
}

/** The kinds of deadline. Their numbers are the order of timeoutsMs(). */
export const Timeout = {
  Idle: 0,
  Head: 1,
  Body: 2,
  Handler: 3,
  Linger: 4,
  /** The reactor lets it pass WRITE_CHECKS times, or more, before it calls the connection. */
  Write: 5,
  Drain: 6,
  /** Before Linger: checks again whether what was sent has arrived. */
  Deliver: 7,
  /** Before the first byte of a connection. */
  First: 8,
  DrainHead: 9,
} as const;
export type Timeout = (typeof Timeout)[keyof typeof Timeout];

/** How metrics name the kinds of deadline. */
const TIMEOUT_NAMES: Readonly<Record<Timeout, string>> = {
  [Timeout.Idle]: 'keep_alive',
  [Timeout.Head]: 'head',
  [Timeout.Body]: 'body',
  [Timeout.Handler]: 'handler',
  [Timeout.Linger]: 'linger',
  [Timeout.Write]: 'write',
  [Timeout.Drain]: 'drain',
  [Timeout.Deliver]: 'deliver',
  [Timeout.First]: 'connection',
  [Timeout.DrainHead]: 'head',
};

export function timeoutName(kind: Timeout): string {
  return TIMEOUT_NAMES[kind];
}

export function timeoutsMs(limits: Limits): number[] {
  const lengths: Record<keyof typeof Timeout, number> = {
    Idle: limits.keepAliveTimeoutMs,
    Head: limits.headTimeoutMs,
    Body: limits.bodyTimeoutMs,
    Handler: limits.handlerTimeoutMs,
    Linger: limits.lingerTimeoutMs,
    Write: limits.writeTimeoutMs / WRITE_CHECKS,
    // A timeout of 0 that is extended would pass again at the same moment, without end.
    Drain: Math.max(limits.drainLingerMs, 1),
    Deliver: deliverMs(limits),
    First: limits.connectionTimeoutMs,
    DrainHead: Math.min(DRAIN_HEAD_MS, limits.headTimeoutMs),
  };
  const result: number[] = [];
  for (const [name, kind] of Object.entries(Timeout)) {
    result[kind] = lengths[name as keyof typeof Timeout];
  }
  return result;
}

type DeliverLimits = Pick<Limits, 'lingerTimeoutMs' | 'writeTimeoutMs'>;

/** A fraction of lingerTimeoutMs or of writeTimeoutMs, whichever is less. */
function deliverMs({ lingerTimeoutMs, writeTimeoutMs }: DeliverLimits): number {
  return Math.min(lingerTimeoutMs / LINGER_CHECKS, writeTimeoutMs / WRITE_CHECKS);
}

/** How many checks without progress make writeTimeoutMs. */
export function deliveryChecks(limits: DeliverLimits): number {
  return Math.ceil(limits.writeTimeoutMs / deliverMs(limits));
}
