// Common field names as small numbers. The parser turns bytes into numbers, the server compares
// numbers, and handlers see one shared lower-case string for each.

import { assert } from '../base/assert.ts';
import { asciiBytes } from './text.ts';

export const Field = {
  Unknown: 0,
  Host: 1,
  ContentLength: 2,
  TransferEncoding: 3,
  Connection: 4,
  Expect: 5,
  ContentType: 6,
  UserAgent: 7,
  Accept: 8,
  AcceptEncoding: 9,
  AcceptLanguage: 10,
  Cookie: 11,
  Authorization: 12,
  Origin: 13,
  Referer: 14,
  Range: 15,
  IfNoneMatch: 16,
  IfModifiedSince: 17,
  IfRange: 18,
  IfMatch: 19,
  IfUnmodifiedSince: 20,
  Upgrade: 21,
  TE: 22,
  Trailer: 23,
  CacheControl: 24,
  AccessControlRequestMethod: 25,
  AccessControlRequestHeaders: 26,
  XForwardedFor: 27,
  XForwardedProto: 28,
  XForwardedHost: 29,
  XRealIp: 30,
  XRequestId: 31,
  XRequestedWith: 32,
  Forwarded: 33,
  Via: 34,
  Date: 35,
  Pragma: 36,
  KeepAlive: 37,
  ProxyConnection: 38,
  ProxyAuthorization: 39,
  MaxForwards: 40,
  ContentEncoding: 41,
  ContentRange: 42,
  ContentLanguage: 43,
  ContentDisposition: 44,
  AcceptCharset: 45,
  UpgradeInsecureRequests: 46,
  SecFetchDest: 47,
  SecFetchMode: 48,
  SecFetchSite: 49,
  SecFetchUser: 50,
  SecChUa: 51,
  SecChUaMobile: 52,
  SecChUaPlatform: 53,
  LastEventId: 54,
  Traceparent: 55,
  Tracestate: 56,
  Priority: 57,
  DNT: 58,
  SecWebSocketKey: 59,
  SecWebSocketVersion: 60,
} as const;
export type Field = (typeof Field)[keyof typeof Field];

/** Names that are not the words of their key joined by '-'. */
const SPECIAL_NAMES: Readonly<Record<string, string>> = {
  Unknown: '',
  TE: 'te',
  DNT: 'dnt',
  SecWebSocketKey: 'sec-websocket-key',
  SecWebSocketVersion: 'sec-websocket-version',
};

const NAMES = Object.keys(Field).map(
  (key) => SPECIAL_NAMES[key] ?? key.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase(),
);
const NUMBERS = new Map(NAMES.map((name, number) => [name, number]));
assert(NUMBERS.size === NAMES.length, 'no two fields have the same name');

/**
 * The names as little-endian words, and for each word the bits to ignore: the case bit of letters.
 * WORD_STARTS holds where a name begins; its last word may overlap the one before it.
 */
const WORD_STARTS = new Uint16Array(NAMES.length + 1);
for (let number = 0; number < NAMES.length; number++) {
  WORD_STARTS[number + 1] = WORD_STARTS[number] + Math.ceil(NAMES[number].length / 4);
}
const WORDS = new Int32Array(WORD_STARTS[NAMES.length]);
const CASE_BITS = new Int32Array(WORD_STARTS[NAMES.length]);
const LENGTHS = Uint8Array.from(NAMES, (name) => name.length);
for (let number = 1; number < NAMES.length; number++) {
  const name = asciiBytes(NAMES[number]);
  const wordCount = WORD_STARTS[number + 1] - WORD_STARTS[number];
  for (let index = 0; index < wordCount; index++) {
    const from = Math.max(0, Math.min(index * 4, name.length - 4));
    for (let byte = 0; byte < 4 && from + byte < name.length; byte++) {
      const letter = name[from + byte] >= 0x61;
      WORDS[WORD_STARTS[number] + index] |= name[from + byte] << (byte * 8);
      CASE_BITS[WORD_STARTS[number] + index] |= (letter ? 0x20 : 0) << (byte * 8);
    }
  }
}

/**
 * A hash table by length, first and last byte: the first candidate, then the next with the same
 * key. Two candidates at most, asserted below; most unknown names find none.
 */
const CANDIDATES = new Uint8Array(256);
const NEXT_CANDIDATES = new Uint8Array(NAMES.length);
for (let number = 1; number < NAMES.length; number++) {
  const name = NAMES[number];
  const key = nameKey(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1));
  NEXT_CANDIDATES[number] = CANDIDATES[key];
  CANDIDATES[key] = number;
  assert(NEXT_CANDIDATES[NEXT_CANDIDATES[number]] === 0, 'at most two names have the same key');
}

function nameKey(length: number, first: number, last: number): number {
  return (length + (first | 0x20) * 5 + (last | 0x20) * 9) & 255;
}

/** The lower-case name; '' for Field.Unknown. */
export function fieldName(field: number): string {
  return NAMES[field];
}

/** The number of a lower-case name, or Field.Unknown. */
export function fieldNumber(lowerCaseName: string): number {
  return NUMBERS.get(lowerCaseName) ?? Field.Unknown;
}

/**
 * The number of the name in a span, in any case, or Field.Unknown. The comparison is exact for any
 * bytes: a recognized name needs no other check.
 */
export function recognizeField(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
): number {
  const length = to - from;
  if (length < 2) return Field.Unknown;
  let number = CANDIDATES[nameKey(length, bytes[from], bytes[to - 1])];
  while (number !== Field.Unknown) {
    if (LENGTHS[number] === length && isField(bytes, view, from, number)) return number;
    number = NEXT_CANDIDATES[number];
  }
  return Field.Unknown;
}

/** Whether a known name is at `from`. All of its bytes have been received. */
function isField(bytes: Uint8Array, view: DataView, from: number, number: number): boolean {
  const length = LENGTHS[number];
  let at = WORD_STARTS[number];
  if (length < 4) {
    let word = 0;
    for (let index = 0; index < length; index++) word |= bytes[from + index] << (index * 8);
    return (word | CASE_BITS[at]) === WORDS[at];
  }
  const last = from + length - 4;
  for (let p = from; p < last; p += 4) {
    if ((view.getInt32(p, true) | CASE_BITS[at]) !== WORDS[at]) return false;
    at += 1;
  }
  return (view.getInt32(last, true) | CASE_BITS[at]) === WORDS[at];
}
