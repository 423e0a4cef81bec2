// Encodes the chunks of a response on their way to the connection, one after the other: the next
// one is encoded when there is room for the output of the one before. Each is flushed, so that a
// client sees what was written.

import type { ContentStream } from '../async-io/async-io.ts';
import { INLINE_BYTES } from './content.ts';
import type { Exchange, Transport } from './exchange.ts';
import { ForwardingTransport } from './forwarding.ts';
import { lateRejection, quick, quietly, writeRefusal } from './late.ts';
import { asPart } from './parts.ts';

const SETTLED: Promise<void> = Promise.resolve();

export class EncodingTransport extends ForwardingTransport {
  readonly #encoder: ContentStream;
  readonly #closed: () => void;
  /** What was declared of the content and not written yet; -1 when nothing was declared. */
  #owedBytes: number;
  /** Resolves when all that was written before is on its way. */
  #last: Promise<void> = SETTLED;
  /** What was written and waits for the chunks before. */
  #waitingBytes = 0;
  #isOpen = true;

  /** `closed` is called once, when the encoder was released. */
  constructor(inner: Transport, encoder: ContentStream, owedBytes: number, closed: () => void) {
    super(inner);
    this.#encoder = encoder;
    this.#owedBytes = owedBytes;
    this.#closed = closed;
  }

  override write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void> {
    if (chunk.length === 0) return quick(exchange, this.#last);
    let refusal = writeRefusal(exchange, this.waitingBytes());
    const bytes = memoryOf(chunk, borrowed);
    if (this.#owedBytes >= 0) {
      if (bytes.length > this.#owedBytes) {
        refusal = new TypeError('more was written than Content-Length announced');
      }
      this.#owedBytes -= bytes.length;
    }
    if (refusal !== null) {
      this.#failed(exchange, refusal);
      return lateRejection(exchange, false, refusal);
    }
    this.#waitingBytes += bytes.length;
    exchange.services.meter?.compressed(bytes.length, 0);
    return this.#then(async () => {
      await this.#send(exchange, () => this.#encoder.write(bytes));
      this.#waitingBytes -= bytes.length;
    });
  }

  override waitingBytes(): number {
    return this.#waitingBytes + this.inner.waitingBytes();
  }

  /** The file must be read: the kernel cannot encode it. */
  override writeFile(): null {
    return null;
  }

  override endStream(exchange: Exchange): void {
    // No call adds to the stream from now on, although its end is sent later.
    exchange.releaseWriter();
    if (this.#owedBytes > 0) {
      const what = `the stream ended ${this.#owedBytes} bytes before its Content-Length`;
      this.#failed(exchange, new TypeError(what));
      return;
    }
    const ended = this.#then(async () => {
      await this.#send(exchange, () => this.#encoder.finish());
      if (!this.#isOpen) return;
      this.#close();
      this.inner.endStream(exchange);
    });
    void asPart(exchange, ended);
  }

  #then(step: () => Promise<void>): Promise<void> {
    const done = this.#last.then(step);
    this.#last = quietly(done).catch(() => {});
    return done;
  }

  async #send(exchange: Exchange, encoded: () => Promise<Uint8Array>): Promise<void> {
    if (!this.#isOpen) return;
    let bytes: Uint8Array;
    try {
      bytes = await encoded();
    } catch (error) {
      if (this.#isOpen) this.#failed(exchange, error);
      return;
    }
    exchange.services.meter?.compressed(0, bytes.length);
    if (this.#isOpen && bytes.length > 0) await this.inner.write(exchange, bytes, false);
  }

  #failed(exchange: Exchange, error: unknown): void {
    exchange.services.handlerFailed(exchange, error, 'the response was truncated: ');
    this.abandon(exchange);
  }

  override abandon(exchange: Exchange): void {
    this.#close();
    this.inner.abandon(exchange);
  }

  override detached(): void {
    this.#close();
    this.inner.detached();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#encoder.close();
    this.#closed();
  }
}

/** Bytes that stay the same until they are encoded: callers may change short chunks at once. */
function memoryOf(chunk: string | Uint8Array, borrowed: boolean): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, 'utf8');
  return borrowed || chunk.length > INLINE_BYTES ? chunk : new Uint8Array(chunk);
}
