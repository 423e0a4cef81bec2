// Streams of pipelined requests from the grammar of RFC 9112: mostly valid, sometimes slightly
// invalid. The first option of each choice is the simplest, see choices.ts.

import type { Draw } from '../../testing/random.ts';
import { once, pick } from './choices.ts';
import { generateBody } from './generate-body.ts';
import { generateTarget } from './generate-target.ts';
import { Sink } from './sink.ts';

/** How the end of a message is determined. */
export const Body = { None: 0, Length: 1, Chunked: 2 } as const;
export type Body = (typeof Body)[keyof typeof Body];

/** One choice in so many violates the grammar, or is valid and rejected. */
const ODD = 100;

/** Maximum requests of a stream. */
const REQUESTS_MAX = 4;

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE'];
const OTHER_METHODS = ['PROPFIND', 'M-SEARCH', 'QUERY', 'PURGE', 'BREW', "!#$%&'*+-.^_`|~0aZ"];
const ODD_METHODS = ['get', 'G ET', 'G\tET', '', 'GET\x80', 'G:T', 'A'.repeat(32), 'A'.repeat(33)];
const ODD_VERSIONS = [
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.10',
  'HTTP/01.1',
  'http/1.1',
  'HTTP/1,1',
  'HTTP/1.',
  'HTTP/ 1.1',
  'HTTP',
  '',
  'ICE/1.0',
  'RTSP/1.0',
  'HTTP/1.1 ',
];
const ODD_ENDS = ['\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\t\r\n', '\0\r\n', '\r\n\r\n', '\r\n '];
const ODD_SEPARATORS = ['\t', '  ', '', '\x0b', '\x0c', '\r\n', '\xa0'];

const HOSTS = ['a', 'example.com', 'example.com:8080', '127.0.0.1', '[::1]:80', 'a:', ''];
const ODD_HOSTS = ['a b', 'a@b', 'a/b', ':80', '[::1', 'a:65536', 'a:8x', 'a,b', 'a%2', '\xe9'];
const NAMES = ['Accept', 'X-A', 'Cookie', 'User-Agent', 'x', 'Upgrade', 'Connection', 'TE'];
const VALUES = ['a', 'text/html, */*;q=0.8', '', 'a  b', '\xe9t\xe9', 'h2c', 'close', 'keep-alive'];
const OPTIONS = [
  'Upgrade',
  'keep-alive',
  'close',
  'trailers',
  'a, close',
  'TE, trailers',
  ',close,',
];
const ODD_LINES = [
  'Name : a',
  ' Name: a',
  '\tfold',
  'Na me: a',
  ': a',
  'Name',
  'N\xe4me: a',
  'Name: \0',
  'Name: \x7f',
  'Name: a\x0bb',
  'Name: a\rb',
  'Name\0: a',
  'Expect: 100-continue, a',
  'Expect: 200-ok',
  'Expect: 100-CONTINUE',
];
const SPACES = [' ', '', '  ', '\t', ' \t '];
const CODINGS = ['chunked', 'Chunked', 'CHUNKED', ' chunked\t'];
const ODD_CODINGS = [
  'gzip, chunked',
  'chunked, chunked',
  'chunked, gzip',
  'identity',
  'gzip',
  'chunked,',
  ', chunked',
  'chunked;a=b',
  'x"chunked"',
  'xchunked',
  '',
];

/** Writes a stream into `bytes`, truncated when it does not fit; returns its length. */
export function generateInto(random: Draw, bytes: Uint8Array): number {
  const sink = new Sink(bytes);
  const count = 1 + random(REQUESTS_MAX);
  for (let index = 0; index < count && sink.hasRoom(1); index++) generateRequest(random, sink);
  return sink.length;
}

/** A stream in new memory. */
export function generate(random: Draw, bytesMax: number = 2_048): Uint8Array {
  const bytes = new Uint8Array(bytesMax);
  return bytes.slice(0, generateInto(random, bytes));
}

