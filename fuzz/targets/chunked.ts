// Chunked bodies: ChunkedDecoder, with extensions and trailers.

import type { Target } from '../engine/target.ts';
import { CHUNKED_BYTES_MAX, checkChunked } from '../oracles/chunked.ts';
import { chunks } from './messages.ts';

export const target: Target = {
  name: 'chunked',
  bytesMax: CHUNKED_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 100_000,
  seeds: ['5\r\nhello\r\n0\r\n\r\n', '1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n'],
  words: [],
  mutations: [chunks],
  run: checkChunked,
};
