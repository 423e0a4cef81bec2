// Hot: runs for every response. Measured by perf/micro/encode.ts.
// Writes text and numbers into bytes. For short text a loop is faster than a call into the runtime:
// copying 30 bytes takes about 20 ns this way, and 60 to 100 by set() or a string encoder.

import { ZERO } from './ascii.ts';

/** Below this length a loop is faster than the runtime's own copy. */
const LOOP_BYTES = 64;

/** Up to this length a loop is faster than the runtime's encoder: 2 ns a character. */
const LOOP_CHARACTERS = 40;

/** The longest character of UTF-8 (RFC 3629 3). */
export const CHARACTER_BYTES_MAX = 4;

/**
 * Not looked up at each call: the prototype of Buffer has so many methods that V8 keeps them in a
 * hash table, and a lookup in that takes a third of the time of copying a short response.
 */
const copyAll = Uint8Array.prototype.set;
const encode = Buffer.prototype.write;

/** Copies all of `source` to `at`; returns where the copy ends. */
export function copyBytes(target: Uint8Array, at: number, source: Uint8Array): number {
  const length = source.length;
  if (length <= LOOP_BYTES) {
    for (let index = 0; index < length; index++) target[at + index] = source[index];
  } else {
    copyAll.call(target, source, at);
  }
  return at + length;
}

/** All chunks in memory of their own: `buffer` of the result has nothing else. */
export function joined(chunks: readonly Uint8Array[]): Buffer {
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const own = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const chunk of chunks) at = copyBytes(own, at, chunk);
  return own;
}

/** Writes text whose characters are all below 256; returns where it ends. */
export function writeLatin1(target: Uint8Array, at: number, text: string): number {
  const length = text.length;
  for (let index = 0; index < length; index++) target[at + index] = text.charCodeAt(index);
  return at + length;
}

/** Writes a whole number >= 0 in decimal; returns where it ends. */
export function writeDecimal(target: Uint8Array, at: number, value: number): number {
  const end = at + decimalDigits(value);
  let rest = value;
  for (let index = end - 1; index >= at; index--) {
    const tenth = Math.floor(rest / 10);
    target[index] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}

export function decimalDigits(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits += 1;
  return digits;
}

/** Writes a whole number >= 0 in lower-case hexadecimal; returns where it ends. */
export function writeHex(target: Uint8Array, at: number, value: number): number {
  const text = value.toString(16);
  return writeLatin1(target, at, text);
}

/** True when every character is below 128. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false;
  return true;
}

/**
 * Writes ASCII text; returns where it ends, or -1, with a part written, when a character is not
 * ASCII. There must be room for CHARACTER_BYTES_MAX bytes more than the text has characters.
 */
export function writeAscii(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOP_CHARACTERS) {
    // The encoder stops before a character that does not fit. So it writes as many bytes as the
    // text has characters only when all of them are ASCII.
    const written = encode.call(target, text, at, length + CHARACTER_BYTES_MAX, 'utf8');
    return written === length ? at + length : -1;
  }
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return -1;
    target[at + index] = code;
  }
  return at + length;
}
