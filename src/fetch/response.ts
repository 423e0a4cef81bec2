// A Response of the Fetch standard that costs little when it is made of text or bytes: Node's own
// makes a stream of them at once. It becomes Node's own when something needs one.

import { checkedName, checkValue } from '../http/response-fields.ts';
import { hasNoContent, isFinalStatus } from '../http/status.ts';
import { trimmed } from '../http/text.ts';
import { extendNative, isDisturbed, NativeHeaders, NativeResponse } from './native.ts';

type WebResponse = globalThis.Response;
type WebBody = ConstructorParameters<typeof globalThis.Response>[0];

/** Content that needs no conversion. */
export type LeanBody = string | Uint8Array | ReadableStream<Uint8Array> | null;

const TEXT_TYPE = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const BODY_USED = 'Body is unusable: Body has already been read';
/** The error of a Response that is returned twice, or was read before. */
export const BODY_SENT = 'the body of this Response was read or sent before: make a new Response';

const NO_INIT: ResponseInit = Object.freeze({});
const NO_PAIRS: readonly string[] = Object.freeze([]);

let takeParts: (response: LeanResponse) => LeanResponseParts;
let isLean: (value: object) => value is LeanResponse;

/** What is sent of a response. */
export interface LeanResponseParts {
  readonly status: number;
  /** Names and values in turn; null when `headers` has them. */
  readonly pairs: readonly string[] | null;
  readonly headers: Headers | null;
  /** The Content-Type that follows from the content, where `pairs` has none. */
  readonly type: string | null;
  readonly body: LeanBody;
  /** Set when Node's own Response has the body, and everything else. */
  readonly native: WebResponse | null;
}

export class LeanResponse {
  readonly status: number;
  readonly statusText: string;
  #body: LeanBody;
  #pairs: readonly string[];
  #hasType: boolean;
  #headers: Headers | null = null;
  #isUsed = false;
  #native: WebResponse | null = null;

  constructor(body: unknown = null, init: ResponseInit | undefined = undefined) {
    const { status: givenStatus = 200, statusText = '' } = init ?? NO_INIT;
    const status = Number(givenStatus);
    if (!isFinalStatus(status)) {
      throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
    }
    if (statusText !== '' && !REASON.test(statusText)) throw new TypeError('Invalid statusText');
    if (body !== null && body !== undefined && hasNoContent(status)) {
      throw new TypeError(`Response with null body status cannot have body (${status})`);
    }
    this.status = status;
    this.statusText = String(statusText);
    this.#hasType = false;
    this.#pairs = NO_PAIRS;
    this.#body = null;
    if (typeof body === 'string') this.#body = body;
    else if (body instanceof Uint8Array) this.#body = new Uint8Array(body);
    else if (body instanceof ReadableStream) this.#body = usable(body);
    else if (body !== null && body !== undefined) {
      this.#native = new NativeResponse(body as WebBody, init);
      return;
    }
    if (init?.headers !== undefined) this.#setPairs(init.headers);
  }

