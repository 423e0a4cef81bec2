// Heads of requests: parseHead() and frame().

import type { Target } from '../engine/target.ts';
import { checkHead, HEAD_BYTES_MAX } from '../oracles/head.ts';
import { requests } from './messages.ts';

export const target: Target = {
  name: 'head',
  bytesMax: HEAD_BYTES_MAX,
  controlBytes: 0,
  stepsMax: 100_000,
  seeds: [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /a?b HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabc',
  ],
  words: [],
  mutations: [requests],
  run: (input, thorough) => void checkHead(input, thorough),
};
