// Chooses a content coding by the Accept-Encoding field (RFC 9110 12.5.3), from its bytes and
// without garbage.

import { COMMA, DOT, EQUALS, SEMICOLON, ZERO } from '../base/ascii.ts';
import { Field } from './fields.ts';
import { skipSpace, TOKEN } from './grammar.ts';
import { type Head, OFFSETS_PER_FIELD } from './head.ts';
import { asciiBytes, equalsWord } from './text.ts';

/** The codings that a server can choose; of those with equal weight, the one with the largest. */
export const Coding = { Identity: 0, Deflate: 1, Gzip: 2, Zstd: 3, Brotli: 4 } as const;
export type Coding = (typeof Coding)[keyof typeof Coding];

/** The names for Content-Encoding. */
export const CODING_NAMES: readonly string[] = ['identity', 'deflate', 'gzip', 'zstd', 'br'];

const ASTERISK = 5;
const OTHER = 6;
/** Names and their numbers; 'x-gzip' is a synonym of 'gzip' (8.4.1.3). */
const NAMES = ['gzip', 'br', 'zstd', 'identity', 'x-gzip', '*', 'deflate'].map(asciiBytes);
const NUMBERS = [
  ...[Coding.Gzip, Coding.Brotli, Coding.Zstd, Coding.Identity, Coding.Gzip],
  ASTERISK,
  Coding.Deflate,
];

/** Thousandths by coding, the asterisk and others; -1 where the field does not name it. */
const weights = new Int16Array(OTHER + 1);
const UNNAMED = -1;

/** A weight between 0 and the least that can be written: identity is acceptable unless named. */
const LEAST = 0.5;

/** A set of codings, for `available`. */
export function codingSet(...codings: readonly Coding[]): number {
  return codings.reduce<number>((set, coding) => set | (1 << coding), 0);
}

/**
 * The best of the available codings (a set by codingSet(); identity is always available). Identity
 * without the field, with one that is malformed, and when no coding is acceptable: a response that
 * can be read is better than 406 (12.1). Of a coding that is named twice the first weight counts.
 */
export function chooseCoding(
  head: Head,
  bytes: Uint8Array,
  base: number,
  available: number,
): Coding {
  const first = head.find(Field.AcceptEncoding);
  if (first < 0 || available === 0) return Coding.Identity;
  weights.fill(UNNAMED);
  const { names, offsets, fieldCount } = head;
  for (let index = first; index < fieldCount; index++) {
    if (names[index] !== Field.AcceptEncoding) continue;
    const from = base + offsets[index * OFFSETS_PER_FIELD + 2];
    const to = base + offsets[index * OFFSETS_PER_FIELD + 3];
    if (!readWeights(bytes, from, to)) return Coding.Identity;
  }
  let best: Coding = Coding.Identity;
  let bestWeight = weightOf(Coding.Identity);
  for (const coding of PREFERENCE) {
    if ((available & (1 << coding)) === 0) continue;
    const weight = weightOf(coding);
    if (weight <= 0 || weight < bestWeight) continue;
    if (weight === bestWeight && best > coding) continue;
    best = coding;
    bestWeight = weight;
  }
  return best;
}

const PREFERENCE: readonly Coding[] = [Coding.Deflate, Coding.Gzip, Coding.Zstd, Coding.Brotli];

/** A coding that is not named has the weight of the asterisk. */
function weightOf(coding: Coding): number {
  if (weights[coding] !== UNNAMED) return weights[coding];
  if (weights[ASTERISK] !== UNNAMED) return weights[ASTERISK];
  return coding === Coding.Identity ? LEAST : 0;
}

/** Reads one field line; false when it is malformed. */
function readWeights(bytes: Uint8Array, from: number, to: number): boolean {
  let p = skipSpace(bytes, from, to);
  while (p < to) {
    if (bytes[p] !== COMMA) {
      const nameFrom = p;
      while (p < to && TOKEN[bytes[p]] === 1) p += 1;
      if (p === nameFrom) return false;
      const number = codingNumber(bytes, nameFrom, p);
      p = skipSpace(bytes, p, to);
      let weight = 1000;
      if (p < to && bytes[p] === SEMICOLON) {
        p = skipSpace(bytes, p + 1, to);
        const end = weightEnd(bytes, p, to);
        if (end < 0) return false;
        weight = thousandths(bytes, p + 2, end);
        p = skipSpace(bytes, end, to);
      }
      if (weights[number] === UNNAMED) weights[number] = weight;
      if (p === to) return true;
      if (bytes[p] !== COMMA) return false;
    }
    p = skipSpace(bytes, p + 1, to);
  }
  return true;
}

function codingNumber(bytes: Uint8Array, from: number, to: number): number {
  for (let index = 0; index < NAMES.length; index++) {
    if (equalsWord(bytes, from, to, NAMES[index])) return NUMBERS[index];
  }
  return OTHER;
}

/** Where a weight such as `q=0.5` ends (12.4.2); -1 when there is none. */
function weightEnd(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 3 || (bytes[from] | 0x20) !== 0x71 || bytes[from + 1] !== EQUALS) return -1;
  const whole = bytes[from + 2] - ZERO;
  if (whole !== 0 && whole !== 1) return -1;
  let p = from + 3;
  if (p === to || bytes[p] !== DOT) return p;
  const digitMax = whole === 1 ? 0 : 9;
  const end = Math.min(to, p + 4);
  p += 1;
  while (p < end && bytes[p] >= ZERO && bytes[p] - ZERO <= digitMax) p += 1;
  return p;
}

/** `0.25` as 250. */
function thousandths(bytes: Uint8Array, from: number, to: number): number {
  let value = (bytes[from] - ZERO) * 1000;
  let step = 100;
  for (let p = from + 2; p < to; p++) {
    value += (bytes[p] - ZERO) * step;
    step /= 10;
  }
  return value;
}
