// Node's own Request with the limits of the server: what reads a whole body in memory reads
// body_bytes_max bytes at most, also of a clone.

import { formFrom } from '../exchange/form.ts';
import type { FormLimits } from '../exchange/form-parts.ts';
import { HttpError } from '../exchange/http-error.ts';
import { bodyError } from './body-error.ts';
import { NativeRequest } from './native.ts';

type WebRequest = globalThis.Request;

export type BodyLimits = FormLimits & { readonly bodyBytesMax: number };

/** Its declared type has properties where the class has methods, which cannot be overridden. */
const Base = NativeRequest as unknown as new (
  input: WebRequest | string,
  init: RequestInit,
) => Pick<WebRequest, 'body' | 'bodyUsed' | 'headers'>;

export class LimitedRequest extends Base {
  readonly #limits: BodyLimits;

  constructor(input: WebRequest | string, init: RequestInit, limits: BodyLimits) {
    super(input, init);
    this.#limits = limits;
  }

  clone(): LimitedRequest {
    const copy = NativeRequest.prototype.clone.call(this) as WebRequest;
    return new LimitedRequest(copy, {}, this.#limits);
  }

  async bytes(): Promise<Uint8Array> {
    return await this.#read();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.#read()).buffer as ArrayBuffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.#read());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async blob(): Promise<Blob> {
    const bytes = (await this.#read()) as Uint8Array<ArrayBuffer>;
    return new Blob([bytes], { type: this.headers.get('content-type') ?? '' });
  }

  formData(): Promise<FormData> {
    const type = this.headers.get('content-type') ?? '';
    const read = async (): Promise<Buffer> => Buffer.from(await this.#read());
    // The body is used, as by Node's own call, also where its type is not one of a form.
    if (this.bodyUsed) return Promise.reject(new TypeError('Body is unusable'));
    return formFrom(type, this.#limits, read).catch(bodyError);
  }

  #read(): Promise<Uint8Array> {
    const { body, bodyUsed } = this;
    if (bodyUsed) return Promise.reject(new TypeError('Body is unusable'));
    if (body === null) return Promise.resolve(new Uint8Array(0));
    return readLimited(body as ReadableStream<Uint8Array>, this.#limits.bodyBytesMax);
  }
}

Object.defineProperty(LimitedRequest, 'name', { value: 'Request' });

/** All of a stream; rejects with a 413 when there is more. */
export async function readLimited(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > bytesMax) {
      reader.cancel().catch(() => {});
      bodyError(new HttpError(413));
    }
    chunks.push(value);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
