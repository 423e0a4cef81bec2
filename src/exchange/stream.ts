// Streams of the handler: everything a source gives, sent piece by piece with backpressure.

import { Method } from '../http/method.ts';
import { checkContent } from './content.ts';
import type { Exchange } from './exchange.ts';
import { Phase } from './phase.ts';

/** Pieces of content: strings (as UTF-8) or bytes. A Node Readable is one. */
export type ChunkSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | ReadableStream<Uint8Array>;

/** Ends the answer to a HEAD, whose content nobody will see: its source may never end. */
export function endedByHead(exchange: Exchange): boolean {
  if (exchange.head.method !== Method.HEAD || exchange.phase !== Phase.Streaming) return false;
  exchange.headOnly = true;
  exchange.transport.endStream(exchange);
  exchange.aborter?.abort(new Error('a HEAD has no content'));
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
