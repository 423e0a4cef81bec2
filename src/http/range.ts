// The Range field (RFC 9110 14.2) for the unit `bytes`: which parts of a representation a request
// asks for. A response to it costs hardly more than the representation itself; see
// RANGE_PARTS_MAX.

import { COMMA, DASH, EQUALS, NINE, SP, TAB, ZERO } from '../base/ascii.ts';
import { RANGE_PARTS_MAX } from '../base/fixed-limits.ts';
import { skipSpace } from './grammar.ts';
import { asciiBytes, equalsWord } from './text.ts';

/** From the first byte to behind the last one. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

const UNIT = asciiBytes('bytes');

/**
 * The ranges of a field's value that can be satisfied, in their order; none of them: 416. Null when
 * the field is to be ignored, and all of the representation is sent: another unit, a malformed or
 * invalid set (one is enough), more than RANGE_PARTS_MAX ranges, ranges that are together longer
 * than the representation (14.2 and 17.15 allow that), and a suffix of a representation without
 * content, which is satisfiable but has no Content-Range (14.1.2, 14.4).
 */
export function selectRanges(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
): readonly ByteRange[] | null {
  const unitEnd = start + UNIT.length;
  if (unitEnd >= end || bytes[unitEnd] !== EQUALS) return null;
  if (!equalsWord(bytes, start, unitEnd, UNIT)) return null;
  const ranges: ByteRange[] = [];
  let total = 0;
  let members = 0;
  let at = unitEnd + 1;
  while (at < end) {
    const from = skipSpace(bytes, at, end);
    let comma = from;
    while (comma < end && bytes[comma] !== COMMA) comma += 1;
    at = comma + 1;
    const to = skipSpaceBack(bytes, from, comma);
    if (from === to) continue;
    members += 1;
    const range = parseRange(bytes, from, to, length);
    if (range === INVALID) return null;
    if (range === UNSATISFIABLE) continue;
    if (range.from === range.to) return null;
    total += range.to - range.from;
    if (ranges.push(range) > RANGE_PARTS_MAX || total > length) return null;
  }
  return members === 0 ? null : ranges;
}

const INVALID: ByteRange = { from: -1, to: -1 };
const UNSATISFIABLE: ByteRange = { from: -2, to: -2 };

/** One range of the set, cut to the representation (14.1.2). */
function parseRange(bytes: Uint8Array, from: number, to: number, length: number): ByteRange {
  const dash = digitsEnd(bytes, from, to);
  if (dash === to || bytes[dash] !== DASH) return INVALID;
  if (digitsEnd(bytes, dash + 1, to) !== to) return INVALID;
  const hasLast = dash + 1 < to;
  if (dash === from) {
    if (!hasLast) return INVALID;
    const suffix = numberIn(bytes, dash + 1, to);
    if (suffix === 0) return UNSATISFIABLE;
    return { from: Math.max(0, length - suffix), to: length };
  }
  if (hasLast && isGreater(bytes, from, dash, dash + 1, to)) return INVALID;
  const first = numberIn(bytes, from, dash);
  if (first >= length) return UNSATISFIABLE;
  const last = hasLast ? numberIn(bytes, dash + 1, to) : length;
  return { from: first, to: Math.min(last + 1, length) };
}

function digitsEnd(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && bytes[p] >= ZERO && bytes[p] <= NINE) p += 1;
  return p;
}

/** Exact below 2^53, and not below that for larger numbers, as no representation is so long. */
function numberIn(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let p = from; p < to; p++) value = value * 10 + (bytes[p] - ZERO);
  return value;
}

/** Whether one number is greater than another, for numbers of any size. */
function isGreater(
  bytes: Uint8Array,
  oneFrom: number,
  oneTo: number,
  otherFrom: number,
  otherTo: number,
): boolean {
  const one = skipZeros(bytes, oneFrom, oneTo);
  const other = skipZeros(bytes, otherFrom, otherTo);
  const digits = oneTo - one;
  if (digits !== otherTo - other) return digits > otherTo - other;
  for (let index = 0; index < digits; index++) {
    const difference = bytes[one + index] - bytes[other + index];
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function skipZeros(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  while (p < to && bytes[p] === ZERO) p += 1;
  return p;
}

function skipSpaceBack(bytes: Uint8Array, from: number, to: number): number {
  let p = to;
  while (p > from && (bytes[p - 1] === SP || bytes[p - 1] === TAB)) p -= 1;
  return p;
}
