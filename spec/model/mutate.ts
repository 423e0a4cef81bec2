// Small changes to a message within its memory: random ones to its bytes, and ones to lines, fields
// and numbers. A change that does not fit into the memory has no effect.

import type { Draw } from '../../testing/random.ts';
import { pick } from './choices.ts';
import { LINES, TOKENS, VALUES } from './dictionary.ts';
import { changeNumber } from './mutate-number.ts';
import { duplicate, insertText, remove, replaceText } from './span.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

/** Maximum bytes that one random change removes, duplicates or copies. */
const SPAN_BYTES = 24;

/** Bytes with a meaning in some state of the parser. */
const BYTES = '\r\n\t :;,/?*.%#"\\<>@[]\0\x7f\x80\xff\x1f\x0b0aHX=+-';
const ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\r\n ', '\r\n\t', ' \r\n', '', '\0\r\n'];
const GAPS = ['\t', '  ', '', '\x0b', '\x0c', '\r\n ', '\0', '\xa0'];

/** The span of a line with its end; searched again for each change. */
interface Line {
  from: number;
  to: number;
}
const line: Line = { from: 0, to: 0 };
const otherLine: Line = { from: 0, to: 0 };

/**
 * Changes the first `length` bytes of `bytes` once; `other` is a message to copy parts from.
 * Returns the new length.
 */
export function mutateOnce(
  random: Draw,
  bytes: Uint8Array,
  length: number,
  other: Uint8Array,
): number {
  const way = random(20);
  if (way < 7) return mutateBytes(random, bytes, length, other, way);
  if (way < 13) return mutateLine(random, bytes, length, other, way - 7);
  switch (way) {
    case 13:
      return changeFieldName(random, bytes, length);
    case 14:
      return changeFieldValue(random, bytes, length);
    case 15:
      return appendToValue(random, bytes, length);
    case 16:
      return changeLineEnd(random, bytes, length);
    case 17:
      return changeGap(random, bytes, length);
    default:
      return changeNumber(random, bytes, length);
  }
}

/** Applies one to `changesMax` changes in sequence; mostly few. */
export function mutate(
  random: Draw,
  bytes: Uint8Array,
  length: number,
  other: Uint8Array,
  changesMax: number = 6,
): number {
  const changes = 1 + Math.min(random(changesMax), random(changesMax));
  let size = length;
  for (let index = 0; index < changes; index++) size = mutateOnce(random, bytes, size, other);
  return size;
}

function mutateBytes(
  random: Draw,
  bytes: Uint8Array,
  length: number,
  other: Uint8Array,
  way: number,
): number {
  const at = random(length + 1);
  const count = Math.min(1 + random(SPAN_BYTES), length - at);
  switch (way) {
    case 0:
      if (at < length) bytes[at] ^= 1 << random(8);
      return length;
    case 1:
      if (at < length) bytes[at] = BYTES.charCodeAt(random(BYTES.length));
      return length;
    case 2:
      return insertText(bytes, length, at, BYTES[random(BYTES.length)]);
    case 3:
      return insertText(bytes, length, at, pick(random, TOKENS));
    case 4:
      return remove(bytes, length, at, at + (random(2) === 0 ? Math.min(1, count) : count));
    case 5:
      return duplicate(bytes, length, at, at + count, random(length + 1));
    default:
      return splice(random, bytes, length, other);
  }
}

/** The beginning of one message, then the end of another, each split anywhere or at a line. */
function splice(random: Draw, bytes: Uint8Array, length: number, other: Uint8Array): number {
  let at = random(length + 1);
  let from = random(other.length + 1);
  if (random(2) === 0) {
    while (at < length && at > 0 && bytes[at - 1] !== LF) at += 1;
    while (from < other.length && from > 0 && other[from - 1] !== LF) from += 1;
  }
  const count = Math.min(other.length - from, bytes.length - at);
  for (let index = 0; index < count; index++) bytes[at + index] = other[from + index];
  return at + count;
}

