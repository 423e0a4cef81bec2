// The body of an injected request, and how it is sent: no faster than the server reads it.

import { shown } from '../../base/shown.ts';
import type { MemoryClient } from '../../driver/memory/socket.ts';
import { type ChunkSource, END, openSource, type Source } from '../../exchange/source.ts';
import type { InjectBody, InjectOptions } from './options.ts';

export interface RequestContent {
  /** -1 when it is not known: the body is chunked. Null without a body. */
  readonly length: number | null;
  readonly type: string | null;
  /** All of the content, or its source. */
  readonly bytes: Uint8Array;
  readonly source: Source | null;
}

const NO_BYTES = new Uint8Array(0);
const NO_CONTENT: RequestContent = { length: null, type: null, bytes: NO_BYTES, source: null };
const TEXT_TYPE = 'text/plain;charset=UTF-8';
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** The content of the options. Rejects with a TypeError for what cannot be sent. */
export async function contentOf({ body, json }: InjectOptions): Promise<RequestContent> {
  if (json !== undefined) {
    const text = JSON.stringify(json);
    if (text === undefined) throw new TypeError('inject(): json cannot be undefined or a function');
    return wholeContent(Buffer.from(text), 'application/json');
  }
  if (body === undefined || body === null) return NO_CONTENT;
  if (typeof body === 'string') return wholeContent(Buffer.from(body), TEXT_TYPE);
  if (body instanceof Uint8Array) return wholeContent(new Uint8Array(body), null);
  if (body instanceof ArrayBuffer) return wholeContent(new Uint8Array(body.slice(0)), null);
  if (isEncoded(body)) {
    const encoded = new Response(body);
    const bytes = new Uint8Array(await encoded.arrayBuffer());
    return wholeContent(bytes, encoded.headers.get('content-type'));
  }
  return { length: -1, type: null, bytes: NO_BYTES, source: sourceOf(body) };
}

/** The content as it arrives. */
function sourceOf(body: ChunkSource): Source {
  const source = Object(body) as object;
  const isSource = [Symbol.asyncIterator, Symbol.iterator, 'getReader'].some(
    (key) => key in source,
  );
  if (isSource) return openSource(body);
  const message = 'inject(): body is text, bytes, a form or a stream';
  throw new TypeError(`${message}, given ${shown(body)}; json takes other values`);
}

function wholeContent(bytes: Uint8Array, type: string | null): RequestContent {
  return { length: bytes.length, type, bytes, source: null };
}

/** What the Fetch standard turns into bytes with a type. */
function isEncoded(body: InjectBody): body is URLSearchParams | FormData | Blob {
  const isForm = body instanceof URLSearchParams || body instanceof FormData;
  return isForm || body instanceof Blob;
}

/** The most bytes written at once: what the pipe to the server holds. */
const PART_BYTES = 64 * 1024;

/** Sends the content; ends early when the server takes no more. */
export async function sendContent(client: MemoryClient, content: RequestContent): Promise<void> {
  const { bytes, source } = content;
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    if (!(await hasRoom(client))) return;
    client.write(bytes.subarray(at, at + PART_BYTES));
  }
  if (source === null) return;
  for (;;) {
    if (!(await hasRoom(client))) {
      source.cancel();
      return;
    }
    const chunk = await source.next();
    if (chunk === END) break;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      source.cancel();
      throw new TypeError('inject(): a body yields strings or bytes (a Uint8Array)');
    }
    writeChunk(client, Buffer.from(chunk as string));
  }
  client.write(LAST_CHUNK);
}

/** An empty chunk would be the last one. */
function writeChunk(client: MemoryClient, chunk: Buffer): void {
  if (chunk.length === 0) return;
  const size = Buffer.from(`${chunk.length.toString(16)}\r\n`);
  client.write(Buffer.concat([size, chunk, Buffer.from('\r\n')]));
}

/** False when nothing more reaches the server. */
async function hasRoom(client: MemoryClient): Promise<boolean> {
  while (!client.hasRoom && client.isOpen) await client.changed();
  return client.isOpen;
}
