// A Request of the Fetch standard that costs little: it has what a router reads, and makes Node's
// own Request only when something needs one, such as clone(). It can be kept as long as one likes:
// it has a copy of its head.

import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import type { Exchange } from '../exchange/exchange.ts';
import type { Request } from '../exchange/request.ts';
import { BodyKind } from '../http/framing.ts';
import { Method } from '../http/method.ts';
import { latin1 } from '../http/text.ts';
import { bodyError } from './body-error.ts';
import { LeanHeaders } from './headers.ts';
import { type BodyLimits, LimitedRequest, readLimited } from './limited-request.ts';
import { extendNative, isDisturbed, NativeRequest } from './native.ts';

type WebRequest = globalThis.Request;

const BODY_USED = 'Body is unusable: Body has already been read';

/** What Node's Request says of a request that no page made. */
const CONSTANTS = {
  destination: '',
  referrer: 'about:client',
  referrerPolicy: '',
  mode: 'cors',
  credentials: 'same-origin',
  cache: 'default',
  redirect: 'follow',
  integrity: '',
  keepalive: false,
  isReloadNavigation: false,
  isHistoryNavigation: false,
  duplex: 'half',
} as const;

export interface LeanRequestParts {
  readonly method: string;
  readonly url: string;
  /** As it was received. */
  readonly head: string;
  readonly hasBody: boolean;
  readonly request: Pick<Request, 'body' | 'bytes' | 'form' | 'signal'>;
  readonly limits: BodyLimits;
}

export class LeanRequest {
  readonly method: string;
  readonly url: string;
  readonly #request: LeanRequestParts['request'];
  readonly #head: string;
  readonly #hasBody: boolean;
  readonly #limits: BodyLimits;
  #headers: LeanHeaders | null = null;
  #signal: AbortSignal | null = null;
  /** The body was read by one of the calls below, not by #stream. */
  #isUsed = false;
  #stream: ReadableStream<Uint8Array> | null = null;
  #native: WebRequest | null = null;

  constructor(parts: LeanRequestParts) {
    this.method = parts.method;
    this.url = parts.url;
    this.#head = parts.head;
    this.#hasBody = parts.hasBody;
    this.#request = parts.request;
    this.#limits = parts.limits;
  }

  /** Node's own Request with the same members; the body belongs to it from now on. */
  static toNative(request: LeanRequest): WebRequest {
    request.#native ??= request.#makeNative();
    return request.#native;
  }

