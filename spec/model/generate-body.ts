// Chunked bodies from the grammar of RFC 9112 section 7.1, with extensions and trailers.

import type { Draw } from '../../testing/random.ts';
import { once, pick } from './choices.ts';
import type { Sink } from './sink.ts';

/** One choice in so many violates the grammar. */
const ODD = 100;

const EXTENSIONS = [
  ';a',
  ';a=b',
  ';a="b c"',
  ';a="\\"\\\\"',
  ' ; a = b',
  ';a;b=1',
  ';a=""',
  ';a="\xe9\t;\\\xe9"',
  '\t;\ta',
];
const ODD_EXTENSIONS = [
  ';',
  ' ',
  ';=a',
  ';a=',
  ';a="',
  ';a="\n"',
  ';a="b"c',
  ';a=b c',
  ';a\0',
  ';;',
  'a',
  '\n',
  '\r',
  '\0',
  ';a="\x7f"',
  ';a=\xe9',
];
const ODD_SIZES = [
  '',
  '-1',
  '+1',
  '0x1',
  ' 1',
  '1 ',
  'g',
  '00000000000000001',
  '100000000000000000',
];
const LARGE_SIZES = ['1fffffffffffff', '20000000000000', 'ffffffffffffffff', '0000000000000003'];
const ODD_ENDS = ['', '\n', '\r', '\r\r\n', ' \r\n', 'a\r\n', '\n\r\n', '\0\r\n'];
const TRAILERS = ['Digest: a', 'X-T:', 'x: \xe9', 'ETag: "a"', 'Date:  now '];
const ODD_TRAILERS = [
  'Host: a',
  'Content-Length: 1',
  'Transfer-Encoding: chunked',
  'Trailer: a',
  'Cookie: a=b',
  ' fold',
  'a',
  'a b: c',
  'a : b',
  'a: \0',
];

/** Writes chunks, the last one, and the trailer section with its blank line. */
export function generateBody(random: Draw, sink: Sink): void {
  const count = random(4);
  for (let index = 0; index < count; index++) chunk(random, sink);
  sink.text(once(random, 8) ? '000' : '0');
  extension(random, sink);
  sink.text(lineEnd(random));
  const trailers = once(random, 4) ? 1 + random(3) : 0;
  for (let index = 0; index < trailers; index++) {
    sink.text(pick(random, once(random, ODD) ? ODD_TRAILERS : TRAILERS));
    sink.text(lineEnd(random));
  }
  sink.text(lineEnd(random));
}

function chunk(random: Draw, sink: Sink): void {
  const size = 1 + (once(random, 16) ? random(200) : random(17));
  sink.text(sizeText(random, size));
  extension(random, sink);
  sink.text(lineEnd(random));
  const off = once(random, 2 * ODD) ? random(3) - 1 : 0;
  const first = random(26);
  for (let index = 0; index < size + off; index++) sink.byte(0x61 + ((first + index) % 26));
  sink.text(lineEnd(random));
}

function sizeText(random: Draw, size: number): string {
  if (once(random, ODD)) return pick(random, once(random, 3) ? LARGE_SIZES : ODD_SIZES);
  const form = random(8);
  const digits = size.toString(16);
  if (form === 7) return `00${digits}`;
  return form > 3 ? digits.toUpperCase() : digits;
}

function extension(random: Draw, sink: Sink): void {
  if (!once(random, 6)) return;
  sink.text(pick(random, once(random, 8) ? ODD_EXTENSIONS : EXTENSIONS));
}

function lineEnd(random: Draw): string {
  return once(random, 2 * ODD) ? pick(random, ODD_ENDS) : '\r\n';
}
