// Whole connections: reactor, connections and handlers over a driver in memory.

import type { Target } from '../engine/target.ts';
import {
  CONNECTION_BYTES_MAX,
  CONNECTION_CONTROL_BYTES,
  checkConnection,
} from '../oracles/connection.ts';
import { requests } from './messages.ts';

export const target: Target = {
  name: 'connection',
  bytesMax: CONNECTION_BYTES_MAX,
  controlBytes: CONNECTION_CONTROL_BYTES,
  stepsMax: 2_000_000,
  seeds: [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /later HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /void HTTP/1.0\r\n\r\n',
    'PUT /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    'GET /write HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n',
    'POST /trailers HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n' +
      '\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n',
    'GET /x/a%2fb?c=d HTTP/1.1\r\nHost: a\r\n\r\nGET /fail HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST /fields HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab' +
      'POST /throw HTTP/1.1\r\nHost:\r\n\r\n',
  ],
  words: ['/echo', '/stream', '/trailers', '/later', '/write', '/fields', '/x/', '/fail', '/throw'],
  mutations: [requests],
  run: checkConnection,
};
