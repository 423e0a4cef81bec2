// Hot: runs for every response. Measured by perf/micro/encode.ts.
// Encodes responses into the send queue: full, prepared, or streamed in chunks. It decides the
// framing (RFC 9112 section 6); the connection decides when to send.

import { CHARACTER_BYTES_MAX, copyBytes, isAscii, writeAscii, writeHex } from '../base/bytes.ts';
import type { Content } from '../exchange/content.ts';
import { INLINE_BYTES } from '../exchange/content.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type Prepared, partsOf } from '../exchange/prepared.ts';
import { applyPrepared, isHeadOnly } from '../exchange/respond.ts';
import { DateField } from '../http/date.ts';
import {
  ConnectionField,
  encodeHead,
  headBytesBound,
  LENGTH_CHUNKED,
  LENGTH_NONE,
  writeField,
  writeLineEnd,
} from '../http/encode.ts';
import { Method } from '../http/method.ts';
import { hasNoContent, hasNoLength } from '../http/status.ts';
import { asciiBytes } from '../http/text.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import type { Region, Regions } from '../reactor/regions.ts';
import {
  type CachedHead,
  connectionFieldOf,
  noteText,
  ResponseCache,
  writeCached,
} from './response-cache.ts';
import type { SendQueue } from './send-queue.ts';

/** Longer text is not in the cache: to compare it takes as long as to write it. */
const CACHED_CHARACTERS = 256;

/** Chunk size in hexadecimal and two line ends. */
const CHUNK_OVERHEAD_BYTES = 24;

const CONTINUE = asciiBytes('HTTP/1.1 100 Continue\r\n\r\n');
const LAST_CHUNK = asciiBytes('0\r\n');
const NO_BYTES = new Uint8Array(0);

export class ResponseWriter {
  readonly #regions: Regions;
  readonly #date: DateField = new DateField();
  readonly #cache: ResponseCache = new ResponseCache();
  /** All of the slab, as the target of the encoders. */
  readonly #memory: Uint8Array;
  /** The same, for text. */
  readonly #buffer: Buffer;

