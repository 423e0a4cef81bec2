// Normalization of a target's path: percent-decoded once, consecutive slashes merged, then dot
// segments removed once (RFC 3986 5.2.4), so that '%2e%2e' equals '..' and '//a' equals '/a'. An
// encoded slash becomes a NUL byte, which no path can contain otherwise, so it separates no
// segments. Routes, prefixes, handlers and static files all use this path.

import { DOT, SLASH } from '../base/ascii.ts';
import { Fault } from './fault.ts';
import { HEX_VALUE } from './grammar.ts';
import { shortUtf8, utf8 } from './text.ts';

const NUL = 0x00;
const PERCENT = 0x25;

/**
 * Writes the path in bytes [from, to) to `out` as UTF-8, encoded slashes as NUL. Returns the
 * length, or BadTarget. `out` needs room for as many bytes as the path has, and at least one.
 */
export function routePath(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  out[0] = SLASH;
  if (from === to) return 1;
  if (bytes[from] !== SLASH) return Fault.BadTarget;
  let p = from + 1;
  let length = 1;
  for (;;) {
    const segmentStart = length;
    let ascii = true;
    while (p < to && bytes[p] !== SLASH) {
      let byte = bytes[p];
      if (byte === PERCENT) {
        byte = to - p < 3 ? -1 : decodedByte(bytes[p + 1], bytes[p + 2]);
        if (byte <= 0) return Fault.BadTarget;
        if (byte === SLASH) byte = NUL;
        p += 2;
      } else if (byte === NUL) {
        return Fault.BadTarget;
      }
      if (byte >= 0x80) ascii = false;
      out[length] = byte;
      length += 1;
      p += 1;
    }
    if (!ascii && !isUtf8(out, segmentStart, length)) return Fault.BadTarget;
    const dots = dotsOf(out, segmentStart, length);
    if (dots === 1) length = segmentStart;
    if (dots === 2) length = parentStart(out, segmentStart);
    if (p === to) return length;
    p += 1;
    // Behind an empty segment or a dot segment, `out` already ends in a slash.
    if (length > segmentStart) {
      out[length] = SLASH;
      length += 1;
    }
  }
}

/**
 * The path as handlers see it. An encoded slash becomes '%2F', so the result has the same segments
 * as the routePath(). None of them is '.' or '..', and only the last one may be empty.
 */
export function pathString(out: Uint8Array, length: number): string {
  const path = utf8(out, 0, length);
  return path.includes('\0') ? path.replaceAll('\0', '%2F') : path;
}

/** The text of a span of a routePath(), such as a parameter: encoded slashes become slashes. */
export function segmentString(out: Uint8Array, from: number, to: number): string {
  const segment = shortUtf8(out, from, to);
  return segment.includes('\0') ? segment.replaceAll('\0', '/') : segment;
}

/** The byte that two hexadecimal digits encode, or a negative number. */
function decodedByte(high: number, low: number): number {
  return (HEX_VALUE[high] << 4) | HEX_VALUE[low];
}

/** 1 for the segment '.', 2 for '..', 0 for any other. */
function dotsOf(out: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length === 0 || length > 2 || out[from] !== DOT || out[to - 1] !== DOT) return 0;
  return length;
}

/** Where the segment before the one at `segmentStart` begins; for the first segment, itself. */
function parentStart(out: Uint8Array, segmentStart: number): number {
  if (segmentStart === 1) return 1;
  let start = segmentStart - 1;
  while (out[start - 1] !== SLASH) start -= 1;
  return start;
}

/** RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  let p = from;
  while (p < to) {
    const lead = bytes[p];
    const more = continuationsAfter(lead);
    if (more < 0 || to - p <= more) return false;
    for (let index = 1; index <= more; index++) {
      if ((bytes[p + index] & 0xc0) !== 0x80) return false;
    }
    if (more > 0) {
      const second = bytes[p + 1];
      if (lead === 0xe0 && second < 0xa0) return false;
      if (lead === 0xed && second > 0x9f) return false;
      if (lead === 0xf0 && second < 0x90) return false;
      if (lead === 0xf4 && second > 0x8f) return false;
    }
    p += more + 1;
  }
  return true;
}

/** How many bytes follow a lead byte, or -1 for a byte that is not a lead byte. */
function continuationsAfter(lead: number): number {
  if (lead < 0x80) return 0;
  if (lead < 0xc2) return -1;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  return lead < 0xf5 ? 3 : -1;
}
