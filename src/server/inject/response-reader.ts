// Reads the response to an injected request from its connection: the head, then the content in
// chunks. Our own server sent it, so its syntax is not checked.

import { assert } from '../../base/assert.ts';
import type { MemoryClient } from '../../driver/memory/socket.ts';
import { ChunkEvent, ChunkedDecoder } from '../../http/chunked.ts';
import { hasNoContent } from '../../http/status.ts';

export interface InjectedHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
}

/** What of the content has not been read: a length, or what follows from the chunks. */
const CHUNKED = -1;

const NO_BYTES: Uint8Array = new Uint8Array(0);
const HEAD_END = Buffer.from('\r\n\r\n');

const UNLIMITED = {
  chunkExtensionBytesMax: 0,
  trailerBytesMax: Number.MAX_SAFE_INTEGER,
  // Field counts are bytes.
  fieldsMax: 1_000,
} as const;

export class ResponseReader {
  readonly trailers: Headers = new Headers();
  readonly #client: MemoryClient;
  readonly #isHead: boolean;
  readonly #decoder = new ChunkedDecoder();
  /** Bytes that were received and not parsed. */
  #bytes = NO_BYTES;
  #remaining = 0;

  /** `isHead`: the response has no content, whatever its fields say. */
  constructor(client: MemoryClient, isHead: boolean) {
    this.#client = client;
    this.#isHead = isHead;
  }

  /** The final head; interim ones (1xx) are skipped. Rejects when the connection ends before. */
  async head(): Promise<InjectedHead> {
    for (;;) {
      const end = Buffer.from(
        this.#bytes.buffer,
        this.#bytes.byteOffset,
        this.#bytes.length,
      ).indexOf(HEAD_END);
      if (end >= 0) {
        const head = parse(Buffer.from(this.#bytes.subarray(0, end)).toString('latin1'));
        this.#bytes = this.#bytes.subarray(end + HEAD_END.length);
        if (head.status >= 200) return this.#frame(head);
      } else if (!(await this.#receive())) {
        const how = this.#client.isReset ? 'reset' : 'closed';
        throw new Error(`inject(): the server ${how} the connection without a response`);
      }
    }
  }

  #frame(head: InjectedHead): InjectedHead {
    const { status, headers } = head;
    if (this.#isHead || hasNoContent(status)) this.#remaining = 0;
    else if (headers.get('transfer-encoding') === 'chunked') this.#remaining = CHUNKED;
    else {
      const length = headers.get('content-length');
      assert(length !== null, 'a response to HTTP/1.1 has its length');
      this.#remaining = Number(length);
    }
    return head;
  }

  /** The next bytes of the content; null at its end. Rejects when it is truncated. */
  async next(): Promise<Uint8Array | null> {
    while (this.#remaining !== 0) {
      const chunk = this.#remaining === CHUNKED ? this.#nextChunk() : this.#nextOfLength();
      if (chunk !== null) return chunk;
      if (this.#remaining !== 0 && !(await this.#receive())) {
        throw new Error('inject(): the response is truncated: the connection ended before it');
      }
    }
    return null;
  }

  #nextOfLength(): Uint8Array | null {
    const bytes = this.#bytes.subarray(0, this.#remaining);
    if (bytes.length === 0) return null;
    this.#bytes = this.#bytes.subarray(bytes.length);
    this.#remaining -= bytes.length;
    return bytes;
  }

  #nextChunk(): Uint8Array | null {
    const bytes = this.#bytes;
    const decoder = this.#decoder;
    const event = decoder.next(bytes, 0, bytes.length, UNLIMITED);
    assert(event >= 0, 'the chunks of a response are valid');
    this.#bytes = bytes.subarray(decoder.position);
    if (event === ChunkEvent.Data) return bytes.subarray(decoder.dataStart, decoder.dataEnd);
    if (event === ChunkEvent.Done) this.#end();
    return null;
  }

  #end(): void {
    this.#remaining = 0;
    const decoder = this.#decoder;
    for (let index = 0; index < decoder.trailerCount; index++) {
      this.trailers.append(decoder.trailerName(index), decoder.trailerValue(index));
    }
  }

  /** Waits for more bytes; false at the end of the stream. */
  async #receive(): Promise<boolean> {
    for (;;) {
      const chunk = this.#client.read();
      if (chunk !== null) {
        this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
        return true;
      }
      if (this.#client.isEnded) return false;
      await this.#client.changed();
    }
  }
}

function parse(text: string): InjectedHead {
  const [first, ...lines] = text.split('\r\n');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(first.slice(9, 12)), statusText: first.slice(13), headers };
}
