// Malformed requests, and requests that a server has to reject, with the status code that RFC 9110
// and 9112 ask for: one for each rule.

const CHUNKED = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

export interface Garbage {
  readonly status: number;
  readonly text: string;
}

function get(fields: string, target = '/hello', version = '1.1'): string {
  return `GET ${target} HTTP/${version}\r\n${fields}\r\n`;
}

function post(fields: string): string {
  return `POST /echo HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

const BAD: readonly string[] = [
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello there, this is no HTTP\r\n\r\n',
  get('Host: a\r\n', '/he llo'),
  get('Host: a\r\n', '/he\x01llo'),
  get('Host: a\r\n', 'hello'),
  'GET /hello HTTP/x.1\r\nHost: a\r\n\r\n',
  'GET /hello HTTP/1.1\nHost: a\n\n',
  'GET /hello HTTP/1.1\rHost: a\r\r',
  get('Host: a\r\nBad Name: x\r\n'),
  get('Host: a\r\nX-Bad: a\x00b\r\n'),
  get('Host: a\r\nX-Folded: a\r\n b\r\n'),
  get(''),
  get('Host: a\r\nHost: b\r\n', '/'),
  get('Host: a/b\r\n'),
  post('Content-Length: 3\r\nContent-Length: 4\r\n'),
  post('Content-Length: three\r\n'),
  post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n'),
  post('Transfer-Encoding: chunked, gzip\r\n'),
  `${CHUNKED}3\r\nabcdef\r\n0\r\n\r\n`,
  `${CHUNKED}x\r\n`,
  `${CHUNKED}3;${'e'.repeat(5000)}\r\nabc\r\n0\r\n\r\n`,
  `${CHUNKED}3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n`,
];

export const GARBAGE: readonly Garbage[] = [
  ...BAD.map((text) => ({ status: 400, text })),
  { status: 501, text: post('Transfer-Encoding: elsewhere, chunked\r\n') },
  { status: 501, text: `${'M'.repeat(40)} /hello HTTP/1.1\r\nHost: a\r\n\r\n` },
  { status: 505, text: get('Host: a\r\n', '/hello', '2.0') },
  { status: 413, text: post(`Content-Length: ${'9'.repeat(20)}\r\n`) },
  { status: 417, text: get('Host: a\r\nExpect: a-miracle\r\n') },
  { status: 431, text: get(`Host: a\r\n${'X: y\r\n'.repeat(150)}`) },
  { status: 431, text: `${CHUNKED}0\r\n${`X-Long: ${'t'.repeat(900)}\r\n`.repeat(10)}\r\n` },
];
