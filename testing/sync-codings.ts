// Content codings for asynchronous I/O in memory: synchronous, so that time is the simulator's. An
// encoder makes all of its output at the end.

import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from 'node:zlib';
import {
  type ContentCoding,
  type ContentStream,
  OutputLimitError,
} from '../src/async-io/async-io.ts';

/** A promise of a result, at the time that the user of this file decides. */
export type Later = <T>(result: () => T) => Promise<T>;

export const SYNC_CODINGS: readonly ContentCoding[] = ['gzip', 'deflate', 'br'];

export function syncCompress(coding: ContentCoding, bytes: Uint8Array, level: number): Uint8Array {
  if (coding === 'gzip') return gzipSync(bytes, { level });
  if (coding === 'deflate') return deflateSync(bytes, { level });
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: level } });
}

export function syncEncoder(later: Later, coding: ContentCoding, level: number): ContentStream {
  return new SyncStream(later, (bytes) => syncCompress(coding, bytes, level));
}

export function syncDecoder(later: Later, coding: ContentCoding, bytesMax: number): ContentStream {
  return new SyncStream(later, (bytes) => {
    const output = syncDecompress(coding, bytes);
    if (output.length > bytesMax) throw new OutputLimitError('too much output');
    return output;
  });
}

/** A coding of SYNC_CODINGS; throws for malformed bytes. */
export function syncDecompress(coding: ContentCoding, bytes: Uint8Array): Uint8Array {
  if (coding === 'gzip') return gunzipSync(bytes);
  return coding === 'deflate' ? inflateSync(bytes) : brotliDecompressSync(bytes);
}

class SyncStream implements ContentStream {
  readonly #later: Later;
  readonly #convert: (bytes: Uint8Array) => Uint8Array;
  readonly #input: Uint8Array[] = [];
  #isOpen = true;

  constructor(later: Later, convert: (bytes: Uint8Array) => Uint8Array) {
    this.#later = later;
    this.#convert = convert;
  }

  write(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#later(() => {
      this.#input.push(new Uint8Array(bytes));
      return this.#output(() => new Uint8Array(0));
    });
  }

  finish(bytes: Uint8Array = new Uint8Array(0)): Promise<Uint8Array> {
    return this.#later(() => {
      this.#input.push(bytes);
      return this.#output(() => this.#convert(Buffer.concat(this.#input)));
    });
  }

  #output(make: () => Uint8Array): Uint8Array {
    if (this.#isOpen) return make();
    throw new Error('the stream was closed');
  }

  close(): void {
    this.#isOpen = false;
  }
}
