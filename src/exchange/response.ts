// A response as a handler sees it. It is answered once: a second answer throws, and what is written
// after the client went away is counted and dropped.

import { checkedName, checkValue } from '../http/answer-fields.ts';
import { hasNoContent, isFinalStatus } from '../http/status.ts';
import { checkContent } from './content.ts';
import { EventStream } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import { type FileOptions, sendFile } from './file.ts';
import { checkFraming, checkTrailer } from './framing-fields.ts';
import { type Outgoing, runBeforeSend } from './outgoing.ts';
import { Phase, type Summary } from './phase.ts';
import { type Prepared, spellOut } from './prepared.ts';
import { type ChunkSource, endedByHead, pipe } from './stream.ts';

let attach: (response: Response, exchange: Exchange | null) => void;

/** Makes a response a view of this exchange, or of none. */
export function attachResponse(response: Response, exchange: Exchange | null): void {
  attach(response, exchange);
}

export class Response {
  #exchange: Exchange | null = null;

  static {
    attach = (response, exchange) => {
      response.#exchange = exchange;
    };
  }

  #live(): Exchange {
    const exchange = this.#exchange;
    if (exchange === null || !exchange.live) throw new Error('this response is over: it was sent');
    return exchange;
  }

  /** An exchange whose head is not sent yet. */
  #open(): Exchange {
    const exchange = this.#live();
    if (exchange.phase !== Phase.Open && !exchange.gone) {
      throw new Error('this request was answered already');
    }
    return exchange;
  }

  /** 200 unless set; a final status, 200 to 599. */
  status(code: number): this {
    if (!isFinalStatus(code)) throw new RangeError(`not a final status: ${code}`);
    this.#open().status = code;
    return this;
  }

  get statusCode(): number {
    return this.#live().status;
  }

  /** Sets a field, instead of any of that name. CR, LF and NUL in a value throw. */
  header(name: string, value: string | number): this {
    const exchange = this.#open();
    const lower = checkedName(name);
    if (!framingField(exchange, lower, String(value))) {
      exchange.fields.set(name, lower, String(value));
    }
    return this;
  }

  /** Adds a field line beside those of the same name. */
  appendHeader(name: string, value: string | number): this {
    const exchange = this.#open();
    const lower = checkedName(name);
    checkFraming(lower);
    exchange.fields.append(name, lower, String(value));
    return this;
  }

  /** The value a field has so far, undefined when it has none. */
  getHeader(name: string): string | undefined {
    return this.#live().fields.get(checkedName(name));
  }

  /** True once the head is on its way: status and fields can no longer change. */
  get sent(): boolean {
    return this.#live().phase !== Phase.Open;
  }

  /** Text or bytes, whole. The bytes are not copied: leave them alone afterwards. */
  send(content: string | Uint8Array, type?: string): void {
    const exchange = this.#open();
    checkContent(content);
    setType(exchange, type, typeof content === 'string' ? TEXT : BYTES);
    this.#whole(exchange, content);
  }

  text(content: string): void {
    const exchange = this.#open();
    setType(exchange, undefined, TEXT);
    this.#whole(exchange, textOf(content));
  }

  html(content: string): void {
    const exchange = this.#open();
    setType(exchange, undefined, HTML);
    this.#whole(exchange, textOf(content));
  }

  json(value: unknown): void {
    const exchange = this.#open();
    const content = JSON.stringify(value);
    if (content === undefined) throw new TypeError('json() cannot send undefined or a function');
    setType(exchange, undefined, JSON_TYPE);
    this.#whole(exchange, content);
  }

  /** No content; 204 unless a status is given here or was set. */
  empty(code?: number): void {
    const exchange = this.#open();
    if (code !== undefined) this.status(code);
    else if (exchange.status === 200) exchange.status = 204;
    this.#whole(exchange, null);
  }

  /** 302 unless `code` says otherwise (301, 303, 307, 308). Characters over ASCII are encoded. */
  redirect(location: string, code = 302): void {
    const exchange = this.#open();
    if (!REDIRECTS.includes(code)) throw new RangeError(`not a redirection: ${code}`);
    exchange.status = code;
    exchange.fields.set('Location', 'location', encodeLocation(location));
    this.#whole(exchange, null);
  }

  prepared(prepared: Prepared): void {
    const exchange = this.#open();
    if (exchange.gone) exchange.transport.countLateWrite();
    else if (exchange.beforeSend === null) exchange.transport.sendPrepared(exchange, prepared);
    else {
      spellOut(exchange, prepared);
      this.#whole(exchange, prepared.body);
    }
  }

  /** A file; rejects with HttpError 404 when there is none. Its type follows from its name. */
  async file(path: string, options: FileOptions = {}): Promise<void> {
    await sendFile(this.#open(), path, options);
  }

  /** Everything an iterable or a Readable gives, in bounded memory. */
  async stream(source: ChunkSource): Promise<void> {
    const exchange = this.#open();
    setType(exchange, undefined, BYTES);
    await pipe(exchange, source, () => this.#startStream(exchange));
  }

  /** Sends a piece; resolves when there is room for the next, and the piece may be reused. */
  write(chunk: string | Uint8Array): Promise<void> {
    const exchange = this.#live();
    checkContent(chunk);
    if (exchange.gone) {
      exchange.transport.countLateWrite();
      return Promise.resolve();
    }
    if (exchange.headOnly) return Promise.resolve();
    if (exchange.phase === Phase.Ended) throw new Error('this request was answered already');
    if (exchange.phase === Phase.Open) this.#startStream(exchange);
    if (endedByHead(exchange)) return Promise.resolve();
    return exchange.transport.write(exchange, chunk);
  }

  /** Ends what write() began. */
  end(chunk?: string | Uint8Array): void {
    const exchange = this.#live();
    if (chunk !== undefined) checkContent(chunk);
    if (exchange.gone) {
      exchange.transport.countLateWrite();
      return;
    }
    if (exchange.headOnly) return;
    if (exchange.phase === Phase.Ended) throw new Error('this request was answered already');
    if (exchange.phase === Phase.Open) {
      this.#whole(exchange, chunk ?? null);
      return;
    }
    if (chunk !== undefined) void exchange.transport.write(exchange, chunk);
    exchange.transport.endStream(exchange);
  }

  /** A trailer field of a chunked answer; sent to clients that said `TE: trailers`. */
  trailer(name: string, value: string): this {
    const exchange = this.#live();
    if (exchange.phase === Phase.Ended) throw new Error('this request was answered already');
    const lower = checkedName(name);
    checkTrailer(lower);
    checkValue(name, value);
    exchange.trailers ??= [];
    exchange.trailers.push([name, value]);
    return this;
  }

  /** Begins server-sent events. */
  events(): EventStream {
    const exchange = this.#open();
    exchange.fields.set('Content-Type', 'content-type', 'text/event-stream');
    if (exchange.fields.find('cache-control') < 0) {
      exchange.fields.set('Cache-Control', 'cache-control', 'no-store');
    }
    if (!exchange.gone) this.#startStream(exchange);
    endedByHead(exchange);
    return new EventStream(exchange);
  }

  /** `callback` runs just before the head is sent and may change status, fields and content. */
  beforeSend(callback: (outgoing: Outgoing) => void): this {
    const exchange = this.#open();
    exchange.beforeSend ??= [];
    exchange.beforeSend.push(callback);
    return this;
  }

  /** `callback` runs once the answer was handed over whole, or given up. */
  afterSend(callback: (summary: Summary) => void): this {
    const exchange = this.#live();
    exchange.afterSend ??= [];
    exchange.afterSend.push(callback);
    return this;
  }

  #whole(exchange: Exchange, content: string | Uint8Array | null): void {
    if (exchange.gone) {
      exchange.transport.countLateWrite();
      return;
    }
    const sent = exchange.beforeSend === null ? content : runBeforeSend(exchange, content, false);
    if (exchange.phase !== Phase.Open) throw new Error('this request was answered already');
    if (sent !== null) checkContent(sent);
    if (hasNoContent(exchange.status) && sent !== null && sent.length > 0) {
      throw new TypeError(`an answer with status ${exchange.status} has no content`);
    }
    if (exchange.owedBytes >= 0) checkDeclared(exchange, sent);
    exchange.transport.sendWhole(exchange, sent);
  }

  #startStream(exchange: Exchange): void {
    runBeforeSend(exchange, null, true);
    if (exchange.phase !== Phase.Open) throw new Error('this request was answered already');
    exchange.transport.startStream(exchange, exchange.owedBytes);
  }
}

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES = 'application/octet-stream';
const REDIRECTS = [301, 302, 303, 307, 308];

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  throw new TypeError('text() and html() take a string');
}