function mutateLine(
  random: Draw,
  bytes: Uint8Array,
  length: number,
  other: Uint8Array,
  way: number,
): number {
  findLine(random, bytes, length, line);
  switch (way) {
    case 0:
      return swapWithNext(bytes, length);
    case 1:
      return remove(bytes, length, line.from, line.to);
    case 2: {
      const { from, to } = line;
      findLine(random, bytes, length, line);
      return duplicate(bytes, length, from, to, line.from);
    }
    case 3:
      findLine(random, other, other.length, otherLine);
      return insertBytes(bytes, length, line.from, other, otherLine.from, otherLine.to);
    case 4:
      return replaceText(bytes, length, line.from, line.to, pick(random, LINES));
    default:
      return insertText(bytes, length, line.from, pick(random, LINES));
  }
}

function insertBytes(
  bytes: Uint8Array,
  length: number,
  at: number,
  other: Uint8Array,
  from: number,
  to: number,
): number {
  const count = to - from;
  if (length + count > bytes.length) return length;
  bytes.copyWithin(at + count, at, length);
  for (let index = 0; index < count; index++) bytes[at + index] = other[from + index];
  return length + count;
}

/** The line around a place, including its LF, if it has one. */
function findLine(random: Draw, bytes: Uint8Array, length: number, found: Line): void {
  let from = random(length + 1);
  let to = from;
  while (from > 0 && bytes[from - 1] !== LF) from -= 1;
  while (to < length && bytes[to] !== LF) to += 1;
  found.from = from;
  found.to = Math.min(to + 1, length);
}

/** Three reversals swap two adjacent spans of different lengths in place. */
function swapWithNext(bytes: Uint8Array, length: number): number {
  const { from, to } = line;
  let end = to;
  while (end < length && bytes[end] !== LF) end += 1;
  end = Math.min(end + 1, length);
  bytes.subarray(from, to).reverse();
  bytes.subarray(to, end).reverse();
  bytes.subarray(from, end).reverse();
  return length;
}

/** Where the ':' of `line` is, or -1. */
function findColon(bytes: Uint8Array): number {
  for (let p = line.from; p < line.to; p++) if (bytes[p] === COLON) return p;
  return -1;
}

/** The end of `line` without CR and LF. */
function endOfText(bytes: Uint8Array): number {
  let end = line.to;
  while (end > line.from && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end -= 1;
  return end;
}

function changeFieldName(random: Draw, bytes: Uint8Array, length: number): number {
  findLine(random, bytes, length, line);
  const colon = findColon(bytes);
  if (colon < 0) return length;
  const at = line.from + random(colon - line.from + 1);
  switch (random(4)) {
    case 0:
      for (let p = line.from; p < colon; p++) if (bytes[p] >= 0x41) bytes[p] ^= SP;
      return length;
    case 1:
      return insertText(bytes, length, colon, pick(random, [' ', '\t', '\0', ':']));
    case 2:
      return insertText(bytes, length, at, pick(random, TOKENS));
    default:
      return replaceText(
        bytes,
        length,
        line.from,
        colon,
        pick(random, ['Transfer-Encoding', 'Content-Length', 'Host', 'Connection', 'Expect']),
      );
  }
}

function changeFieldValue(random: Draw, bytes: Uint8Array, length: number): number {
  findLine(random, bytes, length, line);
  const colon = findColon(bytes);
  if (colon < 0) return length;
  const end = Math.max(colon + 1, endOfText(bytes));
  return replaceText(bytes, length, colon + 1, end, pick(random, VALUES));
}

function appendToValue(random: Draw, bytes: Uint8Array, length: number): number {
  findLine(random, bytes, length, line);
  return insertText(bytes, length, endOfText(bytes), pick(random, TOKENS));
}

/** Changes a line end. */
function changeLineEnd(random: Draw, bytes: Uint8Array, length: number): number {
  findLine(random, bytes, length, line);
  return replaceText(bytes, length, endOfText(bytes), line.to, pick(random, ENDS));
}

/** Changes a space, or inserts one. */
function changeGap(random: Draw, bytes: Uint8Array, length: number): number {
  const first = random(length + 1);
  for (let p = first; p < length; p++) {
    if (bytes[p] !== SP && bytes[p] !== TAB) continue;
    return replaceText(bytes, length, p, p + 1, pick(random, GAPS));
  }
  return insertText(bytes, length, first, ' ');
}