  static {
    isLean = (value): value is LeanResponse => #pairs in value;
    takeParts = (response) => {
      if (response.#isUsed) throw new TypeError(BODY_SENT);
      // A Response without content can be sent again, as Node's own can.
      if (response.#body !== null) response.#isUsed = true;
      return {
        status: response.status,
        pairs: response.#headers === null ? response.#pairs : null,
        headers: response.#headers,
        type: response.#type,
        body: response.#body,
        native: response.#native,
      };
    };
  }

  /** Also for Node's own: fetch() returns those. */
  static [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    // biome-ignore-start lint/complexity/noThisInStatic: the class that is asked: a subclass, too.
    // A subclass has instances of its own only.
    if (this !== LeanResponse) return Function.prototype[Symbol.hasInstance].call(this, value);
    // biome-ignore-end lint/complexity/noThisInStatic: as above.
    return value instanceof NativeResponse;
  }

  static json(value: unknown, init: ResponseInit = {}): LeanResponse {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError('The data is not of type JSON');
    const response = new LeanResponse(text, init);
    if (!response.#hasType) response.#pairs = [...response.#pairs, 'content-type', JSON_TYPE];
    response.#hasType = true;
    return response;
  }

  static toNative(response: LeanResponse): WebResponse {
    response.#native ??= response.#makeNative();
    return response.#native;
  }

  #makeNative(): WebResponse {
    const { status, statusText, headers } = this;
    if (this.#isUsed) throw new TypeError(BODY_USED);
    return new NativeResponse(this.#body as WebBody, { status, statusText, headers });
  }

  /** A copy: what was given may change. Throws for what no field can be. */
  #setPairs(given: NonNullable<ResponseInit['headers']>): void {
    const pairs: string[] = [];
    if (given instanceof NativeHeaders) {
      for (const [name, value] of given) this.#addPair(pairs, name, value);
    } else if (Symbol.iterator in given) {
      for (const pair of given as Iterable<Iterable<string>>) {
        const [name, value, ...others] = pair;
        if (value === undefined || others.length > 0) {
          throw new TypeError('a header is a pair of name and value');
        }
        this.#addPair(pairs, name, value);
      }
    } else {
      for (const name of Object.keys(given)) {
        this.#addPair(pairs, name, (given as Record<string, string>)[name]);
      }
    }
    this.#pairs = pairs;
  }

  #addPair(pairs: string[], name: string, value: unknown): void {
    if (checkedName(name) === 'content-type') this.#hasType = true;
    const text = trimmed(String(value));
    checkValue(name, text);
    pairs.push(name, text);
  }

  get #type(): string | null {
    return typeof this.#body === 'string' && !this.#hasType ? TEXT_TYPE : null;
  }

  get headers(): Headers {
    if (this.#headers === null) this.#headers = this.#native?.headers ?? this.#makeHeaders();
    return this.#headers;
  }

  #makeHeaders(): Headers {
    const headers = new NativeHeaders();
    const pairs = this.#pairs;
    for (let at = 0; at < pairs.length; at += 2) headers.append(pairs[at], pairs[at + 1]);
    if (this.#type !== null) headers.set('content-type', this.#type);
    return headers;
  }

  get ok(): boolean {
    return this.status < 300;
  }

  get type(): string {
    return 'default';
  }

  get url(): string {
    return '';
  }

  get redirected(): boolean {
    return false;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#native === null && (this.#body === null || this.#body instanceof ReadableStream)) {
      return this.#body;
    }
    return LeanResponse.toNative(this).body as ReadableStream<Uint8Array> | null;
  }

  get bodyUsed(): boolean {
    if (this.#native !== null) return this.#native.bodyUsed;
    return this.#isUsed || (this.#body instanceof ReadableStream && isDisturbed(this.#body));
  }

  async text(): Promise<string> {
    if (this.#native !== null || typeof this.#body !== 'string') {
      return LeanResponse.toNative(this).text();
    }
    if (this.#isUsed) throw new TypeError(BODY_USED);
    this.#isUsed = true;
    return this.#body;
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  clone(): WebResponse {
    const { status, statusText, headers } = this;
    const copy = LeanResponse.toNative(this).clone();
    return new NativeResponse(copy.body, { status, statusText, headers }) as WebResponse;
  }
}

Object.defineProperty(LeanResponse, 'name', { value: 'Response' });
extendNative(LeanResponse, NativeResponse, new NativeResponse(), LeanResponse.toNative);

/** What to send; the body is used then. Null for what is no lean Response. */
export function takeLean(value: object): LeanResponseParts | null {
  return isLean(value) ? takeParts(value) : null;
}

/** Throws for a stream that something else reads. */
function usable(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  if (stream.locked || isDisturbed(stream)) {
    throw new TypeError('Response body object should not be disturbed or locked');
  }
  return stream;
}