  #makeNative(): WebRequest {
    const { method, body, url } = this;
    if (this.#isUsed) throw new TypeError(BODY_USED);
    const headers = this.headers as unknown as Headers;
    const common = { method, headers, signal: this.signal };
    const init = body === null ? common : { ...common, body, duplex: 'half' };
    return new LimitedRequest(url, init as RequestInit, this.#limits) as unknown as WebRequest;
  }

  get headers(): LeanHeaders {
    this.#headers ??= new LeanHeaders(this.#head);
    return this.#headers;
  }

  /** Aborts when the client has left. */
  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  #makeSignal(): AbortSignal {
    try {
      return this.#request.signal;
    } catch {
      // The response was sent before anything asked.
      return new AbortController().signal;
    }
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#native !== null) return this.#native.body as ReadableStream<Uint8Array> | null;
    if (!this.#hasBody) return null;
    this.#stream ??= this.#isUsed ? usedStream() : streamOf(this.#request);
    return this.#stream;
  }

  get bodyUsed(): boolean {
    if (this.#native !== null) return this.#native.bodyUsed;
    return this.#isUsed || (this.#stream !== null && isDisturbed(this.#stream));
  }

  clone(): WebRequest {
    return LeanRequest.toNative(this).clone() as WebRequest;
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.#readAll());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.bytes();
    return bytes.buffer as ArrayBuffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#readAll());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async blob(): Promise<Blob> {
    const bytes = await this.bytes();
    return new Blob([bytes as Uint8Array<ArrayBuffer>], {
      type: this.headers.get('content-type') ?? '',
    });
  }

  /** Within form_parts_max and form_files_max. */
  async formData(): Promise<FormData> {
    if (this.#native !== null || this.#stream !== null) {
      return LeanRequest.toNative(this).formData() as Promise<FormData>;
    }
    this.#use();
    return this.#request.form().catch(bodyError);
  }

  async #readAll(): Promise<Uint8Array> {
    if (this.#native !== null) return new Uint8Array(await this.#native.arrayBuffer());
    if (this.bodyUsed) throw new TypeError(BODY_USED);
    const stream = this.#stream;
    if (stream !== null) return readLimited(stream, this.#limits.bodyBytesMax);
    if (!this.#hasBody) return new Uint8Array(0);
    this.#use();
    return this.#request.bytes().catch(bodyError);
  }

  #use(): void {
    if (this.#isUsed) throw new TypeError(BODY_USED);
    if (this.#hasBody) this.#isUsed = true;
  }
}

for (const [key, value] of Object.entries(CONSTANTS)) {
  Object.defineProperty(LeanRequest.prototype, key, { configurable: true, get: () => value });
}
Object.defineProperty(LeanRequest, 'name', { value: 'Request' });
extendNative(LeanRequest, NativeRequest, new NativeRequest('http://host/'), LeanRequest.toNative);

/** The body in chunks, as fast as it is read. */
function streamOf(request: LeanRequestParts['request']): ReadableStream<Uint8Array> {
  let iterator: AsyncIterator<Uint8Array> | null = null;
  const source: UnderlyingByteSource = {
    type: 'bytes',
    async pull(controller) {
      iterator ??= request.body[Symbol.asyncIterator]();
      const result = await iterator.next().catch(bodyError);
      if (result.done !== true) {
        // A stream of bytes takes the memory, which may be shared with others.
        controller.enqueue(new Uint8Array(result.value));
        return;
      }
      controller.close();
      (controller as ReadableByteStreamController).byobRequest?.respond(0);
    },
    async cancel() {
      iterator ??= request.body[Symbol.asyncIterator]();
      await iterator.return?.();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 }) as ReadableStream<Uint8Array>;
}

/** What is left of a body that was read: a stream that was read to its end. */
function usedStream(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  void stream.cancel();
  return stream;
}

/** The parts of a request as it was received. */
export function leanRequestOf(exchange: Exchange, request: Request, url: string): LeanRequest {
  const { bytes, base, bodyLimit, headBytes, head, framing } = exchange;
  const { limits } = exchange.services;
  // The standard has no content for these two.
  const mayHaveBody = head.method !== Method.GET && head.method !== Method.HEAD;
  return new LeanRequest({
    method: exchange.methodName(),
    url,
    // An empty line may stand before it (RFC 9112 2.2).
    head: latin1(bytes, base + head.methodStart, base + headBytes),
    hasBody: mayHaveBody && (framing.kind === BodyKind.Chunked || framing.length > 0),
    request,
    limits: bodyLimit === limits.bodyBytesMax ? limits : { ...limits, bodyBytesMax: bodyLimit },
  });
}

/** True where Node accepts a lean Request wherever it accepts its own, as `new Request(lean)`. */
export function nodeAcceptsLean(): boolean {
  const url = 'http://host/path';
  const request = {
    body: [] as unknown as AsyncIterable<Uint8Array>,
    bytes: () => Promise.resolve(Buffer.alloc(0)),
    form: () => Promise.resolve(new FormData()),
    signal: new AbortController().signal,
  };
  const head = 'PUT /path HTTP/1.1\r\nHost: host\r\n\r\n';
  const limits = { bodyBytesMax: 0, formPartsMax: 0, formFilesMax: 0 };
  const lean = new LeanRequest({ method: 'PUT', url, head, hasBody: false, request, limits });
  try {
    const copy = new NativeRequest(lean as unknown as WebRequest);
    return copy.url === url && copy.method === 'PUT' && copy.headers.get('host') === 'host';
  } catch {
    return false;
  }
}
