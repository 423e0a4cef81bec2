// The handle of a request. Strings are made when a member is read. A handle is made for one
// request: when its record goes to another request, every member throws.

import type { Peer } from '../driver/driver.ts';
import { checkedName } from '../http/response-fields.ts';
import { segmentString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';
import { formFrom } from './form.ts';
import { HttpError } from './http-error.ts';
import { latePause, quietly } from './late.ts';
import { Liveness } from './state.ts';

const OVER = 'this request is over: its response was sent, and its head was released';

/** Values of route parameters by name; the wildcard's is '*'. */
export type Params = Readonly<Record<string, string>>;

let getExchange: (request: Request) => Exchange;
let getMountBytes: (request: Request) => number;

export class Request {
  readonly #exchange: Exchange;
  /** The identity of the request; the exchange has the same one while it is this request's. */
  readonly #identity: object;
  /** How much of the path a mounted middleware does not see. */
  readonly #mountBytes: number;

  constructor(exchange: Exchange, identity: object, mountBytes: number) {
    this.#exchange = exchange;
    this.#identity = identity;
    this.#mountBytes = mountBytes;
  }

  static {
    getExchange = (request) => request.#live();
    getMountBytes = (request) => request.#mountBytes;
  }

  #live(): Exchange {
    const exchange = this.#exchange;
    if (exchange.identity !== this.#identity) throw new Error(OVER);
    return exchange;
  }

  get method(): string {
    return this.#live().methodName();
  }

  /** The request target as it was sent (RFC 9112 3.2). */
  get target(): string {
    const { bytes, base, head } = this.#live();
    return latin1(bytes, base + head.targetStart, base + head.targetEnd);
  }

  /** The path: decoded, slashes merged, dot segments resolved, without the prefix of a mount. */
  get path(): string {
    return this.#live().path(this.#mountBytes);
  }

  get query(): URLSearchParams {
    const exchange = this.#live();
    exchange.query ??= new URLSearchParams(queryText(exchange));
    return exchange.query;
  }

  get params(): Params {
    const { params: found, pathBytes, pathFrom, matchedFrom } = this.#live();
    const moved = pathFrom - matchedFrom;
    const params: Record<string, string> = Object.create(null);
    for (let index = 0; index < found.paramCount; index++) {
      const from = found.offsets[2 * index] + moved;
      const to = found.offsets[2 * index + 1] + moved;
      params[found.names[index]] = segmentString(pathBytes, from, to);
    }
    return params;
  }

  /**
   * The value of a field, undefined when it is not there. Fields of the same name are joined by a
   * comma (RFC 9110 5.3), Cookie by a semicolon.
   */
  header(name: string): string | undefined {
    const exchange = this.#live();
    return fieldValue(exchange, checkedName(name));
  }

  /** Every field line as [lower-case name, value], in the order they came. */
  *headers(): Generator<[string, string]> {
    const { head } = this.#live();
    for (let index = 0; index < head.fieldCount; index++) {
      const { bytes, base } = this.#live();
      yield [head.name(bytes, base, index), head.value(bytes, base, index)];
    }
  }

  /** HTTP version of the request: '1.0' or '1.1'. */
  get httpVersion(): string {
    return this.#live().head.minor === 1 ? '1.1' : '1.0';
  }

  /** The host, and the port if there is one, that the client named; '' in HTTP/1.0 without Host. */
  get host(): string {
    const exchange = this.#live();
    return exchange.forwarded?.host ?? fieldValue(exchange, 'host') ?? '';
  }

  /** 'http', or what a trusted proxy says the client used; see trustProxy(). */
  get protocol(): 'http' | 'https' {
    return this.#live().forwarded?.protocol ?? 'http';
  }

  /** The client's address; '' for a unix socket, or when the client is gone. */
  get remoteAddress(): string {
    return peerOf(this.#live()).address;
  }

  get remotePort(): number {
    return peerOf(this.#live()).port;
  }

  /**
   * Aborts when no more of the response can reach the client: the connection broke, the response
   * was truncated or has no content, or the handler took too long.
   */
  get signal(): AbortSignal {
    const exchange = this.#live();
    if (exchange.aborter === null) {
      exchange.aborter = new AbortController();
      if (exchange.liveness !== Liveness.Live) exchange.aborter.abort(responseOver());
    }
    return exchange.aborter.signal;
  }

  /** Values that middleware leaves for handlers. */
  get state(): Record<string, unknown> {
    const exchange = this.#live();
    exchange.state ??= {};
    return exchange.state;
  }

  /** The full body; rejects with HttpError 413 over body_bytes_max. The body is read once. */
  bytes(): Promise<Buffer> {
    return quietly(readBytes(this, this.#exchange));
  }

  /** The body as UTF-8; rejects with HttpError 400 when it is not. */
  text(): Promise<string> {
    return quietly(readText(this, this.#exchange));
  }

  /** The body as JSON; rejects with HttpError 400 when it is not. */
  json(): Promise<unknown> {
    return quietly(readJson(this, this.#exchange));
  }

  /**
   * The fields and files of a form: application/x-www-form-urlencoded or multipart/form-data.
   * Rejects with HttpError 415 for another type, 400 for a malformed one, 413 for one with more
   * parts than form_parts_max or more files than form_files_max.
   */
  form(): Promise<FormData> {
    return quietly(readForm(this, this.#exchange));
  }

  /** The body in chunks, which the caller may keep. */
  get body(): AsyncIterable<Uint8Array> {
    this.#live();
    return { [Symbol.asyncIterator]: () => new BodyIterator(this, this.#exchange) };
  }

  /** The trailer fields, as [lower-case name, value], after the body was read to its end. */
  trailers(): readonly (readonly [string, string])[] {
    const exchange = this.#live();
    return exchange.transport.trailers(exchange);
  }
}

/** For the layers above: the exchange of a request. Throws when the request is over. */
export function exchangeOf(request: Request): Exchange {
  return getExchange(request);
}

/** How many bytes of the path a mounted middleware does not see. */
export function mountBytesOf(request: Request): number {
  return getMountBytes(request);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function queryText(exchange: Exchange): string {
  const { bytes, base, head } = exchange;
  if (head.queryStart < 0) return '';
  return latin1(bytes, base + head.queryStart, base + head.queryEnd);
}

function responseOver(): Error {
  return new Error('nothing more of the response can reach the client');
}

function peerOf(exchange: Exchange): Peer {
  exchange.peer ??= exchange.transport.peer();
  return exchange.peer;
}

function takeBody(exchange: Exchange): void {
  if (!exchange.takeBody()) throw new TypeError('the body was read already');
}

/** A record that is not retained may belong to another request. */
function lateRead(exchange: Exchange): Promise<void> {
  return latePause(exchange, !exchange.retained);
}

/** A failed read rejects later, so that a loop around it does not block the event loop. */
async function readBytes(request: Request, exchange: Exchange): Promise<Buffer> {
  try {
    takeBody(exchangeOf(request));
    const { bodyBytesMax, services, transport } = exchange;
    const bytesMax = bodyBytesMax < 0 ? services.limits.bodyBytesMax : bodyBytesMax;
    return await transport.readAll(exchange, bytesMax);
  } catch (error) {
    await lateRead(exchange);
    throw error;
  }
}

async function readText(request: Request, exchange: Exchange): Promise<string> {
  const bytes = await readBytes(request, exchange);
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    throw new HttpError(400, 'the body is not valid UTF-8', { cause });
  }
}

async function readJson(request: Request, exchange: Exchange): Promise<unknown> {
  const text = await readText(request, exchange);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HttpError(400, 'the body is not valid JSON', { cause });
  }
}

async function readForm(request: Request, exchange: Exchange): Promise<FormData> {
  try {
    const type = request.header('content-type') ?? '';
    return await formFrom(type, exchange.services.limits, () => readBytes(request, exchange));
  } catch (error) {
    await lateRead(exchange);
    throw error;
  }
}

const DONE = { done: true, value: undefined } as const;

/** Reads the body of its own request only. next() rejects with errors, and never at once. */
class BodyIterator implements AsyncIterator<Uint8Array> {
  readonly #exchange: Exchange;
  readonly #refused: unknown;
  #ended = false;

  constructor(request: Request, exchange: Exchange) {
    this.#exchange = exchange;
    this.#refused = null;
    try {
      takeBody(exchangeOf(request));
      // The iterator may be kept: the record behind it must stay this request's.
      exchange.retain();
    } catch (error) {
      this.#refused = error;
    }
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return quietly(this.#next());
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const exchange = this.#exchange;
    try {
      if (this.#refused !== null) throw this.#refused;
      const chunk = this.#ended ? null : await exchange.transport.readChunk(exchange);
      if (chunk !== null) return { done: false, value: chunk };
    } catch (error) {
      await lateRead(exchange);
      throw error;
    }
    // A loop that reads on must not block the event loop.
    if (this.#ended) await lateRead(exchange);
    this.#ended = true;
    return DONE;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (this.#ended || this.#refused !== null) await lateRead(this.#exchange);
    else this.#exchange.leaveBody();
    this.#ended = true;
    return DONE;
  }
}