function setType(exchange: Exchange, type: string | undefined, fallback: string): void {
  if (type !== undefined) exchange.fields.set('Content-Type', 'content-type', type);
  else if (exchange.fields.find('content-type') < 0) {
    exchange.fields.setKnown('Content-Type', 'content-type', fallback);
  }
}

/**
 * Takes the two fields of framing that a handler may decide: `Connection: close`, and the length of
 * a stream. True when it did; other fields of framing throw.
 */
function framingField(exchange: Exchange, lowerName: string, value: string): boolean {
  if (lowerName === 'connection' && value.toLowerCase() === 'close') {
    exchange.close = true;
    return true;
  }
  if (lowerName === 'connection' && value.toLowerCase() === 'keep-alive') return true;
  if (lowerName === 'content-length') {
    if (!/^\d{1,15}$/.test(value)) throw new TypeError(`not a length: ${JSON.stringify(value)}`);
    exchange.owedBytes = Number(value);
    return true;
  }
  checkFraming(lowerName);
  return false;
}

/** A declared Content-Length must be true, except where the answer has no content anyway. */
function checkDeclared(exchange: Exchange, content: string | Uint8Array | null): void {
  const actual =
    content === null
      ? 0
      : typeof content === 'string'
        ? Buffer.byteLength(content)
        : content.length;
  const isHead = exchange.methodName() === 'HEAD';
  const isOmitted = isHead || hasNoContent(exchange.status);
  if (actual === exchange.owedBytes || (isOmitted && actual === 0)) return;
  const declared = exchange.owedBytes;
  throw new TypeError(`Content-Length is ${declared}, the content has ${actual} bytes`);
}

/** Percent-encodes what cannot stand in a field value; what is encoded already stays. */
function encodeLocation(location: string): string {
  return location.replace(/[^\x21-\x7e]+/g, (text) =>
    [...Buffer.from(text)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
