// A request as a handler sees it. Strings are made only when asked for. Every member throws once
// the exchange is over: what a handler keeps for longer is a mistake that must not read another
// request.

import { checkedName } from '../http/answer-fields.ts';
import { Field, fieldNumber } from '../http/fields.ts';
import { TargetForm } from '../http/head.ts';
import { segmentString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import type { Exchange } from './exchange.ts';
import { formFrom } from './form.ts';
import { HttpError } from './http-error.ts';

const OVER = 'this request is over: its answer was sent';

/** Values of route parameters by name; the wildcard's is '*'. */
export type Params = Readonly<Record<string, string>>;

let exchangeOfRequest: (request: Request) => Exchange | null;
let attach: (request: Request, exchange: Exchange | null) => void;

export class Request {
  #exchange: Exchange | null = null;

  static {
    exchangeOfRequest = (request) => request.#exchange;
    attach = (request, exchange) => {
      request.#exchange = exchange;
    };
  }

  #live(): Exchange {
    const exchange = this.#exchange;
    if (exchange === null || !exchange.live) throw new Error(OVER);
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

  /** The path: percent-decoded once, dot segments resolved, without the prefix of a mount. */
  get path(): string {
    return this.#live().path();
  }

  get query(): URLSearchParams {
    const exchange = this.#live();
    exchange.query ??= new URLSearchParams(queryText(exchange));
    return exchange.query;
  }

  get params(): Params {
    const { match, pathBytes, pathFrom, matchedFrom } = this.#live();
    const moved = pathFrom - matchedFrom;
    const params: Record<string, string> = Object.create(null);
    for (let index = 0; index < match.paramCount; index++) {
      const from = match.offsets[2 * index] + moved;
      const to = match.offsets[2 * index + 1] + moved;
      params[match.names[index]] = segmentString(pathBytes, from, to);
    }
    return params;
  }

  /**
   * The value of a field, undefined when it is not there. Fields of the same name are joined by a
   * comma (RFC 9110 5.3), Cookie by a semicolon.
   */
  header(name: string): string | undefined {
    const exchange = this.#live();
    const { head, bytes, base } = exchange;
    const lower = checkedName(name);
    const number = fieldNumber(lower);
    if (number === Field.Host && head.form === TargetForm.Absolute) return authority(exchange);
    let value: string | undefined;
    for (let index = 0; index < head.fieldCount; index++) {
      if (head.names[index] !== number) continue;
      if (number === Field.Unknown && head.name(bytes, base, index) !== lower) continue;
      const next = head.value(bytes, base, index);
      const separator = number === Field.Cookie ? '; ' : ', ';
      value = value === undefined ? next : value + separator + next;
    }
    return value;
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

  /** The client's address; '' for a unix socket, or when the client is gone. */
  get remoteAddress(): string {
    return this.#live().transport.peer().address;
  }

  get remotePort(): number {
    return this.#live().transport.peer().port;
  }

  /** Aborts when the client resets the connection or takes no more of the answer. */
  get signal(): AbortSignal {
    const exchange = this.#live();
    if (exchange.aborter === null) {
      exchange.aborter = new AbortController();
      if (exchange.gone || exchange.headOnly) exchange.aborter.abort();
    }
    return exchange.aborter.signal;
  }

  /** A place for middleware to leave things for handlers. */
  get state(): Record<string, unknown> {
    const exchange = this.#live();
    exchange.state ??= {};
    return exchange.state;
  }

  /** The body whole; rejects with HttpError 413 over body_bytes_max. The body is read once. */
  async bytes(): Promise<Buffer> {
    const exchange = this.#live();
    takeBody(exchange);
    return exchange.transport.readAll(exchange, exchange.transport.limits.bodyBytesMax);
  }

  /** The body as UTF-8; rejects with HttpError 400 when it is not. */
  async text(): Promise<string> {
    const bytes = await this.bytes();
    try {
      return strictUtf8.decode(bytes);
    } catch (cause) {
      throw new HttpError(400, 'the body is not valid UTF-8', { cause });
    }
  }

  /** The body as JSON; rejects with HttpError 400 when it is not. */
  async json(): Promise<unknown> {
    const text = await this.text();
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new HttpError(400, 'the body is not valid JSON', { cause });
    }
  }

  /**
   * The fields and files of a form: application/x-www-form-urlencoded or multipart/form-data.
   * Rejects with HttpError 415 for another type, 400 for a malformed one, 413 for one with more
   * parts than form_parts_max or more files than form_files_max.
   */
  async form(): Promise<FormData> {
    const { limits } = this.#live().transport;
    const type = this.header('content-type') ?? '';
    return formFrom(type, limits, () => this.bytes());
  }

  /** The body piece by piece. Each piece is the caller's to keep. */
  get body(): AsyncIterable<Uint8Array> {
    const exchange = this.#live();
    return { [Symbol.asyncIterator]: () => bodyIterator(exchange) };
  }

  /** The trailer fields, as [lower-case name, value], once the body was read to its end. */
  trailers(): readonly (readonly [string, string])[] {
    const exchange = this.#live();
    return exchange.transport.trailers(exchange);
  }
}

/** For the layers above: the exchange behind a request. Throws when it is over. */
export function exchangeOf(request: Request): Exchange {
  const exchange = exchangeOfRequest(request);
  if (exchange === null || !exchange.live) throw new Error(OVER);
  return exchange;
}

/** Makes a request a view of this exchange, or of none. */
export function attachRequest(request: Request, exchange: Exchange | null): void {
  attach(request, exchange);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function queryText(exchange: Exchange): string {
  const { bytes, base, head } = exchange;
  if (head.queryStart < 0) return '';
  return latin1(bytes, base + head.queryStart, base + head.queryEnd);
}

/** In absolute-form the target names the host, whatever the Host field says (RFC 9112 3.2.2). */
function authority(exchange: Exchange): string {
  const { bytes, base, head } = exchange;
  const target = latin1(bytes, base + head.targetStart, base + head.pathStart);
  return target.slice(target.indexOf('//') + 2).replace(/[/?].*$/, '');
}

function takeBody(exchange: Exchange): void {
  if (exchange.bodyRead) throw new TypeError('the body was read already');
  exchange.bodyRead = true;
}

function bodyIterator(exchange: Exchange): AsyncIterator<Uint8Array> {
  takeBody(exchange);
  let ended = false;
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      if (ended) return done;
      const chunk = await exchange.transport.readChunk(exchange);
      if (chunk !== null) return { done: false, value: chunk };
      ended = true;
      return done;
    },
    async return() {
      ended = true;
      return done;
    },
  };
}
