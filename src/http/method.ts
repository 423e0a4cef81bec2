// Hot: runs for every request. Measured by perf/micro/parse-head.ts.
// The methods the server knows, as small numbers, and their conversion from and to bytes and names.

import { assert } from '../base/assert.ts';
import { asciiBytes } from './text.ts';

export const Method = {
  Other: 0,
  GET: 1,
  HEAD: 2,
  POST: 3,
  PUT: 4,
  DELETE: 5,
  PATCH: 6,
  OPTIONS: 7,
  CONNECT: 8,
  TRACE: 9,
} as const;
export type Method = (typeof Method)[keyof typeof Method];

/** A longer method is a fault. 32 is a guess: the longest registered method has 17 bytes. */
export const METHOD_BYTES_MAX = 32;

const NAMES = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE'];
/** Method.Other is one of them. */
export const METHOD_COUNT: number = NAMES.length;
const NAME_BYTES = NAMES.map(asciiBytes);

/** A perfect hash of the known methods by length and first two bytes. */
const BY_KEY = new Uint8Array(64);
for (let method = 1; method < NAMES.length; method++) {
  const name = NAME_BYTES[method];
  const key = methodKey(name.length, name[0], name[1]);
  assert(BY_KEY[key] === Method.Other, 'no two methods have the same key');
  BY_KEY[key] = method;
}

function methodKey(length: number, first: number, second: number): number {
  return (length * 7 + first + second * 2) & 63;
}

/** The name of a known method; '' for Method.Other, whose name is only in the request's bytes. */
export function methodName(method: number): string {
  return NAMES[method];
}

/** The number of a known method, or Method.Other. Methods are case-sensitive (RFC 9110 9.1). */
export function methodNumber(name: string): number {
  const method = NAMES.indexOf(name);
  return method > 0 ? method : Method.Other;
}

/** The method in a span of bytes that is a token. */
export function recognizeMethod(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length < 3) return Method.Other;
  const method = BY_KEY[methodKey(length, bytes[from], bytes[from + 1])];
  const name = NAME_BYTES[method];
  if (name.length !== length) return Method.Other;
  for (let index = 0; index < length; index++) {
    if (bytes[from + index] !== name[index]) return Method.Other;
  }
  return method;
}
