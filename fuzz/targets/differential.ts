// Streams of requests, compared with llhttp, the parser of node:http: every difference must be in
// the list of intended ones.

import { compare } from '../../spec/model/compare.ts';
import type { Target } from '../engine/target.ts';
import { check } from '../oracles/check.ts';
import { STREAM_BYTES_MAX } from '../oracles/model.ts';
import { requests } from './messages.ts';

export const target: Target = {
  name: 'differential',
  bytesMax: STREAM_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 1_000_000,
  seeds: [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.0\r\n\r\n',
    'POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  ],
  words: [],
  mutations: [requests],
  run: (input) => {
    const unlisted = compare(input).filter(({ id }) => id === '');
    check(unlisted.length === 0, `not a listed difference: ${unlisted[0]?.what}`);
  },
};
