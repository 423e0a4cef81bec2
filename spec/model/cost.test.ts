// The cost of parsing depends only on the length of the input, for any splits. It is counted in
// bytes that the parser reads, not in time.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { routePath } from '../../src/http/target.ts';
import { bytesOf, seeded } from '../../testing/splits.ts';
import type { ModelLimits } from './model-head.ts';
import { limits, runs, streams } from './streams.ts';
import { inPlace, readStream } from './subject.ts';
import { type Reads, Watch, watchedBytes } from './watched.ts';

/**
 * Maximum reads of one byte: once or twice by the parser, again where names, values and authorities
 * are compared. The bound must hold for any length; the exact number is not important.
 */
const READS_PER_BYTE = 8;
/** For reads of each message that do not depend on its length. */
const READS_PER_STREAM = 64;

const LARGE: ModelLimits = {
  headBytesMax: 262_144,
  targetBytesMax: 262_144,
  fieldsMax: 1_000,
  trailerBytesMax: 262_144,
  chunkExtensionBytesMax: 65_536,
};
const LENGTHS = [500, 5_000];

/** Streams of any length, each with one part that grows. */
const HOST = 'Host: a\r\n';
const CHUNKED = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
const get = (fields: string): string => `GET / HTTP/1.1\r\n${HOST}${fields}\r\n`;
const FAMILIES: Readonly<Record<string, (length: number) => string>> = {
  'a path': (length) => `GET /${'a'.repeat(length)} HTTP/1.1\r\n${HOST}\r\n`,
  'dots and slashes': (length) => `GET ${'/.'.repeat(length / 2)} HTTP/1.1\r\n${HOST}\r\n`,
  questions: (length) => `GET /${'?'.repeat(length)} HTTP/1.1\r\n${HOST}\r\n`,
  percents: (length) => `GET /${'%'.repeat(length)} HTTP/1.1\r\n${HOST}\r\n`,
  'an authority': (length) => `GET http://${'a'.repeat(length)}/ HTTP/1.1\r\n${HOST}\r\n`,
  'an address': (length) => `GET http://[${':1'.repeat(length / 2)}] HTTP/1.1\r\n${HOST}\r\n`,
  'a port': (length) => `CONNECT a:${'0'.repeat(length)} HTTP/1.1\r\n${HOST}\r\n`,
  'a host': (length) => `GET / HTTP/1.1\r\nHost: ${'a'.repeat(length)}\r\n\r\n`,
  'a name': (length) => get(`${'a'.repeat(length)}: b\r\n`),
  'a value': (length) => get(`A: ${'b'.repeat(length)}\r\n`),
  'odd values': (length) => get(`A: ${'\t\x80'.repeat(length / 2)}\r\n`),
  'spaces before a value': (length) => get(`A:${' '.repeat(length)}\r\n`),
  'spaces after a value': (length) => get(`A: b${' '.repeat(length)}\r\n`),
  'short fields': (length) => get('a:\r\n'.repeat(Math.min(999, length / 16))),
  'options of a connection': (length) => get(`Connection: ${'close,'.repeat(length / 6)}\r\n`),
  'empty options': (length) => get(`Connection: ${','.repeat(length)}\r\n`),
  'spaces in options': (length) => get(`TE: ${' '.repeat(length)},\r\n`),
  codings: (length) => get(`Transfer-Encoding: ${'gzip,'.repeat(length / 5)}chunked\r\n`),
  'a length': (length) => get(`Content-Length: ${'0'.repeat(length)}\r\n`),
  'small chunks': (length) => `${CHUNKED}${'1\r\na\r\n'.repeat(length / 6)}0\r\n\r\n`,
  'an extension': (length) => `${CHUNKED}0;a="${'b'.repeat(length)}"\r\n\r\n`,
  'a trailer': (length) => `${CHUNKED}0\r\na: ${'b'.repeat(length)}\r\n\r\n`,
  trailers: (length) => `${CHUNKED}0\r\n${'a:\r\n'.repeat(Math.min(999, length / 16))}\r\n`,
  requests: (length) => get('').repeat(length / 27),
};

/** Bytes read for a stream that is unsplit, or split at every byte. */
function readsOf(stream: Uint8Array, input: ModelLimits, isSplit: boolean): number {
  const reads: Reads = { count: 0 };
  const splits = isSplit ? Array.from(stream.keys()) : [];
  readStream(stream, input, splits, inPlace, reads);
  return reads.count;
}

function assertLinear(stream: Uint8Array, input: ModelLimits): void {
  const bound = READS_PER_BYTE * stream.length + READS_PER_STREAM;
  for (const isSplit of [false, true]) {
    const reads = readsOf(stream, input, isSplit);
    assert.ok(reads <= bound, `${reads} reads of ${stream.length} bytes, split ${isSplit}`);
  }
}

describe('the cost of parsing', () => {
  for (const [name, make] of Object.entries(FAMILIES)) {
    it(`grows with the length of ${name}`, () => {
      for (const length of LENGTHS) assertLinear(bytesOf(make(length)), LARGE);
    });
  }

  it('is bounded for any stream', (context) => {
    const property = fc.property(streams, limits, ({ bytes }, input) => {
      assertLinear(bytes, input);
    });
    fc.assert(property, seeded(context, runs(150)));
  });
});

describe('the cost of a path', () => {
  const paths: Readonly<Record<string, (length: number) => string>> = {
    'segments and dot-dot segments': (length) => '/a/..'.repeat(length / 5),
    'dot-dot segments after segments': (length) =>
      '/a'.repeat(length / 4) + '/..'.repeat(length / 6),
    'a long segment with many dot segments': (length) =>
      `/${'a'.repeat(length / 2)}${'/.'.repeat(length / 4)}`,
    'dot-dot segments above the root': (length) =>
      `/${'a'.repeat(length / 2)}${'/..'.repeat(length / 6)}`,
    'empty segments': (length) => '/'.repeat(length),
    'dot-dot segments after empty segments': (length) =>
      `/${'a'.repeat(length / 2)}${'//..'.repeat(length / 8)}`,
    triplets: (length) => `/${'%c3%a9'.repeat(length / 6)}`,
    'encoded dots': (length) => '/%2e%2E'.repeat(length / 7),
  };
  for (const [name, make] of Object.entries(paths)) {
    it(`grows with ${name}`, () => {
      for (const length of LENGTHS) {
        const path = bytesOf(make(length));
        const reads: Reads = { count: 0 };
        const watch = new Watch(reads);
        const out = new Uint8Array(path.length);
        watch.allow(0, path.length);
        routePath(watchedBytes(path, watch), 0, path.length, watchedBytes(out, watch));
        const bound = READS_PER_BYTE * path.length + READS_PER_STREAM;
        assert.ok(reads.count <= bound, `${reads.count} reads of ${path.length} bytes`);
      }
    });
  }
});
