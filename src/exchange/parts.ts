// The parts of one request's handling: middleware, handler, and what they started. The request is
// settled when none of them runs any more.

import type { Exchange } from './exchange.ts';
import { quietly } from './late.ts';
import { Phase, Writer } from './phase.ts';

export function beginPart(exchange: Exchange): void {
  exchange.running += 1;
}

export function endPart(exchange: Exchange): void {
  exchange.running -= 1;
  if (exchange.running === 0) exchange.services.settled(exchange);
}

/**
 * A part failed. An error that may be `caught` by the code that started the part counts only when
 * nothing responds; where this is the last part, that code gets a turn of the event loop for it.
 */
export function failPart(exchange: Exchange, error: unknown, caught: boolean): void {
  if (!caught || exchange.failure === null) exchange.failure = { error, caught };
  const isLast = exchange.running === 1 && !exchange.entered;
  if (caught && isLast) void exchange.services.pause(0).then(() => endPart(exchange));
  else endPart(exchange);
}

/** Work of a response, as a part of its own: it counts even when the handler does not await it. */
export function asPart(exchange: Exchange, work: Promise<void>): Promise<void> {
  // The handler may not wait for it: the record must stay this request's.
  exchange.retain();
  beginPart(exchange);
  exchange.deferred = true;
  work.then(
    () => endPart(exchange),
    (error: unknown) => {
      // Something else may be sent instead, as long as nothing was.
      if (exchange.phase === Phase.Open) exchange.writer = Writer.None;
      failPart(exchange, error, true);
    },
  );
  return quietly(work);
}
