// The parts of one request's handling: middleware, handler, and the promises that they started. The
// request has settled when none of them runs any more.

import type { Exchange } from './exchange.ts';
import { quietly } from './late.ts';
import { Phase } from './state.ts';

export function beginPart(exchange: Exchange): void {
  exchange.parts.running += 1;
}

export function endPart(exchange: Exchange): void {
  const { parts } = exchange;
  parts.running -= 1;
  if (parts.running === 0) exchange.services.settled(exchange);
}

/**
 * A part failed. An error that the code that started the part may catch counts only when nothing
 * responds. If this is the last part, that code gets one iteration of the event loop for it.
 */
export function failPart(exchange: Exchange, error: unknown, mayBeCaught: boolean): void {
  const { parts } = exchange;
  if (!mayBeCaught || parts.failure === null) parts.failure = { error, mayBeCaught };
  const isLast = parts.running === 1 && !parts.entered;
  if (mayBeCaught && isLast) void exchange.services.pause(0).then(() => endPart(exchange));
  else endPart(exchange);
}

/** Runs a promise of a response as a part of its own: it counts even if no handler awaits it. */
export function asPart(exchange: Exchange, promise: Promise<void>): Promise<void> {
  // The handler may not wait for it: the record must stay this request's.
  exchange.retain();
  beginPart(exchange);
  exchange.parts.deferred = true;
  promise.then(
    () => endPart(exchange),
    (error: unknown) => {
      // As long as nothing was sent, another call may respond.
      if (exchange.phase === Phase.Open) exchange.releaseWriter();
      failPart(exchange, error, true);
    },
  );
  return quietly(promise);
}
