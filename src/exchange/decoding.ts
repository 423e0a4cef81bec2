// Decodes the body of a request on its way to the handler, up to a number of bytes: a few received
// bytes can make millions.

import { type ContentCoding, type ContentStream, OutputLimitError } from '../async-io/async-io.ts';
import { joined } from '../base/bytes.ts';
import { NOT_ARRIVED } from './body-reader.ts';
import type { Exchange, Transport } from './exchange.ts';
import { ForwardingTransport } from './forwarding.ts';
import { clientGone } from './gone.ts';
import { HttpError } from './http-error.ts';

/** Input is decoded in parts of this size: the output of a part is in memory at once. */
const PART_BYTES = 4_096;

export class DecodingTransport extends ForwardingTransport {
  /** The most bytes of the decoded body; undefined: the limit of any body. */
  limit: number | undefined;
  readonly #coding: ContentCoding;
  #decoder: ContentStream | null = null;
  #isOpen = true;
  /** What was received and not decoded yet, from #from on. */
  #input: Uint8Array = new Uint8Array(0);
  #from = 0;
  #hasEnded = false;
  /** What a read has failed with: all later ones do. */
  #failure: HttpError | null = null;

  constructor(inner: Transport, coding: ContentCoding, limit: number | undefined) {
    super(inner);
    this.#coding = coding;
    this.limit = limit;
  }

  /** What has arrived is encoded. */
  override readNow(): unknown {
    return NOT_ARRIVED;
  }

  /** `bytesMax` is that of the call; the connection limits what it receives by it as well. */
  override async readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    const encoded = await this.inner.readAll(exchange, bytesMax);
    if (encoded.length === 0) return encoded;
    const isUsual = bytesMax === exchange.bodyLimit;
    const { limit = Number.POSITIVE_INFINITY } = this;
    const most = isUsual ? this.#most(exchange) : Math.min(bytesMax, limit);
    return await this.#decode(exchange, most, (decoder) => decoder.finish(encoded));
  }

  /** Of decompress() and bodyLimit() the least applies. */
  #most({ bodyBytesMax, bodyLimit }: Exchange): number {
    const most = this.limit ?? bodyLimit;
    return bodyBytesMax < 0 ? most : Math.min(most, bodyBytesMax);
  }

  override async readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    if (this.#failure !== null) throw this.#failure;
    while (!this.#hasEnded) {
      const output = await this.#decodeNext(exchange);
      if (output.length > 0) return output;
    }
    return null;
  }

  async #decodeNext(exchange: Exchange): Promise<Uint8Array> {
    const most = this.#most(exchange);
    if (this.#from === this.#input.length) {
      const chunk = await this.inner.readChunk(exchange);
      if (chunk === null) {
        this.#hasEnded = true;
        // A body without bytes has nothing to decode.
        if (this.#decoder === null) return new Uint8Array(0);
        return await this.#decode(exchange, most, (decoder) => decoder.finish());
      }
      this.#input = chunk;
      this.#from = 0;
    }
    const part = this.#input.subarray(this.#from, this.#from + PART_BYTES);
    this.#from += part.length;
    if (part.length === 0) return part;
    return await this.#decode(exchange, most, (decoder) => decoder.write(part));
  }

  async #decode(
    exchange: Exchange,
    most: number,
    call: (decoder: ContentStream) => Promise<Uint8Array>,
  ): Promise<Buffer> {
    // The exchange may leave while a chunk is received or decoded.
    if (!this.#isOpen) throw bodyOver(exchange);
    this.#decoder ??= exchange.services.asyncIo.decoder(this.#coding, most);
    try {
      // The memory of a decoder has bytes of other requests.
      return joined([await call(this.#decoder)]);
    } catch (cause) {
      this.#decoder.close();
      if (!this.#isOpen) throw bodyOver(exchange);
      this.#failure = errorOf(cause, this.#coding, most);
      throw this.#failure;
    }
  }

  override detached(): void {
    this.#isOpen = false;
    this.#decoder?.close();
    this.inner.detached();
  }
}

/** What decodes the body of a request; null when nothing does. */
export function decodingOf({ transport }: Exchange): DecodingTransport | null {
  let at: Transport = transport;
  while (at instanceof ForwardingTransport) {
    if (at instanceof DecodingTransport) return at;
    at = at.inner;
  }
  return null;
}

function bodyOver(exchange: Exchange): Error {
  if (exchange.gone) return clientGone();
  return new Error('the body cannot be read any more: this request is over');
}

function errorOf(cause: unknown, coding: ContentCoding, bytesMax: number): HttpError {
  if (cause instanceof OutputLimitError) {
    return new HttpError(413, `the decoded body has more than ${bytesMax} bytes`, { cause });
  }
  return new HttpError(400, `the body is not valid ${coding}`, { cause });
}
