// The diagnostics channels of a request, for tracers that subscribe from outside. Each request has
// one message, which all its channels publish, so that a subscriber can keep its span with it.
// Without a subscriber nothing is made.

import { channel } from 'node:diagnostics_channel';
import { latin1 } from '../http/text.ts';
import { type TraceContext, traceContext } from '../http/trace-context.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';

/** The message of all channels. Times are milliseconds since 1970, with fractions. */
export interface RequestTrace {
  readonly method: string;
  /** The target as the client sent it. */
  readonly target: string;
  /** The pattern of the route; null without one. */
  readonly route: string | null;
  readonly remoteAddress: string;
  /** HTTP's version, '1.1' or '1.0'. */
  readonly httpVersion: string;
  /** The fields Host and User-Agent; null without one. */
  readonly host: string | null;
  readonly userAgent: string | null;
  /** Of the fields traceparent and tracestate; null without a valid one. */
  readonly trace: TraceContext | null;
  readonly startedMs: number;
  /** 0 before the head of the response. */
  status: number;
  /** From the start until the head was queued, and the kernel had all; -1 before. */
  firstByteMs: number;
  durationMs: number;
  /** Content of the request that had arrived, and of the response that was sent; set by the end. */
  requestBytes: number;
  responseBytes: number;
  /** Whether the kernel has taken all of the response; set by the end. */
  isComplete: boolean;
  /** What the handler threw last; undefined without an error. */
  error: unknown;
  /** Set by a subscriber: proxy() sends them in place of those of the client. */
  traceparent: string | undefined;
  tracestate: string | undefined;
}

const started = channel('vibing.request.start');
const firstByte = channel('vibing.request.first-byte');
const ended = channel('vibing.request.end');
const failed = channel('vibing.request.error');

/** A request whose end was not published. */
export interface OpenTrace {
  readonly trace: RequestTrace;
  readonly beganMs: number;
}

const open = new WeakMap<Exchange, OpenTrace>();
/** Requests that have started and not ended: without one the functions below do nothing. */
let openCount = 0;

/** Whether tracers want to know of requests. */
export function isTraced(): boolean {
  return (
    started.hasSubscribers ||
    ended.hasSubscribers ||
    firstByte.hasSubscribers ||
    failed.hasSubscribers
  );
}

/** Publishes the start, and runs the handler in the stores that subscribers have bound to it. */
export function runTraced(exchange: Exchange, run: () => void): void {
  const { base, bytes, head, services } = exchange;
  const parent = fieldValue(exchange, 'traceparent');
  const trace: RequestTrace = {
    method: exchange.methodName(),
    target: latin1(bytes, base + head.targetStart, base + head.targetEnd),
    route: exchange.params.pattern,
    remoteAddress: exchange.transport.peer().address,
    trace: traceContext(parent, fieldValue(exchange, 'tracestate')),
    httpVersion: `1.${head.minor}`,
    host: fieldValue(exchange, 'host') ?? null,
    userAgent: fieldValue(exchange, 'user-agent') ?? null,
    startedMs: services.wallMs(),
    status: 0,
    firstByteMs: -1,
    durationMs: -1,
    requestBytes: 0,
    responseBytes: 0,
    isComplete: false,
    error: undefined,
    traceparent: undefined,
    tracestate: undefined,
  };
  open.set(exchange, { trace, beganMs: services.nowMs() });
  openCount += 1;
  started.runStores(trace, run);
}

/** The message of a request that is traced. */
export function traceOf(exchange: Exchange): RequestTrace | null {
  return openCount === 0 ? null : (open.get(exchange)?.trace ?? null);
}

/** The head of the response was sent. */
export function traceHead(exchange: Exchange): void {
  const found = openCount === 0 ? undefined : open.get(exchange);
  if (found === undefined) return;
  const { beganMs, trace } = found;
  trace.status = exchange.status;
  trace.firstByteMs = exchange.services.nowMs() - beganMs;
  firstByte.publish(trace);
}

/** The response is queued: its end is published by endTrace(), when the kernel has taken it. */
export function takeTrace(exchange: Exchange): OpenTrace | null {
  const found = openCount === 0 ? undefined : open.get(exchange);
  if (found === undefined) return null;
  open.delete(exchange);
  openCount -= 1;
  return found;
}

/** Publishes the end. `responseBytes`: of its content, what the kernel has taken. */
export function endTrace(
  { beganMs, trace }: OpenTrace,
  nowMs: number,
  requestBytes: number,
  responseBytes: number,
  isComplete: boolean,
): void {
  trace.durationMs = nowMs - beganMs;
  trace.requestBytes = requestBytes;
  trace.responseBytes = responseBytes;
  trace.isComplete = isComplete;
  ended.publish(trace);
}

/** The handler threw. */
export function traceError(exchange: Exchange, error: unknown): void {
  const trace = traceOf(exchange);
  if (trace === null) return;
  trace.error = error;
  failed.publish(trace);
}
