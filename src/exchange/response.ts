// The handle of a response. One call sends it, at once or in steps. A call that comes too late has
// no effect (late.ts). Wrong arguments throw.

import { assert } from '../base/assert.ts';
import { RESPONSE_FIELD_BYTES_MAX, RESPONSE_FIELDS_MAX } from '../base/fixed-limits.ts';
import { shown } from '../base/shown.ts';
import { isEntityTag } from '../http/entity-tag.ts';
import { checkedName, checkValue, fieldText } from '../http/response-fields.ts';
import { checkStatus } from '../http/status.ts';
import type { Outgoing, Summary } from './callbacks.ts';
import { checkContent, jsonText, ownContent } from './content.ts';
import { applyFraming } from './declared-framing.ts';
import { checkEventOptions, EventStream, type EventStreamOptions } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import { type FileOptions, sendFile } from './file.ts';
import { checkFraming, checkTrailer } from './framing-fields.ts';
import { latePause, noteLate } from './late.ts';
import { checkRedirect, encodeLocation } from './location.ts';
import { asPart } from './parts.ts';
import { type Prepared, partsOf } from './prepared.ts';
import { PROBLEM_TYPE, type Problem, problemText } from './problem.ts';
import {
  applyPrepared,
  endIfHeadOnly,
  isUnsent,
  respondConstant,
  respondFull,
  startStream,
} from './respond.ts';
import {
  addSetCookie,
  type ClearCookieOptions,
  type CookieOptions,
  clearCookieText,
  setCookieText,
} from './set-cookie.ts';
import { type ChunkSource, cancelSource, openSource } from './source.ts';
import { EtagUse, Phase, Writer } from './state.ts';
import { pipe } from './stream.ts';

