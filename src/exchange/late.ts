// Calls that come too late: after the response ended, or while another call sends it. They have no
// effect. An error that the handler cannot catch would end the process, so it is logged instead.
// A loop that awaits settled promises would block the event loop, so they settle later.

import { describe } from '../base/describe.ts';
import {
  LATE_CALLS_AT_ONCE,
  LATE_NOTE_MS,
  LATE_PAUSE_MS,
  LATE_PAUSE_MS_MAX,
  QUICK_WRITES_MAX,
  WRITE_QUEUE_BYTES_MAX,
} from '../base/fixed-limits.ts';
import type { Exchange, Services } from './exchange.ts';
import { requestLine } from './request-line.ts';
import { Liveness, Phase, Writer } from './state.ts';

const WRITER_NAMES = {
  [Writer.None]: '',
  [Writer.Chunks]: 'write()',
  [Writer.Stream]: 'stream()',
  [Writer.File]: 'file()',
  [Writer.Events]: 'events()',
  [Writer.Full]: 'send()',
} as const;

/**
 * Reports a call that has no effect. Throws within the handler's own call; later it counts and logs
 * the call. `isOver`: the handle has no request any more.
 */
export function noteLate(exchange: Exchange, call: string, isOver: boolean): void {
  const { services } = exchange;
  // Content of a response without content is dropped. That a client left is not a mistake.
  if (!isOver && exchange.liveness === Liveness.HeadOnly) return;
  const isExpected = !isOver && exchange.gone;
  const reason = isOver ? 'the response has ended' : reasonOf(exchange);
  if (exchange.parts.entered && !isOver && !isExpected) throw new Error(`${call}: ${reason}`);
  services.countLateCall(!isExpected);
  if (isExpected) return;
  if ((isOver || exchange.lateNoted) && !mayLog(services)) return;
  if (!isOver) exchange.lateNoted = true;
  const request = isOver ? '' : `${requestLine(exchange)}: `;
  const error = new Error(`${call} had no effect: ${reason}`);
  services.logError(`${request}${describe(error)}`);
}

/** A stack costs more than a request, so the lines about late calls are limited. */
function mayLog(services: Services): boolean {
  const nowMs = services.nowMs();
  if (nowMs - services.lateNotedMs < LATE_NOTE_MS) return false;
  services.lateNotedMs = nowMs;
  return true;
}

function reasonOf({ phase, writer, gone }: Exchange): string {
  if (phase === Phase.Ended || gone) return 'the response has ended';
  if (writer !== Writer.None) return `${WRITER_NAMES[writer]} is sending the response`;
  return 'the call was made before';
}

/** What a late call returns: it resolves, never at once, and ever later for a loop. */
export function latePause(exchange: Exchange, isOver: boolean): Promise<void> {
  // The record may belong to another request, which must not be touched.
  if (isOver) return exchange.services.pause(LATE_PAUSE_MS);
  exchange.lateCalls += 1;
  const beyond = exchange.lateCalls - LATE_CALLS_AT_ONCE;
  return exchange.services.pause(Math.min(Math.max(beyond, 0), LATE_PAUSE_MS_MAX));
}

/** Rejects when latePause() resolves. The caller may ignore or await it. */
export function lateRejection(exchange: Exchange, isOver: boolean, error: Error): Promise<never> {
  return quietly(
    latePause(exchange, isOver).then(() => {
      throw error;
    }),
  );
}

/** The error where too much waits for the client; null where a write() may add to it. */
export function writeRefusal(exchange: Exchange, waitingBytes: number): Error | null {
  if (exchange.writer !== Writer.Chunks || waitingBytes <= WRITE_QUEUE_BYTES_MAX) return null;
  // A handler that awaits write() never has more waiting than sendQueueBytesMax.
  const most = Math.max(WRITE_QUEUE_BYTES_MAX, exchange.services.limits.sendQueueBytesMax);
  if (waitingBytes <= most) return null;
  const what = `${waitingBytes} bytes wait, at most ${most} may`;
  return new Error(`write() without await: ${what}: await each write(), or use stream()`);
}

/** The settled promise, or after many in a row one that waits for the event loop. */
export function quick(exchange: Exchange, settled: Promise<void>): Promise<void> {
  exchange.quickWrites += 1;
  if (exchange.quickWrites < QUICK_WRITES_MAX) return settled;
  exchange.quickWrites = 0;
  return exchange.services.pause(0);
}

/** The same promise, whose rejection does not end the process when it is not awaited. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/**
 * For the result of a function of the program that must return a value: the rejection of a promise
 * that it returns instead does not end the process.
 */
export function notAwaited(value: unknown): void {
  if (value instanceof Promise) quietly(value);
}
