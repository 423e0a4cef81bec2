// Streams of the handler: everything a source gives, sent piece by piece with backpressure.

import { Method } from '../http/method.ts';
import { hasNoContent } from '../http/status.ts';
import { checkContent } from './content.ts';
import type { Exchange } from './exchange.ts';
import { Phase } from './phase.ts';

/** Pieces of content: strings (as UTF-8) or bytes. A Node Readable is one. */
export type ChunkSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | ReadableStream<Uint8Array>;

/** True where content is never sent: to HEAD, and with a status that has none. */
export function isHeadOnly(exchange: Exchange): boolean {
  return exchange.head.method === Method.HEAD || hasNoContent(exchange.status);
}

/** Ends an answer whose content nobody will see at its head: the source may never end. */
export function endedByHead(exchange: Exchange): boolean {
  if (!isHeadOnly(exchange) || exchange.phase !== Phase.Streaming) return false;
  exchange.headOnly = true;
  exchange.transport.endStream(exchange);
  exchange.aborter?.abort(new Error('the answer has no content'));
  return true;
}

/**
 * Sends all of `source`. The head goes out with the first piece, so a source that fails before it
 * still gets an error's answer; one that fails later leaves an answer that the client sees is cut.
 */
export async function pipe(
  exchange: Exchange,
  source: ChunkSource,
  start: () => void,
): Promise<void> {
  try {
    for await (const chunk of source as AsyncIterable<string | Uint8Array>) {
      if (exchange.gone) {
        exchange.transport.countLateWrite();
        return;
      }
      checkContent(chunk);
      if (exchange.phase === Phase.Open) start();
      if (endedByHead(exchange)) return;
      await exchange.transport.write(exchange, chunk);
    }
  } catch (error) {
    if (exchange.gone) return;
    if (exchange.phase === Phase.Streaming) exchange.transport.abandon(exchange);
    throw error;
  }
  if (exchange.gone) return;
  if (exchange.phase === Phase.Open) start();
  if (exchange.phase === Phase.Streaming) exchange.transport.endStream(exchange);
}
