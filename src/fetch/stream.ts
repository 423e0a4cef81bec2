// Sends a Response whose content is a stream. A stream that ends at once is sent with its length.
// Otherwise the head is sent without waiting for the first chunk: the client of server-sent events
// waits for it.

import type { Exchange } from '../exchange/exchange.ts';
import { asPart } from '../exchange/parts.ts';
import { respondFull, startStream } from '../exchange/respond.ts';
import { type ChunkSource, END, openSource, type Source } from '../exchange/source.ts';
import { Writer } from '../exchange/state.ts';
import { pipe } from '../exchange/stream.ts';

/**
 * How many microtasks a stream has for what it has ready. Node's stream of a text needs 5 for the
 * chunk, and fewer for the end.
 */
const READY_MICROTASKS = 12;

export function sendStream(exchange: Exchange, stream: ChunkSource, call: string): Promise<void> {
  const source = openSource(stream);
  exchange.claimWriter(Writer.Stream);
  return asPart(exchange, send(exchange, source, call));
}

async function send(exchange: Exchange, source: Source, call: string): Promise<void> {
  const first = source.next();
  const early = await ready(first);
  const second = early === null || early.value === END ? null : source.next();
  const later = second === null ? early : await ready(second);
  if (later?.value === END) {
    const content = early?.value === END ? null : (early?.value as Uint8Array);
    respondFull(exchange, content, call);
    return;
  }
  const waiting = second === null ? [first] : [first, second];
  const rest: Source = {
    next: () => waiting.shift() ?? source.next(),
    cancel: () => source.cancel(),
  };
  let isStarted = false;
  try {
    isStarted = !exchange.gone && startStream(exchange, call);
  } finally {
    // Also when a callback before the head throws.
    if (!isStarted) source.cancel();
  }
  if (!isStarted) return;
  await pipe(exchange, rest);
}

/** What a promise resolves with if that takes microtasks only; null when it takes longer. */
async function ready(promise: Promise<unknown>): Promise<{ readonly value: unknown } | null> {
  let result: { readonly value: unknown } | null = null;
  let failure: { readonly error: unknown } | null = null;
  promise.then(
    (value) => {
      result = { value };
    },
    (error: unknown) => {
      failure = { error };
    },
  );
  for (let count = 0; count < READY_MICROTASKS; count++) {
    if (result !== null || failure !== null) break;
    await null;
  }
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
  return result;
}