  constructor(regions: Regions, slabBytes: Uint8Array) {
    this.#regions = regions;
    const { buffer, byteOffset, byteLength } = slabBytes;
    this.#memory = slabBytes;
    this.#buffer = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Queues a full response; `wallMs` is for its Date. */
  full(sendQueue: SendQueue, exchange: Exchange, content: Content, wallMs: number): void {
    if (typeof content === 'string' && content.length <= INLINE_BYTES) {
      if (this.#asciiText(sendQueue, exchange, content, wallMs)) return;
    }
    const bytes = content === null ? NO_BYTES : toBytes(content);
    const length = bodyLength(exchange, bytes.length);
    const sent = isHeadOnly(exchange) ? 0 : bytes.length;
    exchange.contentBytes = sent;
    const inline = sent <= INLINE_BYTES ? sent : 0;
    const at = this.#head(sendQueue, exchange, length, inline, wallMs);
    if (inline > 0 && at >= 0) sendQueue.commit(copyBytes(this.#memory, at, bytes));
    // The handler may change the memory of short content, so it is copied.
    else if (sent > 0) this.#attach(sendQueue, inline > 0 ? new Uint8Array(bytes) : bytes);
  }

  /** The common response: ASCII characters. False, and nothing is queued, for others. */
  #asciiText(sendQueue: SendQueue, exchange: Exchange, text: string, wallMs: number): boolean {
    const omitted = isHeadOnly(exchange);
    const isShort = text.length <= CACHED_CHARACTERS;
    if (omitted && !(isShort && isAscii(text))) return false;
    const bound = headBytesBound(exchange.fields) + text.length + CHARACTER_BYTES_MAX;
    const at = sendQueue.reserve(bound);
    if (at < 0) return false;
    const cached = this.#cache.find(exchange, wallMs);
    if (cached !== null && isShort && !omitted && exchange.owedBytes < 0) {
      if (cached.full !== null && cached.text === text) {
        exchange.contentBytes = text.length;
        sendQueue.commit(copyBytes(this.#memory, at, cached.full));
        return true;
      }
    }
    const length = bodyLength(exchange, text.length);
    let end = this.#encodeWith(cached, this.#memory, at, exchange, length, wallMs);
    if (!omitted) {
      end = writeAscii(this.#buffer, end, text);
      if (end < 0) return false;
      exchange.contentBytes = text.length;
      if (cached !== null && isShort && length >= 0) noteText(cached, text, this.#memory, at, end);
    }
    sendQueue.commit(end);
    return true;
  }

  /**
   * Queues a head with room for `inline` bytes after it. Returns where they can be written, -1 when
   * the head is in memory of its own.
   */
  #head(
    sendQueue: SendQueue,
    exchange: Exchange,
    length: number,
    inline: number,
    wallMs: number,
  ): number {
    const bound = headBytesBound(exchange.fields);
    const at = sendQueue.reserve(bound + inline);
    if (at >= 0) {
      const end = this.#encode(this.#memory, at, exchange, length, wallMs);
      sendQueue.commit(end);
      return end;
    }
    // Fields larger than a block, or no block free: memory of its own.
    const own = new Uint8Array(bound);
    const end = this.#encode(own, 0, exchange, length, wallMs);
    this.#attach(sendQueue, own.subarray(0, end));
    return -1;
  }

  #encode(
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    length: number,
    wallMs: number,
  ): number {
    const cached = length < 0 ? null : this.#cache.find(exchange, wallMs);
    return this.#encodeWith(cached, target, at, exchange, length, wallMs);
  }

  #encodeWith(
    cached: CachedHead | null,
    target: Uint8Array,
    at: number,
    exchange: Exchange,
    length: number,
    wallMs: number,
  ): number {
    if (cached !== null && length >= 0) return writeCached(target, at, cached, length);
    this.#date.update(wallMs);
    const { status, fields } = exchange;
    return encodeHead(
      target,
      at,
      status,
      fields,
      this.#date.bytes,
      length,
      connectionFieldOf(exchange),
    );
  }

  #attach(sendQueue: SendQueue, bytes: Uint8Array): void {
    sendQueue.attach(this.#regions.map(bytes), 0, bytes.length);
  }

  /** Queues a prepared response: its bytes with the Date, or, with other fields, as a full one. */
  prepared(sendQueue: SendQueue, exchange: Exchange, prepared: Prepared, wallMs: number): void {
    const plain =
      connectionFieldOf(exchange) === ConnectionField.None && exchange.fields.count === 0;
    const omitted = exchange.head.method === Method.HEAD;
    const { bytes, content, headBytes, dateAt } = partsOf(prepared);
    const at = plain && !omitted ? sendQueue.reserve(bytes.length) : -1;
    if (at < 0) {
      applyPrepared(exchange, prepared);
      this.full(sendQueue, exchange, content, wallMs);
      return;
    }
    this.#date.update(wallMs);
    exchange.status = prepared.status;
    exchange.contentBytes = content.length;
    sendQueue.commit(copyBytes(this.#memory, at, bytes));
    if (dateAt >= 0) copyBytes(this.#memory, at + dateAt, this.#date.bytes);
    if (bytes.length < headBytes + content.length) {
      sendQueue.attach(this.#regions.mapConstant(content), 0, content.length);
    }
  }

  /**
   * Queues a response whose content is a file, from its prepared head. False, and nothing is
   * queued, where the head has other fields, or the driver cannot send from files.
   */
  preparedFile(
    sendQueue: SendQueue,
    exchange: Exchange,
    prepared: Prepared,
    owner: FileOwner,
    wallMs: number,
  ): boolean {
    if (connectionFieldOf(exchange) !== ConnectionField.None || exchange.fields.count > 0) {
      return false;
    }
    const { bytes, headBytes, dateAt, fileBytes } = partsOf(prepared);
    const at = sendQueue.reserve(headBytes);
    const region = at < 0 ? null : this.#regions.mapFile(owner.file, owner);
    if (region === null) return false;
    this.#date.update(wallMs);
    exchange.status = prepared.status;
    exchange.contentBytes = fileBytes;
    sendQueue.commit(copyBytes(this.#memory, at, bytes));
    if (dateAt >= 0) copyBytes(this.#memory, at + dateAt, this.#date.bytes);
    sendQueue.attach(region, 0, fileBytes);
    return true;
  }

  /** Memory to send from that does not change. */
  map(bytes: Uint8Array): Region {
    return this.#regions.map(bytes);
  }

  /** Queues the head of a stream; `length` -1 is not known. */
  start(sendQueue: SendQueue, exchange: Exchange, length: number, wallMs: number): void {
    const omitted = hasNoContent(exchange.status);
    // A status without content owes nothing, whatever length was declared.
    exchange.owedBytes = omitted ? 0 : length;
    exchange.chunked = length < 0 && exchange.head.minor === 1 && !omitted;
    // Without chunks only the end of the connection ends the content (RFC 9112 6.3, rule 8).
    if (length < 0 && !exchange.chunked && !omitted) exchange.disableKeepAlive();
    const trailers = exchange.chunked ? trailersOf(exchange) : null;
    if (trailers !== null) {
      // RFC 9110 6.6.2; those that the handler adds later are sent without.
      const names = trailers.map(([name]) => name).join(', ');
      exchange.fields.setKnown('Trailer', 'trailer', names);
    }
    const framing = exchange.chunked ? LENGTH_CHUNKED : length >= 0 ? length : LENGTH_NONE;
    this.#head(sendQueue, exchange, bodyLength(exchange, framing), 0, wallMs);
  }

  /**
   * Queues a chunk of a stream. Its memory must not change before `sentTotal` of the queue reaches
   * the returned number; 0 when the bytes were copied.
   */
  chunk(sendQueue: SendQueue, exchange: Exchange, chunk: string | Uint8Array): number {
    const bytes = toBytes(chunk);
    if (bytes.length === 0 || isHeadOnly(exchange)) return 0;
    exchange.contentBytes += bytes.length;
    if (exchange.owedBytes >= 0) exchange.owedBytes -= bytes.length;
    const inline = bytes.length <= INLINE_BYTES;
    const at = sendQueue.reserve((inline ? bytes.length : 0) + CHUNK_OVERHEAD_BYTES);
    if (at < 0) {
      this.#attach(sendQueue, exchange.chunked ? framed(bytes) : new Uint8Array(bytes));
      return 0;
    }
    let end = at;
    if (exchange.chunked)
      end = writeLineEnd(this.#memory, writeHex(this.#memory, end, bytes.length));
    if (inline) {
      end = copyBytes(this.#memory, end, bytes);
      if (exchange.chunked) end = writeLineEnd(this.#memory, end);
      sendQueue.commit(end);
      return 0;
    }
    sendQueue.commit(end);
    this.#attach(sendQueue, bytes);
    const target = sendQueue.queuedTotal;
    if (exchange.chunked) this.#raw(sendQueue, LINE_END);
    return target;
  }

  /** Queues bytes [from, to) of a file; false when the driver cannot send from files. */
  file(sendQueue: SendQueue, exchange: Exchange, file: number, from: number, to: number): boolean {
    const region = this.#regions.mapFile(file, null);
    if (region === null) return false;
    exchange.contentBytes += to - from;
    exchange.owedBytes -= to - from;
    sendQueue.attach(region, from, to);
    return true;
  }

  /** Only the first `sent` of the bytes that file() queued were sent. */
  fileSent(exchange: Exchange, queued: number, sent: number): void {
    exchange.contentBytes -= queued - sent;
    exchange.owedBytes += queued - sent;
  }

  /** Queues the end of a chunked stream. */
  end(sendQueue: SendQueue, exchange: Exchange): void {
    if (!exchange.chunked || isHeadOnly(exchange)) return;
    const trailers = trailersOf(exchange);
    if (trailers === null) {
      this.#raw(sendQueue, END);
      return;
    }
    let bound = LAST_CHUNK.length + 2;
    for (const [name, value] of trailers) bound += name.length + value.length + 4;
    const own = new Uint8Array(bound);
    let end = copyBytes(own, 0, LAST_CHUNK);
    for (const [name, value] of trailers) end = writeField(own, end, name, value);
    this.#raw(sendQueue, own.subarray(0, writeLineEnd(own, end)));
  }

  /** Queues the interim response 100 (Continue) (RFC 9110 10.1.1). */
  continue(sendQueue: SendQueue): void {
    this.#raw(sendQueue, CONTINUE);
  }

  #raw(sendQueue: SendQueue, bytes: Uint8Array): void {
    const at = sendQueue.reserve(bytes.length);
    if (at < 0) this.#attach(sendQueue, bytes);
    else sendQueue.commit(copyBytes(this.#memory, at, bytes));
  }
}

const LINE_END = asciiBytes('\r\n');
const END = asciiBytes('0\r\n\r\n');

/** Those that are sent. */
function trailersOf({
  framing,
  trailers,
}: Exchange): readonly (readonly [string, string])[] | null {
  return framing.trailersAccepted ? trailers : null;
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
}

/** One chunk with its chunk-size line and line end, in memory of its own. */
function framed(bytes: Uint8Array): Uint8Array {
  const own = new Uint8Array(bytes.length + CHUNK_OVERHEAD_BYTES);
  let end = writeLineEnd(own, writeHex(own, 0, bytes.length));
  own.set(bytes, end);
  end = writeLineEnd(own, end + bytes.length);
  return own.subarray(0, end);
}

/** The length that the head declares (RFC 9110 8.6). */
function bodyLength(exchange: Exchange, length: number): number {
  const { status } = exchange;
  if (hasNoLength(status)) return LENGTH_NONE;
  if (hasNoContent(status)) return 0;
  // A handler for HEAD may declare the length of the response to GET.
  if (length === 0 && exchange.owedBytes > 0) return exchange.owedBytes;
  return length;
}
