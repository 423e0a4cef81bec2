// The response to an injected request. Its content is read from the connection as it is used, and
// up to a limit before that, so that a short response that is not read ends nevertheless.

import { Changes } from '../../base/changes.ts';
import type { InjectedHead } from './response-reader.ts';

/** Where the content comes from. */
export interface ContentParts {
  readonly head: InjectedHead;
  readonly trailers: Headers;
  /** The next bytes; null at the end. */
  readonly next: () => Promise<Uint8Array | null>;
  /** Called once, when all content was read, or reading has failed. */
  readonly ended: () => void;
  /** The client leaves. */
  readonly leave: () => void;
  /** Keeps the process alive while something waits for the server. */
  readonly hold: (on: boolean) => void;
}

/** Content that is received before it is read; the server waits beyond it. */
const AHEAD_BYTES_MAX = 64 * 1024;

/** What a client of server.inject() receives; it resolves when the head is there. */
export class InjectedResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** Complete when the content was read to its end. The client must send `TE: trailers`. */
  readonly trailers: Headers;
  readonly #parts: ContentParts;
  readonly #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #isComplete = false;
  #failure: { readonly error: unknown } | null = null;
  #isWanted = false;
  readonly #changes = new Changes();
  #whole: Promise<Uint8Array> | null = null;
  #stream: ReadableStream<Uint8Array> | null = null;

  constructor(parts: ContentParts) {
    this.#parts = parts;
    this.status = parts.head.status;
    this.statusText = parts.head.statusText;
    this.headers = parts.head.headers;
    this.trailers = parts.trailers;
    void this.#receive();
  }

  /** Receives ahead of the reader. Never rejects. */
  async #receive(): Promise<void> {
    try {
      for (;;) {
        while (this.#chunkBytes >= AHEAD_BYTES_MAX && !this.#isWanted) await this.#changes.next();
        const chunk = await this.#parts.next();
        if (chunk === null) break;
        this.#chunks.push(chunk);
        this.#chunkBytes += chunk.length;
        this.#changes.happened();
      }
      this.#isComplete = true;
    } catch (error) {
      this.#failure = { error };
    }
    this.#parts.ended();
    this.#changes.happened();
  }

  /** The next chunk; null at the end. */
  async #next(): Promise<Uint8Array | null> {
    this.#isWanted = true;
    this.#parts.hold(true);
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#chunkBytes -= chunk.length;
          return chunk;
        }
        if (this.#failure !== null) throw this.#failure.error;
        if (this.#isComplete) return null;
        const next = this.#changes.next();
        await next;
      }
    } finally {
      this.#isWanted = false;
      this.#parts.hold(false);
      this.#changes.happened();
    }
  }

  /** The content as it arrives. Cancelling it is leaving: the connection is reset. */
  get body(): ReadableStream<Uint8Array> {
    if (this.#whole !== null)
      throw new TypeError('the content was read by bytes(), text() or json()');
    this.#stream ??= new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.#next();
          if (chunk === null) controller.close();
          else controller.enqueue(chunk);
        },
        cancel: () => {
          if (this.#isComplete) return;
          this.#parts.leave();
          // What receives ahead goes on, to the end that this is.
          this.#isWanted = true;
          this.#changes.happened();
        },
      },
      { highWaterMark: 0 },
    );
    return this.#stream;
  }

  /** All of the content; can be called again. Rejects when the response is truncated. */
  bytes(): Promise<Uint8Array> {
    if (this.#stream !== null) {
      return Promise.reject(new TypeError('the content is read as a stream: use body'));
    }
    this.#whole ??= this.#readAll();
    return this.#whole;
  }

  async #readAll(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (let chunk = await this.#next(); chunk !== null; chunk = await this.#next()) {
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  }

  /** The content as UTF-8. */
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** The content as JSON; rejects where it is none, or truncated. */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }
}
