// The content codings of node:zlib (RFC 9110 8.4.1): at once, or chunk by chunk in the thread pool.

import type { Transform } from 'node:stream';
import { unreachable } from '../base/assert.ts';
import { builtInModule } from '../base/built-in-module.ts';
import { type ContentCoding, type ContentStream, OutputLimitError } from './async-io.ts';

type Zlib = typeof import('node:zlib');

/** Newer versions of Node have zstd, which the types of the oldest one do not. */
interface Newer {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  readonly createZstdCompress?: (options: object) => Transform;
  readonly createZstdDecompress?: (options: object) => Transform;
  readonly constants: {
    readonly ZSTD_c_compressionLevel?: number;
    readonly ZSTD_d_windowLogMax?: number;
    readonly ZSTD_e_flush?: number;
  };
}

let loaded: Zlib | null = null;

/** Loaded at its first use: most servers compress nothing. */
function zlib(): Zlib {
  loaded ??= builtInModule('node:zlib');
  return loaded;
}

function newer(): Newer {
  return zlib() as unknown as Newer;
}

let known: readonly ContentCoding[] | null = null;

export function codings(): readonly ContentCoding[] {
  known ??= hasZstd() ? ['gzip', 'deflate', 'br', 'zstd'] : ['gzip', 'deflate', 'br'];
  return known;
}

function hasZstd(): boolean {
  const { zstdCompressSync, createZstdCompress } = newer();
  return zstdCompressSync !== undefined && createZstdCompress !== undefined;
}

/** Output is made in parts of this size, each a task of the thread pool. */
const PART_BYTES = 32 * 1024;
const QUICK_PART_BYTES_MIN = 1024;

/**
 * The window of a brotli encoder of unknown length: 256 KiB instead of 4 MiB, in memory that every
 * open response has.
 */
const STREAM_WINDOW_BITS = 18;

/** Windows of zstd beyond 8 MiB are refused (RFC 8878 3.1.1.1.2). */
const ZSTD_WINDOW_BITS_MAX = 23;

export function compressNow(coding: ContentCoding, bytes: Uint8Array, level: number): Uint8Array {
  switch (coding) {
    case 'gzip':
      return zlib().gzipSync(bytes, { level, chunkSize: quickPartBytes(bytes.length) });
    case 'deflate':
      return zlib().deflateSync(bytes, { level, chunkSize: quickPartBytes(bytes.length) });
    case 'br':
      return zlib().brotliCompressSync(bytes, { params: brotliParams(level, bytes.length) });
    case 'zstd':
      return available(newer().zstdCompressSync)(bytes, zstdOptions(level));
    default:
      return unreachable(coding);
  }
}

/**
 * Most text becomes shorter than half; longer output takes a second part. Node's default, 16 KiB
 * for any content, costs 1.5 microseconds more.
 */
function quickPartBytes(bytes: number): number {
  return Math.min(Math.max(QUICK_PART_BYTES_MIN, bytes >> 1), PART_BYTES);
}

/** `bytes` is the length of the content, null when it is not known. */
export function encoderOf(
  coding: ContentCoding,
  level: number,
  bytes: number | null,
): ContentStream {
  return new ZlibStream(transformOf(coding, level, bytes), Number.POSITIVE_INFINITY);
}