/** The response to one request, as a handler sees it. It is sent by one call. */
export class Response {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  // Private methods are static: others take 8 bytes of each object.
  static #isOver(response: Response): boolean {
    return response.#exchange.identity !== response;
  }

  /** The exchange, for a call before the head is sent; else null, and the call is reported. */
  static #open(response: Response, call: string): Exchange | null {
    const exchange = response.#exchange;
    if (exchange.phase === Phase.Open && !exchange.gone && exchange.identity === response) {
      // Its content is being compressed: the call that sends was made.
      if (exchange.writer !== Writer.Full) return exchange;
    }
    // That the client has left matters only to calls that send.
    const isOver = Response.#isOver(response);
    if (isOver || !exchange.gone) noteLate(exchange, call, isOver);
    return null;
  }

  /** As #open(), for a call that sends: no other call may be sending. */
  static #unsent(response: Response, call: string): Exchange | null {
    const exchange = response.#exchange;
    if (isUnsent(exchange) && exchange.identity === response) return exchange;
    noteLate(exchange, call, Response.#isOver(response));
    return null;
  }

  /** The exchange, for a call that reads; throws when the request is over. */
  static #readable(response: Response): Exchange {
    if (!Response.#isOver(response)) return response.#exchange;
    throw new Error('this response is over: it was sent, and its head was released');
  }

  /** 200 unless set; a final status, 200 to 599. */
  status(code: number): this {
    checkStatus('status()', code);
    const exchange = Response.#open(this, 'status()');
    if (exchange !== null) exchange.status = code;
    return this;
  }

  /** The status that is set; 200 unless it was changed. */
  get statusCode(): number {
    return Response.#readable(this).status;
  }

  /** Sets a field, instead of any of that name. CR, LF and NUL in a value throw. */
  header(name: string, value: string | number): this {
    const lower = checkedName(name);
    const text = fieldText(value);
    const exchange = Response.#open(this, 'header()');
    if (exchange === null || applyFraming(exchange, lower, text)) return this;
    exchange.fields.set(name, lower, text);
    return this;
  }

  /** Adds a field line to those of the same name. */
  appendHeader(name: string, value: string | number): this {
    const lower = checkedName(name);
    const text = fieldText(value);
    checkFraming(lower);
    Response.#open(this, 'appendHeader()')?.fields.append(name, lower, text);
    return this;
  }

  /**
   * Sets a cookie. Characters that a value cannot contain are percent-encoded, and decoded by
   * `req.cookies`. Throws for what browsers ignore, such as a `__Host-` cookie that is not secure.
   */
  cookie(name: string, value: string, options: CookieOptions = {}): this {
    const text = setCookieText(name, value, options);
    const exchange = Response.#open(this, 'cookie()');
    if (exchange !== null) addSetCookie(exchange.fields, text);
    return this;
  }

  /** Removes a cookie from the browser: with the path and domain with which it was set. */
  clearCookie(name: string, options: ClearCookieOptions = {}): this {
    const text = clearCookieText(name, options);
    const exchange = Response.#open(this, 'clearCookie()');
    if (exchange !== null) addSetCookie(exchange.fields, text);
    return this;
  }

  /**
   * Checks preconditions when a full response with status 200 to GET or HEAD is sent: the client
   * gets 304 for the version that it has, 412 when it wants another one. `tag` is a version, with
   * its quotes (`"v7"`, `W/"v7"`); without it a strong one is computed from the content.
   */
  etag(tag?: string): this {
    if (tag !== undefined && !(typeof tag === 'string' && isEntityTag(tag))) {
      throw new TypeError(`etag(): a tag is text in quotes, as '"v7"' or 'W/"v7"'`);
    }
    const exchange = Response.#open(this, 'etag()');
    if (exchange === null) return this;
    if (tag === undefined) exchange.fields.remove('etag');
    else exchange.fields.set('ETag', 'etag', tag);
    exchange.useEtag(tag === undefined ? EtagUse.Computed : EtagUse.Given);
    return this;
  }

  /** The value of a field, undefined when it is not set. */
  getHeader(name: string): string | undefined {
    return Response.#readable(this).fields.get(checkedName(name));
  }

  /** True once the head was sent: status and fields can no longer change. */
  get sent(): boolean {
    if (this.#exchange.writer === Writer.Full) return true;
    return Response.#isOver(this) || this.#exchange.phase !== Phase.Open;
  }

  /** True once nothing more can reach the client: the response has ended, or the client left. */
  get closed(): boolean {
    return Response.#isOver(this) || this.#exchange.phase === Phase.Ended || this.#exchange.gone;
  }

  /** Sends text or bytes. */
  send(content: string | Uint8Array, type?: string): void {
    checkContent(content);
    const exchange = Response.#unsent(this, 'send()');
    if (exchange === null) return;
    setType(exchange, type, typeof content === 'string' ? TEXT : BYTES);
    respondFull(exchange, content, 'send()');
  }

  /** Sends text as text/plain in UTF-8. */
  text(content: string): void {
    checkText(content);
    const exchange = Response.#unsent(this, 'text()');
    if (exchange === null) return;
    setType(exchange, undefined, TEXT);
    respondFull(exchange, content, 'text()');
  }

  /** Sends text as text/html in UTF-8. Nothing in it is escaped. */
  html(content: string): void {
    checkText(content);
    const exchange = Response.#unsent(this, 'html()');
    if (exchange === null) return;
    setType(exchange, undefined, HTML);
    respondFull(exchange, content, 'html()');
  }

  /** Sends what JSON.stringify() makes of a value. Throws a TypeError where it makes nothing. */
  json(value: unknown): void {
    const content = jsonText(value);
    const exchange = Response.#unsent(this, 'json()');
    if (exchange === null) return;
    setType(exchange, undefined, JSON_TYPE);
    respondFull(exchange, content, 'json()');
  }

  /** Sends problem details (RFC 9457). The status is the problem's, or was set, or is 500. */
  problem(problem: Problem = {}): void {
    const exchange = Response.#unsent(this, 'problem()');
    const given = exchange === null || exchange.status < 400 ? 500 : exchange.status;
    const status = problem.status ?? given;
    const content = problemText(status, problem);
    if (exchange === null) return;
    exchange.status = status;
    exchange.fields.set('Content-Type', 'content-type', PROBLEM_TYPE);
    respondFull(exchange, content, 'problem()');
  }

  /** Sends no content; 204 unless a status is given here or was set. */
  empty(code?: number): void {
    if (code !== undefined) checkStatus('empty()', code);
    const exchange = Response.#unsent(this, 'empty()');
    if (exchange === null) return;
    if (code !== undefined) exchange.status = code;
    else if (exchange.status === 200) exchange.status = 204;
    respondFull(exchange, null, 'empty()');
  }

  /**
   * 302 unless `code` says otherwise (301, 303, 307, 308). Spaces, control and non-ASCII characters
   * are percent-encoded.
   */
  redirect(location: string, code = 302): void {
    checkRedirect(code);
    const encoded = encodeLocation(location);
    const exchange = Response.#unsent(this, 'redirect()');
    if (exchange === null) return;
    exchange.status = code;
    exchange.fields.set('Location', 'location', encoded);
    respondFull(exchange, null, 'redirect()');
  }

  /** Sends a response that prepare() has made: the fastest way. */
  prepared(prepared: Prepared): void {
    const exchange = Response.#unsent(this, 'prepared()');
    if (exchange === null) return;
    const { beforeSend, coder, etagUse } = exchange;
    if (beforeSend === null && coder === null && etagUse === EtagUse.None) {
      exchange.transport.sendPrepared(exchange, prepared);
    } else {
      applyPrepared(exchange, prepared);
      respondConstant(exchange, partsOf(prepared).content, 'prepared()');
    }
  }

  /** A file; rejects with HttpError 404 when there is none. Its type follows from its name. */
  file(path: string, options: FileOptions = {}): Promise<void> {
    const exchange = Response.#unsent(this, 'file()');
    if (exchange === null) return latePause(this.#exchange, Response.#isOver(this));
    exchange.claimWriter(Writer.File);
    return asPart(exchange, sendFile(exchange, path, options));
  }

  /** Sends all chunks of an iterable or a Readable, in bounded memory. */
  stream(source: ChunkSource): Promise<void> {
    if (!isUnsent(this.#exchange) || Response.#isOver(this)) cancelSource(source);
    const exchange = Response.#unsent(this, 'stream()');
    if (exchange === null) return latePause(this.#exchange, Response.#isOver(this));
    const opened = openSource(source);
    setType(exchange, undefined, BYTES);
    exchange.claimWriter(Writer.Stream);
    return asPart(exchange, pipe(exchange, opened));
  }

  /** Sends a chunk; resolves when there is room for the next. */
  write(chunk: string | Uint8Array): Promise<void> {
    checkContent(chunk);
    const exchange = this.#exchange;
    if (!Response.#mayWrite(this, 'write()') || endIfHeadOnly(exchange)) {
      return latePause(exchange, Response.#isOver(this));
    }
    return exchange.transport.write(exchange, ownContent(chunk), false);
  }

  /** Ends what write() began; without write(), sends the full response. */
  end(chunk?: string | Uint8Array): void {
    if (chunk !== undefined) checkContent(chunk);
    const exchange = this.#exchange;
    if (exchange.phase === Phase.Open && exchange.writer === Writer.None) {
      if (Response.#unsent(this, 'end()') !== null) respondFull(exchange, chunk ?? null, 'end()');
      return;
    }
    if (!Response.#mayWrite(this, 'end()')) return;
    if (chunk !== undefined) void exchange.transport.write(exchange, ownContent(chunk), false);
    // A chunk beyond Content-Length has reset the connection.
    if (!exchange.gone) exchange.transport.endStream(exchange);
  }

  /** True when a chunk can be sent; the first one starts the stream. */
  static #mayWrite(response: Response, call: string): boolean {
    const exchange = response.#exchange;
    const isOurs = exchange.identity === response && !exchange.gone;
    if (isOurs && exchange.writer === Writer.Chunks && exchange.phase === Phase.Streaming) {
      return true;
    }
    if (isOurs && exchange.writer === Writer.None && exchange.phase === Phase.Open) {
      if (!startStream(exchange, call)) return false;
      exchange.claimWriter(Writer.Chunks);
      return true;
    }
    noteLate(exchange, call, Response.#isOver(response));
    return false;
  }

  /** A trailer field of a chunked response; sent to clients that said `TE: trailers`. */
  trailer(name: string, value: string): this {
    const lower = checkedName(name);
    checkTrailer(lower);
    checkValue(name, value);
    const exchange = this.#exchange;
    if (this.closed) {
      noteLate(exchange, 'trailer()', Response.#isOver(this));
      return this;
    }
    exchange.trailers ??= [];
    checkRoom(exchange.trailers, name.length + value.length);
    exchange.trailers.push([name, value]);
    return this;
  }

  /** Begins server-sent events. */
  events(options: EventStreamOptions = {}): EventStream {
    checkEventOptions(options);
    const exchange = Response.#unsent(this, 'events()');
    if (exchange === null) return new EventStream(this.#exchange, false, options);
    exchange.fields.set('Content-Type', 'content-type', 'text/event-stream');
    if (exchange.fields.find('cache-control') < 0) {
      exchange.fields.set('Cache-Control', 'cache-control', 'no-store');
    }
    exchange.retain();
    const isStarted = startStream(exchange, 'events()');
    if (isStarted) exchange.claimWriter(Writer.Events);
    return new EventStream(exchange, isStarted && !endIfHeadOnly(exchange), options);
  }

  /** `callback` runs just before the head is sent and may change status, fields and content. */
  beforeSend(callback: (outgoing: Outgoing) => void): this {
    checkCallback(callback);
    const exchange = Response.#open(this, 'beforeSend()');
    if (exchange === null) return this;
    exchange.beforeSend ??= [];
    exchange.beforeSend.push(callback);
    return this;
  }

  /** `callback` runs when the kernel has taken all of the response, or it was truncated. */
  afterSend(callback: (summary: Summary) => void): this {
    checkCallback(callback);
    const exchange = this.#exchange;
    if (this.closed) {
      noteLate(exchange, 'afterSend()', Response.#isOver(this));
      return this;
    }
    exchange.afterSend ??= [];
    exchange.afterSend.push(callback);
    return this;
  }
}

const TEXT = 'text/plain; charset=utf-8';
const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const BYTES = 'application/octet-stream';

function checkText(content: unknown): asserts content is string {
  if (typeof content === 'string') return;
  throw new TypeError(`text() and html() take a string, given ${shown(content)}`);
}

/** Trailers have the same limits as the fields of a head. */
function checkRoom(trailers: readonly [string, string][], characters: number): void {
  let total = characters;
  for (const [name, value] of trailers) total += name.length + value.length;
  if (trailers.length < RESPONSE_FIELDS_MAX && total <= RESPONSE_FIELD_BYTES_MAX) return;
  const limits = `${RESPONSE_FIELDS_MAX} trailers of ${RESPONSE_FIELD_BYTES_MAX} bytes together`;
  throw new RangeError(`a response has at most ${limits}`);
}

function checkCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('a callback is a function');
}

function setType(exchange: Exchange, type: string | undefined, fallback: string): void {
  if (type !== undefined) exchange.fields.set('Content-Type', 'content-type', type);
  else if (exchange.fields.find('content-type') < 0) {
    exchange.fields.setKnown('Content-Type', 'content-type', fallback);
  }
}

/** The response handle of an exchange whose request is not over. */
export function responseOf(exchange: Exchange): Response {
  const { identity } = exchange;
  assert(identity instanceof Response, 'the handles of the request are in use');
  return identity;
}
