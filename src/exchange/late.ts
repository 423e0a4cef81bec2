// Calls that come too late: after the response ended, or while another call sends it. They have no
// effect. What a handler cannot catch is not thrown, since it would end the process; and a promise
// that is settled already would let a loop that awaits it hold up the event loop for ever.

import { describe } from '../base/describe.ts';
import {
  LATE_CALLS_AT_ONCE,
  LATE_NOTE_MS,
  LATE_PAUSE_MS,
  LATE_PAUSE_MS_MAX,
  QUICK_WRITES_MAX,
} from '../base/fixed-limits.ts';
import type { Exchange } from './exchange.ts';
import { Phase, Writer } from './phase.ts';
import { requestLine } from './request-line.ts';
import type { Services } from './transport.ts';

const WRITER_NAMES = {
  [Writer.None]: '',
  [Writer.Chunks]: 'write()',
  [Writer.Stream]: 'stream()',
  [Writer.File]: 'file()',
  [Writer.Events]: 'events()',
} as const;

/**
 * Notes a call that has no effect any more. It throws within the handler's own call; later it is
 * counted, and told in the log. `isOver`: the handle has no request any more.
 */
export function noteLate(exchange: Exchange, call: string, isOver: boolean): void {
  const { services } = exchange;
  // Content that a response does not have is dropped, and that a client left is no mistake.
  if (!isOver && exchange.headOnly && !exchange.gone) return;
  const isExpected = !isOver && exchange.gone;
  const reason = isOver ? 'the response has ended' : reasonOf(exchange);
  if (exchange.entered && !isOver && !isExpected) throw new Error(`${call}: ${reason}`);
  services.countLateCall(!isExpected);
  if (isExpected) return;
  if ((isOver || exchange.lateNoted) && !isDue(services)) return;
  if (!isOver) exchange.lateNoted = true;
  const request = isOver ? '' : `${requestLine(exchange)}: `;
  const error = new Error(`${call} had no effect: ${reason}`);
  services.logError(`${request}${describe(error)}`);
}

/** Making a stack costs more than a request, so the lines about late calls are bounded. */
function isDue(services: Services): boolean {
  const nowMs = services.nowMs();
  if (nowMs - services.lateNotedMs < LATE_NOTE_MS) return false;
  services.lateNotedMs = nowMs;
  return true;
}

function reasonOf({ phase, writer, gone }: Exchange): string {
  if (phase === Phase.Ended || gone) return 'the response has ended';
  if (writer !== Writer.None) return `${WRITER_NAMES[writer]} is sending the response`;
  return 'it was called before';
}

/** What a late call returns: resolved, but never at once, and ever later for a loop. */
export function latePause(exchange: Exchange, isOver: boolean): Promise<void> {
  // A record that went on to another request must not be touched.
  if (isOver) return exchange.services.pause(LATE_PAUSE_MS);
  exchange.lateCalls += 1;
  const beyond = exchange.lateCalls - LATE_CALLS_AT_ONCE;
  return exchange.services.pause(Math.min(Math.max(beyond, 0), LATE_PAUSE_MS_MAX));
}

/** Rejects when the event loop has gone round. To be ignored or awaited. */
export function lateRejection(exchange: Exchange, isOver: boolean, error: Error): Promise<never> {
  return quietly(
    latePause(exchange, isOver).then(() => {
      throw error;
    }),
  );
}

/** A promise that was settled at once, unless there were so many that the loop needs its turn. */
export function quick(exchange: Exchange, settled: Promise<void>): Promise<void> {
  exchange.quickWrites += 1;
  if (exchange.quickWrites < QUICK_WRITES_MAX) return settled;
  exchange.quickWrites = 0;
  return exchange.services.pause(0);
}

/** The same promise; that nothing awaits it must not end the process. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
