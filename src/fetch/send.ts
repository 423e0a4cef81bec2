// Sends a Response of the Fetch standard: ours, Node's, or one of another implementation.

import { shown } from '../base/shown.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { isHeadOnly, respondConstant, respondFull, startStream } from '../exchange/respond.ts';
import { type ChunkSource, cancelSource } from '../exchange/source.ts';
import { Method } from '../http/method.ts';
import { hasNoContent, isFinalStatus } from '../http/status.ts';
import { addField, addFields } from './fields.ts';
import { sourceOf } from './native.ts';
import { BODY_SENT, type LeanResponseParts, takeLean } from './response.ts';
import { sendStream } from './stream.ts';

const CALL = 'fetchHandler()';

/** What every implementation of Response has. */
interface AnyResponse {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: ChunkSource | null;
  readonly bodyUsed?: boolean;
  readonly type?: string;
  readonly url?: string;
}

/** Responses of Node that were sent without reading their stream. */
const sent = new WeakSet<object>();

/** Throws what is to become a 500. */
export function sendResponse(exchange: Exchange, response: unknown): void | Promise<void> {
  if (typeof response !== 'object' || response === null) throw notResponse(response);
  const lean = takeLean(response);
  if (lean !== null) return sendLean(exchange, lean);
  if (!isResponse(response)) throw notResponse(response);
  if (response.status === 0) {
    throw new TypeError(`${CALL}: given Response.error(), or a response that fetch() hides`);
  }
  if (isUsed(response)) throw new TypeError(`${CALL}: ${BODY_SENT}`);
  exchange.status = response.status;
  // fetch() has decoded the content: what its fields say of it is no longer true.
  const isDecoded = typeof response.url === 'string' && response.url !== '';
  addFields(exchange, response.headers, isDecoded);
  const source = sourceOf(response);
  if (source === null) return sendBody(exchange, response.body);
  sent.add(response);
  respondOwn(exchange, source);
}

function isUsed(response: AnyResponse): boolean {
  const isLocked = (response.body as { readonly locked?: unknown } | null)?.locked === true;
  return isLocked || response.bodyUsed === true || sent.has(response);
}

/** Bytes of a Response are a copy that nothing else reaches. */
function respondOwn(exchange: Exchange, content: string | Uint8Array): void {
  if (typeof content === 'string') respondFull(exchange, content, CALL);
  else respondConstant(exchange, content, CALL);
}

function sendLean(exchange: Exchange, parts: LeanResponseParts): void | Promise<void> {
  const { pairs, headers, type, native, body } = parts;
  exchange.status = parts.status;
  if (headers !== null || pairs === null) addFields(exchange, headers ?? [], false);
  else {
    for (let at = 0; at < pairs.length; at += 2) {
      addField(exchange, pairs[at], pairs[at + 1], isFirst(pairs, at));
    }
    if (type !== null) addField(exchange, 'content-type', type, true);
  }
  if (native !== null) {
    if (headers === null) addFields(exchange, native.headers, false);
    return sendBody(exchange, native.body as ReadableStream<Uint8Array> | null);
  }
  if (body !== null && typeof body === 'object' && 'getReader' in body) {
    return sendBody(exchange, body);
  }
  if (body === null) return sendBody(exchange, null);
  respondOwn(exchange, body);
}

/** Fields of one name are joined, so only the first one replaces what middleware has set. */
function isFirst(pairs: readonly string[], at: number): boolean {
  const name = pairs[at].toLowerCase();
  for (let before = 0; before < at; before += 2) {
    if (pairs[before].toLowerCase() === name) return false;
  }
  return true;
}

function sendBody(exchange: Exchange, body: ChunkSource | null): void | Promise<void> {
  if (body !== null && !isHeadOnly(exchange)) return sendStream(exchange, body, CALL);
  if (body !== null) cancelSource(body);
  const isUnknown = exchange.head.method === Method.HEAD && !hasNoContent(exchange.status);
  if (!isUnknown || exchange.owedBytes >= 0) return respondFull(exchange, null, CALL);
  // The length that a GET would have is not known, and 0 would be wrong.
  if (startStream(exchange, CALL)) exchange.transport.endStream(exchange);
}

function isResponse(value: object): value is AnyResponse {
  const { status, headers, body } = value as Partial<Record<keyof AnyResponse, unknown>>;
  if (typeof status !== 'number' || typeof headers !== 'object' || headers === null) return false;
  const hasPairs = typeof (headers as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
  return hasPairs && typeof body === 'object' && (isFinalStatus(status) || status === 0);
}

function notResponse(value: unknown): TypeError {
  const wanted = 'the function returns a Response, or a promise of one';
  return new TypeError(`${CALL}: ${wanted}, given ${shown(value)}`);
}
