// Changes to numbers: a Content-Length, a chunk size, a version or a port becomes one more or less,
// longer, signed, hexadecimal, or larger than a machine word.

import type { Draw } from '../../testing/random.ts';
import { once, pick } from './choices.ts';
import { insertText, replaceText } from './span.ts';

const BEFORE = ['0', '+', '-', '0x', '00000000000000000', ' ', '\t', '_', '1'];
const BEHIND = [
  '0',
  '_0',
  ' ',
  '.0',
  'e1',
  'h',
  ';',
  ',',
  ' 1',
  '\0',
  '\t',
  'ull',
  '000000000000000',
];
const INSTEAD = [
  '0',
  '1',
  '9007199254740991',
  '9007199254740992',
  '18446744073709551616',
  '4294967296',
  '7fffffffffffffff',
  'ffffffffffffffff',
  '10000000000000000',
  '1fffffffffffff',
  '',
];
/** Superscripts and other digits that some parsers of numbers accept. */
const DIGITS = '0123456789abcdefABCDEFgG\xb2\xb9';

/** Changes the first number at or after a random place, if there is one. */
export function changeNumber(random: Draw, bytes: Uint8Array, length: number): number {
  let from = random(length + 1);
  while (from < length && !isDigit(bytes[from])) from += 1;
  if (from === length) return length;
  while (from > 0 && isHex(bytes[from - 1])) from -= 1;
  let to = from;
  while (to < length && isHex(bytes[to])) to += 1;
  switch (random(6)) {
    case 0:
      return bump(bytes, length, to - 1, once(random, 2) ? 1 : -1);
    case 1:
      return insertText(bytes, length, from, pick(random, BEFORE));
    case 2:
      return insertText(bytes, length, to, pick(random, BEHIND));
    case 3:
      return replaceText(bytes, length, from, to, pick(random, INSTEAD));
    case 4:
      bytes[from + random(to - from)] = DIGITS.charCodeAt(random(DIGITS.length));
      return length;
    default:
      return insertText(bytes, length, from + random(to - from), DIGITS[random(DIGITS.length)]);
  }
}

/** One more or less in the last digit; another byte is not changed. */
function bump(bytes: Uint8Array, length: number, at: number, by: number): number {
  const digit = bytes[at] + by;
  if (isDigit(bytes[at]) && isDigit(digit)) bytes[at] = digit;
  return length;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
