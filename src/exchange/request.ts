// The handle of a request. Strings are made when a member is read. A handle is made for one
// request: when its record goes to another request, every member throws.

import { checkOptions, type OptionRule } from '../base/options.ts';
import type { Peer } from '../driver/driver.ts';
import { checkedName } from '../http/response-fields.ts';
import { segmentString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import { type TraceContext, traceContext } from '../http/trace-context.ts';
import {
  BODY_RULES,
  type BodyOptions,
  VALIDATED_RULES,
  type ValidatedOptions,
} from './body-options.ts';
import {
  BodyIterator,
  OVER,
  readBytes,
  readBytesNow,
  readForm,
  readJson,
  readJsonNow,
  readText,
  readTextNow,
} from './body-reads.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';
import type { FormPart } from './form-part.ts';
import { formRecord } from './form-record.ts';
import { quietly } from './late.ts';
import { checkPartsOptions, PartsIterator, type PartsOptions } from './parts-iterator.ts';
import { RequestCookies } from './request-cookies.ts';
import { ANY_VERSION, requireMatch } from './require-match.ts';
import { type SchemaOutput, type StandardSchema, validate } from './standard-schema.ts';
import { Liveness } from './state.ts';

/** Values of route parameters by name; the wildcard's is '*'. */
export type Params = Readonly<Record<string, string>>;

/** Values that middleware leaves for handlers; middleware with a type adds its properties. */
export type State = Record<string, unknown>;

let getExchange: (request: AnyRequest) => Exchange;
let getMountBytes: (request: object) => number;

export type AnyRequest = Request<object, object>;

/** `P` are the parameters of the route, `S` is the state that middleware has left. */
export class Request<P extends object = Params, S extends object = State> {
  readonly #exchange: Exchange;
  /** The identity of the request; the exchange has the same one while it is this request's. */
  readonly #identity: object;

  constructor(exchange: Exchange, identity: object) {
    this.#exchange = exchange;
    this.#identity = identity;
  }

  static {
    getExchange = (request) => Request.#live(request);
  }

  /** Static, since an object of a class with private methods of its own takes 8 bytes more. */
  static #live(request: AnyRequest): Exchange {
    const exchange = request.#exchange;
    if (exchange.identity !== request.#identity) throw new Error(OVER);
    return exchange;
  }

  /** The method as it was sent, such as GET; case counts (RFC 9110 9.1). */
  get method(): string {
    return Request.#live(this).methodName();
  }

  /** The request target as it was sent (RFC 9112 3.2). */
  get target(): string {
    const { bytes, base, head } = Request.#live(this);
    return latin1(bytes, base + head.targetStart, base + head.targetEnd);
  }

  /** The path: decoded, slashes merged, dot segments resolved, without the prefix of a mount. */
  get path(): string {
    return Request.#live(this).path(0);
  }

  /** The query of the target. The object belongs to the handler. */
  get query(): URLSearchParams {
    const exchange = Request.#live(this);
    exchange.query ??= new URLSearchParams(queryText(exchange));
    return exchange.query;
  }

  /** The pattern of the route, as '/users/:id'; undefined where no route takes the request. */
  get route(): string | undefined {
    return Request.#live(this).params.pattern ?? undefined;
  }

  /** The parameters of the route, decoded once; see its pattern for their names. */
  get params(): P {
    const { params: found, pathBytes, pathFrom, matchedFrom } = Request.#live(this);
    const moved = pathFrom - matchedFrom;
    const params: Record<string, string> = Object.create(null);
    for (let index = 0; index < found.paramCount; index++) {
      const from = found.offsets[2 * index] + moved;
      const to = found.offsets[2 * index + 1] + moved;
      params[found.names[index]] = segmentString(pathBytes, from, to);
    }
    return params as P;
  }

  /**
   * The value of a field, undefined when it is not there. Fields of the same name are joined by a
   * comma (RFC 9110 5.3), Cookie by a semicolon.
   */
  header(name: string): string | undefined {
    const exchange = Request.#live(this);
    return fieldValue(exchange, checkedName(name));
  }

  /** Every field line as [lower-case name, value], in the order they came. */
  *headers(): Generator<[string, string]> {
    const { head } = Request.#live(this);
    for (let index = 0; index < head.fieldCount; index++) {
      const { bytes, base } = Request.#live(this);
      yield [head.name(bytes, base, index), head.value(bytes, base, index)];
    }
  }

  /** The cookies, parsed when one is first read. */
  get cookies(): RequestCookies {
    const exchange = Request.#live(this);
    exchange.cookies ??= new RequestCookies(fieldValue(exchange, 'cookie') ?? '');
    return exchange.cookies;
  }

  /** HTTP version of the request: '1.0' or '1.1'. */
  get httpVersion(): string {
    return Request.#live(this).head.minor === 1 ? '1.1' : '1.0';
  }

  /** The host, and the port if there is one, that the client named; '' in HTTP/1.0 without Host. */
  get host(): string {
    const exchange = Request.#live(this);
    return exchange.forwarded?.host ?? fieldValue(exchange, 'host') ?? '';
  }

  /** 'http', or what a trusted proxy says the client used; see trustProxy(). */
  get protocol(): 'http' | 'https' {
    return Request.#live(this).forwarded?.protocol ?? 'http';
  }

  /** The client's address; '' for a unix socket, or when the client is gone. */
  get remoteAddress(): string {
    return peerOf(Request.#live(this)).address;
  }

  /** The port of the client; 0 on a unix socket. See trustProxy() for proxies. */
  get remotePort(): number {
    return peerOf(Request.#live(this)).port;
  }

  /**
   * The trace that the request belongs to, of its fields traceparent and tracestate; undefined
   * without a valid traceparent.
   */
  get trace(): TraceContext | undefined {
    const exchange = Request.#live(this);
    const parent = fieldValue(exchange, 'traceparent');
    return traceContext(parent, fieldValue(exchange, 'tracestate')) ?? undefined;
  }

  /**
   * Aborts when no more of the response can reach the client: the connection broke, the response
   * was truncated or has no content, or the handler took too long.
   */
  get signal(): AbortSignal {
    const exchange = Request.#live(this);
    if (exchange.aborter === null) {
      exchange.aborter = new AbortController();
      if (exchange.liveness !== Liveness.Live) exchange.aborter.abort(responseOver());
    }
    return exchange.aborter.signal;
  }

  /** Values that middleware leaves for handlers. */
  get state(): S {
    const exchange = Request.#live(this);
    exchange.state ??= {};
    return exchange.state as S;
  }

  /** The full body; rejects with HttpError 413 over body_bytes_max. The body is read once. */
  bytes(options?: BodyOptions): Promise<Buffer> {
    if (options === undefined) return readBytesNow(this.#exchange, this.#identity);
    const checked = checkedOptions('bytes()', options, BODY_RULES);
    return quietly(readBytes(this.#exchange, this.#identity, checked));
  }

  /** The body as UTF-8; rejects with HttpError 400 when it is not. */
  text(options?: BodyOptions): Promise<string> {
    if (options === undefined) return readTextNow(this.#exchange, this.#identity);
    const checked = checkedOptions('text()', options, BODY_RULES);
    return quietly(readText(this.#exchange, this.#identity, checked));
  }

  /**
   * The body as JSON; rejects with HttpError 400 when it is not, when it is deeper than 128 levels,
   * and when it has a key that could change a prototype. With `validate` also when the value does
   * not fit the schema, and else with the value that the schema returns.
   */
  json(): Promise<unknown>;
  json<Schema extends StandardSchema>(
    options: BodyOptions & { readonly validate: Schema },
  ): Promise<SchemaOutput<Schema>>;
  json(options?: BodyOptions): Promise<unknown>;
  json(options?: ValidatedOptions): Promise<unknown> {
    if (options === undefined) return readJsonNow(this.#exchange, this.#identity);
    const checked = checkedOptions('json()', options, VALIDATED_RULES);
    return quietly(readJson(this.#exchange, this.#identity, checked));
  }

  /**
   * The fields and files of a form: application/x-www-form-urlencoded or multipart/form-data.
   * Rejects with HttpError 415 for another type, 400 for a malformed one, 413 for one with more
   * parts than form_parts_max or more files than form_files_max. With `validate` the schema gets an
   * object of them, with an array where a name occurs several times.
   */
  form(): Promise<FormData>;
  form<Schema extends StandardSchema>(
    options: BodyOptions & { readonly validate: Schema },
  ): Promise<SchemaOutput<Schema>>;
  form(options?: BodyOptions): Promise<FormData>;
  form(options?: ValidatedOptions): Promise<unknown> {
    const checked = checkedOptions('form()', options, VALIDATED_RULES);
    const type = () => this.header('content-type') ?? '';
    return quietly(readForm(this.#exchange, this.#identity, type, checked));
  }

  /**
   * The parts of a multipart/form-data form, one after the other as they arrive, in bounded memory.
   * Rejects with HttpError 415 for another type, 400 for a malformed form, 413 over a limit. The
   * content of a part is read before the next part, or skipped.
   */
  parts(options: PartsOptions = {}): AsyncIterable<FormPart> {
    checkPartsOptions(options);
    Request.#live(this);
    const iterator = () => new PartsIterator(this.#exchange, this.#identity, options);
    return { [Symbol.asyncIterator]: iterator };
  }

  /**
   * `value` as the schema returns it, for what is not a body: `req.query`, `req.params`, a form.
   * Rejects with HttpError 400 when it does not fit.
   */
  validate<Schema extends StandardSchema>(
    schema: Schema,
    value: unknown,
  ): Promise<SchemaOutput<Schema>> {
    return quietly(validateValue(schema, value)) as Promise<SchemaOutput<Schema>>;
  }

  /**
   * For a handler that changes something: throws HttpError 428 when the client does not say with
   * If-Match which version it has seen (RFC 6585 3), and 412 when that is not the one of `tag`, the
   * current strong entity tag with its quotes. Null or undefined is the tag of what does not exist:
   * 412 whatever the client sends. Without an argument any If-Match will do. Call it with no
   * `await` before the change.
   */
  requireMatch(...tag: [tag?: string | null | undefined]): void {
    requireMatch(Request.#live(this), tag.length === 0 ? ANY_VERSION : tag[0]);
  }

  /** The body in chunks, which the caller may keep. */
  get body(): AsyncIterable<Uint8Array> {
    Request.#live(this);
    return { [Symbol.asyncIterator]: () => new BodyIterator(this.#exchange, this.#identity) };
  }

  /** The trailer fields, as [lower-case name, value], after the body was read to its end. */
  trailers(): readonly (readonly [string, string])[] {
    const exchange = Request.#live(this);
    return exchange.transport.trailers(exchange);
  }
}

/** A request as middleware below a prefix sees it: without the prefix in its path. */
export class MountedRequest extends Request {
  readonly #mountBytes: number;

  constructor(exchange: Exchange, identity: object, mountBytes: number) {
    super(exchange, identity);
    this.#mountBytes = mountBytes;
  }

  static {
    getMountBytes = (request) => (#mountBytes in request ? request.#mountBytes : 0);
  }

  override get path(): string {
    return getExchange(this).path(this.#mountBytes);
  }
}

/** For the layers above: the exchange of a request. Throws when the request is over. */
export function exchangeOf(request: AnyRequest): Exchange {
  return getExchange(request);
}

/** How many bytes of the path a mounted middleware does not see. */
export function mountBytesOf(request: AnyRequest): number {
  return getMountBytes(request);
}

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

function checkedOptions<Options extends object>(
  owner: string,
  options: Options | undefined,
  rules: Readonly<Record<string, OptionRule>>,
): Options {
  if (options === undefined) return NO_OPTIONS as Options;
  checkOptions(owner, options, rules);
  return options;
}

const NO_OPTIONS: object = Object.freeze({});

/** Parameters of a query and fields of a form become an object first. */
async function validateValue(schema: unknown, value: unknown): Promise<unknown> {
  const isForm = value instanceof FormData;
  const isList = isForm || value instanceof URLSearchParams;
  const what = isForm ? 'the form' : 'the query';
  const checked = isList ? formRecord(value as Iterable<[string, unknown]>, what) : value;
  return validate(schema, checked, 'the request');
}