/** Writes one request, sometimes an invalid one. */
export function generateRequest(random: Draw, sink: Sink): void {
  if (once(random, 12)) sink.text(once(random, 4) ? pick(random, ODD_ENDS) : '\r\n');
  const method = generateMethod(random);
  sink.text(method);
  sink.text(separator(random));
  generateTarget(random, sink, method);
  sink.text(separator(random));
  const old = once(random, 10);
  if (once(random, ODD)) sink.text(pick(random, ODD_VERSIONS));
  else sink.text(old ? 'HTTP/1.0' : 'HTTP/1.1');
  sink.text(lineEnd(random));
  const body = bodyKind(random, old);
  const length = body === Body.Length ? contentLength(random) : 0;
  const before = random(3);
  for (let index = 0; index < before; index++) generateField(random, sink);
  if (!once(random, old ? 3 : ODD)) field(random, sink, 'Host', hostOf(random));
  if (body !== Body.None) framing(random, sink, body, length);
  const after = random(3);
  for (let index = 0; index < after; index++) generateField(random, sink);
  sink.text(lineEnd(random));
  if (body === Body.Length) octets(random, sink, length);
  if (body === Body.Chunked) generateBody(random, sink);
}

function generateMethod(random: Draw): string {
  if (once(random, ODD)) return pick(random, ODD_METHODS);
  return once(random, 10) ? pick(random, OTHER_METHODS) : pick(random, METHODS);
}

function separator(random: Draw): string {
  return once(random, 2 * ODD) ? pick(random, ODD_SEPARATORS) : ' ';
}

function lineEnd(random: Draw): string {
  return once(random, 2 * ODD) ? pick(random, ODD_ENDS) : '\r\n';
}

function bodyKind(random: Draw, old: boolean): number {
  const kind = random(3);
  return kind === Body.Chunked && old && !once(random, 4) ? Body.Length : kind;
}

function hostOf(random: Draw): string {
  return once(random, ODD) ? pick(random, ODD_HOSTS) : pick(random, HOSTS);
}

function generateField(random: Draw, sink: Sink): void {
  if (once(random, ODD)) {
    sink.text(pick(random, ODD_LINES));
    sink.text(lineEnd(random));
    return;
  }
  const name = pick(random, NAMES);
  const value = name === 'Connection' || name === 'TE' ? pick(random, OPTIONS) : undefined;
  field(random, sink, name, value ?? pick(random, VALUES));
  if (once(random, ODD)) field(random, sink, 'Expect', '100-continue');
}

/** A field line with its name in any case and white space around its value. */
function field(random: Draw, sink: Sink, name: string, value: string): void {
  const letters = random(8);
  if (letters === 7) sink.text(name.toUpperCase());
  else sink.text(letters > 3 ? name.toLowerCase() : name);
  sink.text(':');
  sink.text(pick(random, SPACES));
  sink.text(value);
  if (once(random, 8)) sink.text(pick(random, SPACES));
  sink.text(lineEnd(random));
}

/** The framing fields; sometimes one too many. */
function framing(random: Draw, sink: Sink, body: number, length: number): void {
  if (body === Body.Chunked || once(random, ODD)) {
    const odd = once(random, ODD);
    field(random, sink, 'Transfer-Encoding', pick(random, odd ? ODD_CODINGS : CODINGS));
    if (once(random, ODD)) field(random, sink, 'Transfer-Encoding', pick(random, CODINGS));
  }
  if (body === Body.Length || once(random, ODD)) {
    field(random, sink, 'Content-Length', decimal(random, length));
    if (once(random, ODD)) field(random, sink, 'Content-Length', decimal(random, length));
  }
}

function decimal(random: Draw, length: number): string {
  if (!once(random, ODD)) return String(length);
  const forms = [
    `0${length}`,
    `+${length}`,
    `-${length}`,
    `${length}, ${length}`,
    `${length + 1}`,
    `0x${length.toString(16)}`,
    `${length}.0`,
    `${length} 0`,
    `${length}\0`,
    '',
    '9007199254740991',
    '9007199254740992',
    `${2n ** 64n + BigInt(length)}`,
  ];
  return pick(random, forms);
}

function contentLength(random: Draw): number {
  return once(random, 20) ? random(300) : random(9);
}

/** A body of a known length; it may be any bytes, also those of another request. */
function octets(random: Draw, sink: Sink, length: number): void {
  const text = pick(random, [
    'hello, world',
    '\r\n\r\n',
    '0\r\n\r\n',
    'GET / HTTP/1.1\r\n',
    '\0\xff',
  ]);
  const first = random(text.length);
  for (let index = 0; index < length; index++) {
    sink.byte(text.charCodeAt((first + index) % text.length));
  }
}