function transformOf(coding: ContentCoding, level: number, bytes: number | null): Transform {
  const { BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib().constants;
  const chunkSize = PART_BYTES;
  switch (coding) {
    case 'gzip':
      return zlib().createGzip({ chunkSize, level, flush: Z_SYNC_FLUSH });
    case 'deflate':
      return zlib().createDeflate({ chunkSize, level, flush: Z_SYNC_FLUSH });
    case 'br': {
      const params = brotliParams(level, bytes);
      return zlib().createBrotliCompress({ chunkSize, params, flush: BROTLI_OPERATION_FLUSH });
    }
    case 'zstd': {
      const { ZSTD_e_flush: flush } = newer().constants;
      return available(newer().createZstdCompress)({ chunkSize, flush, ...zstdOptions(level) });
    }
    default:
      return unreachable(coding);
  }
}

export function decoderOf(coding: ContentCoding, bytesMax: number): ContentStream {
  const chunkSize = PART_BYTES;
  switch (coding) {
    case 'gzip':
      return new ZlibStream(zlib().createGunzip({ chunkSize }), bytesMax);
    case 'deflate':
      return new ZlibStream(zlib().createInflate({ chunkSize }), bytesMax);
    case 'br':
      return new ZlibStream(zlib().createBrotliDecompress({ chunkSize }), bytesMax);
    case 'zstd': {
      const key = newer().constants.ZSTD_d_windowLogMax ?? 0;
      const params = { [key]: ZSTD_WINDOW_BITS_MAX };
      return new ZlibStream(
        available(newer().createZstdDecompress)({ chunkSize, params }),
        bytesMax,
      );
    }
    default:
      return unreachable(coding);
  }
}

function brotliParams(level: number, bytes: number | null): Record<number, number> {
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib().constants;
  if (bytes === null) {
    return { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_LGWIN]: STREAM_WINDOW_BITS };
  }
  // A hint of 32 bits.
  const hint = Math.min(bytes, 2 ** 31 - 1);
  return { [BROTLI_PARAM_QUALITY]: level, [BROTLI_PARAM_SIZE_HINT]: hint };
}

function zstdOptions(level: number): object {
  return { params: { [newer().constants.ZSTD_c_compressionLevel ?? 0]: level } };
}

/** Callers choose among codings(). */
function available<T>(member: T | undefined): T {
  if (member === undefined) throw new Error('this Node has no zstd');
  return member;
}

/** Streams of zlib count the input that the coding has taken. */
type CodingStream = Transform & { readonly bytesWritten?: number };

class ZlibStream implements ContentStream {
  readonly #stream: CodingStream;
  readonly #bytesMax: number;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #inputBytes = 0;
  #fault: Error | null = null;
  /** Resolves finish(). */
  #resolve: ((output: Uint8Array) => void) | null = null;
  /** Rejects the call in progress. */
  #reject: (error: Error) => void = () => {};

  constructor(stream: CodingStream, bytesMax: number) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    stream.on('data', (part: Uint8Array) => this.#add(part));
    stream.on('end', () => this.#ended());
    stream.on('error', (error: Error) => this.#fail(error));
  }

  /**
   * A decoder ends as soon as it knows that bytes follow the end of the content, also within
   * write(), whose callback is not called then.
   */
  #ended(): void {
    const { bytesWritten = this.#inputBytes } = this.#stream;
    if (this.#resolve === null || bytesWritten !== this.#inputBytes) {
      this.#fail(new Error('bytes follow the end of the content'));
    } else this.#resolve(this.#taken());
  }

  #add(part: Uint8Array): void {
    this.#outputBytes += part.length;
    if (this.#outputBytes <= this.#bytesMax) this.#output.push(part);
    else this.#fail(new OutputLimitError(`the output has more than ${this.#bytesMax} bytes`));
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#output = [];
    this.#stream.destroy();
    this.#reject(this.#fault);
  }

  write(bytes: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== null) {
        reject(this.#fault);
        return;
      }
      this.#reject = reject;
      this.#inputBytes += bytes.length;
      this.#stream.write(bytes, () => {
        // In flowing mode this emits the parts that the stream still holds.
        this.#stream.read();
        resolve(this.#taken());
      });
    });
  }

  finish(bytes?: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== null) {
        reject(this.#fault);
        return;
      }
      this.#reject = reject;
      this.#resolve = resolve;
      this.#inputBytes += bytes?.length ?? 0;
      this.#stream.end(bytes);
    });
  }

  #taken(): Uint8Array {
    const output = this.#output;
    this.#output = [];
    return output.length === 1 ? output[0] : Buffer.concat(output);
  }

  close(): void {
    this.#fail(new Error('the stream was closed'));
  }
}
