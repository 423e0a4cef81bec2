// The content codings of `vibing compress`: their file names, their levels, and which files are
// worth it.

import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { mediaType } from '../../exchange/media-type.ts';

export const LEVELS = ['fast', 'good', 'best'] as const;
export type Level = (typeof LEVELS)[number];

export interface Coding {
  readonly name: 'br' | 'gzip' | 'zstd';
  /** What the name of a variant ends with. */
  readonly extension: string;
  readonly isAvailable: boolean;
  /** A stream that compresses `bytes` bytes. */
  readonly compressor: (level: Level, bytes: number) => Transform;
}

/** Newer versions of Node have zstd, which the types of the oldest one do not. */
const newer = zlib as unknown as {
  readonly createZstdCompress?: (options: object) => Transform;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
};

const BROTLI_LEVEL = { fast: 4, good: 8, best: 11 } as const;
const GZIP_LEVEL = { fast: 4, good: 6, best: 9 } as const;
const ZSTD_LEVEL = { fast: 3, good: 11, best: 19 } as const;

export const CODINGS: readonly Coding[] = [
  {
    name: 'br',
    extension: '.br',
    isAvailable: true,
    compressor: (level, bytes) => {
      const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
      const params = {
        [BROTLI_PARAM_QUALITY]: BROTLI_LEVEL[level],
        // A hint of 32 bits.
        [BROTLI_PARAM_SIZE_HINT]: Math.min(bytes, 2 ** 31 - 1),
      };
      return zlib.createBrotliCompress({ params });
    },
  },
  {
    name: 'gzip',
    extension: '.gz',
    isAvailable: true,
    compressor: (level) => zlib.createGzip({ level: GZIP_LEVEL[level], memLevel: 9 }),
  },
  {
    name: 'zstd',
    extension: '.zst',
    isAvailable: newer.createZstdCompress !== undefined,
    compressor: (level) => {
      const key = newer.constants.ZSTD_c_compressionLevel ?? 0;
      const stream = newer.createZstdCompress?.({ params: { [key]: ZSTD_LEVEL[level] } });
      if (stream === undefined) throw new Error('this Node has no zstd');
      return stream;
    },
  },
];

const COMPRESSIBLE: readonly RegExp[] = [
  /^text\//,
  /^application\/(?:json|javascript|xml|wasm|rtf|x-sh|x-tar|vnd\.ms-fontobject)$/,
  /[+/](?:json|xml|text)$/,
  /^font\/(?:ttf|otf|collection)$/,
  /^image\/(?:bmp|x-icon|vnd\.microsoft\.icon)$/,
];

/** Whether the media type of a file is one that compresses well. */
export function isCompressible(name: string): boolean {
  const type = mediaType(name).split(';', 1)[0];
  return COMPRESSIBLE.some((types) => types.test(type));
}

/** The coding of a variant by its name. */
export function codingOf(name: string): Coding | undefined {
  return CODINGS.find(({ extension }) => name.endsWith(extension));
}
