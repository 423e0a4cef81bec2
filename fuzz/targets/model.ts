// Streams of requests: the parser reads what the model reads.

import type { Target } from '../engine/target.ts';
import { checkStream, STREAM_BYTES_MAX } from '../oracles/model.ts';
import { requests } from './messages.ts';

export const target: Target = {
  name: 'model',
  bytesMax: STREAM_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 1_000_000,
  seeds: [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  ],
  words: [],
  mutations: [requests],
  run: checkStream,
};
