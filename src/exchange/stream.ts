// Sends all chunks of a source, with backpressure.

import { checkContent, ownContent } from './content.ts';
import type { Exchange } from './exchange.ts';
import { quick } from './late.ts';
import { endIfHeadOnly, startStream } from './respond.ts';
import { type ChunkSource, END, openSource, type Source } from './source.ts';
import { Phase, Writer } from './state.ts';

const SETTLED: Promise<void> = Promise.resolve();

/**
 * Sends all of `source`. The head is sent with the first chunk, so when a source fails before that
 * the client gets an error response; when it fails later the client sees a truncated response. The
 * source is cancelled when the response ends before it does.
 */
export function pipe(exchange: Exchange, source: Source): Promise<void> {
  return pipeChunks(exchange, source, false);
}

/**
 * As pipe(), for chunks in memory that does not change before the source is asked for the next one:
 * they are sent from where they lie.
 */
export function pipeBorrowed(exchange: Exchange, source: ChunkSource): Promise<void> {
  exchange.claimWriter(Writer.Stream);
  return pipeChunks(exchange, openSource(source), true);
}

async function pipeChunks(exchange: Exchange, source: Source, isBorrowed: boolean): Promise<void> {
  try {
    for (;;) {
      const chunk = await nextChunk(exchange, source);
      if (chunk === END) break;
      checkContent(chunk);
      if (!startIfNeeded(exchange)) {
        source.cancel();
        return;
      }
      // A source of empty chunks must not block the event loop.
      if (chunk.length === 0) await quick(exchange, SETTLED);
      else {
        const kept = isBorrowed ? chunk : ownContent(chunk);
        await exchange.transport.write(exchange, kept, isBorrowed);
      }
    }
  } catch (error) {
    source.cancel();
    if (exchange.gone) return;
    if (exchange.phase === Phase.Streaming) exchange.transport.abandon(exchange);
    throw error;
  }
  if (startIfNeeded(exchange)) exchange.transport.endStream(exchange);
}

/** The next chunk; END at the end, and when the response has ended before. */
function nextChunk(exchange: Exchange, source: Source): Promise<unknown> {
  if (exchange.gone || exchange.phase === Phase.Ended) {
    source.cancel();
    return Promise.resolve(END);
  }
  return new Promise((resolve, reject) => {
    exchange.onGone = () => {
      source.cancel();
      resolve(END);
    };
    source.next().then(resolve, reject);
  });
}

/** Sends the head if it was not sent. False when no content follows it. */
function startIfNeeded(exchange: Exchange): boolean {
  if (exchange.gone || exchange.phase === Phase.Ended) return false;
  if (exchange.phase === Phase.Open && !startStream(exchange, 'stream()')) return false;
  return !endIfHeadOnly(exchange);
}
