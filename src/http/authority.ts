// Host and port by RFC 3986 3.2 and RFC 9110 4.2: in the Host field, in absolute-form targets, and
// in the targets of CONNECT. User information is never allowed.

import { COLON, DOT, NINE, ZERO } from '../base/ascii.ts';
import { HEX_VALUE, REG_NAME } from './grammar.ts';

const PERCENT = 0x25;
const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;
const PORT_MAX = 65_535;

const REG_NAME_BYTES = REG_NAME;

/** The last valid authority. Most requests to a server name the same host. */
const CACHED_BYTES_MAX = 64;
const cached = new DataView(new ArrayBuffer(CACHED_BYTES_MAX));
let cachedBytes = 0;

/**
 * As isAuthority(), in a third of the time for the same authority as last time: 20 versus 60 ns.
 */
export function isCachedAuthority(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
): boolean {
  const length = to - from;
  if (length === cachedBytes && equalsCached(view, from, length)) return true;
  if (!isAuthority(bytes, from, to)) return false;
  if (length <= CACHED_BYTES_MAX) {
    for (let at = 0; at < length; at++) cached.setUint8(at, bytes[from + at]);
    cachedBytes = length;
  }
  return true;
}

function equalsCached(view: DataView, from: number, length: number): boolean {
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    if (view.getInt32(from + at, true) !== cached.getInt32(at, true)) return false;
  }
  for (; at < length; at++) {
    if (view.getUint8(from + at) !== cached.getUint8(at)) return false;
  }
  return true;
}

/**
 * Whether the span is a non-empty host, optionally followed by ':' and a port that may be empty.
 */
export function isAuthority(bytes: Uint8Array, from: number, to: number): boolean {
  const hostEnd = endOfHost(bytes, from, to);
  if (hostEnd < 0) return false;
  return hostEnd === to || isPort(bytes, hostEnd, to);
}

/** Whether the span is a host, ':' and a non-empty port, as CONNECT requires. */
export function isAuthorityWithPort(bytes: Uint8Array, from: number, to: number): boolean {
  const hostEnd = endOfHost(bytes, from, to);
  if (hostEnd < 0) return false;
  return to - hostEnd >= 2 && isPort(bytes, hostEnd, to);
}

/** Where the host ends (at `to` or before a ':'), or -1 when it is not valid. */
function endOfHost(bytes: Uint8Array, from: number, to: number): number {
  if (from === to) return -1;
  let p = from;
  if (bytes[p] === LEFT_BRACKET) {
    while (p < to && bytes[p] !== RIGHT_BRACKET) p += 1;
    if (p === to || !isIpv6(bytes, from + 1, p)) return -1;
    p += 1;
    return p === to || bytes[p] === COLON ? p : -1;
  }
  while (p < to) {
    const byte = bytes[p];
    if (REG_NAME_BYTES[byte] !== 0) {
      p += 1;
    } else if (byte === PERCENT) {
      if (to - p < 3 || HEX_VALUE[bytes[p + 1]] < 0 || HEX_VALUE[bytes[p + 2]] < 0) return -1;
      p += 3;
    } else {
      return byte === COLON && p > from ? p : -1;
    }
  }
  return p;
}

/** Whether the span is ':' and a port: no digits, or a number up to 65535. */
function isPort(bytes: Uint8Array, from: number, to: number): boolean {
  let port = 0;
  for (let p = from + 1; p < to; p++) {
    const byte = bytes[p];
    if (byte < ZERO || byte > NINE) return false;
    port = port * 10 + byte - ZERO;
    if (port > PORT_MAX) return false;
  }
  return true;
}

/** Eight groups of up to four hex digits; one '::' replaces one group or more; IPv4 may end it. */
function isIpv6(bytes: Uint8Array, from: number, to: number): boolean {
  let groups = 0;
  let compressed = false;
  let p = from;
  if (to - from >= 2 && bytes[p] === COLON) {
    if (bytes[p + 1] !== COLON) return false;
    compressed = true;
    p += 2;
  }
  while (p < to) {
    const groupStart = p;
    while (p < to && HEX_VALUE[bytes[p]] >= 0) p += 1;
    if (p < to && bytes[p] === DOT) {
      groups += 2;
      return isIpv4(bytes, groupStart, to) && (compressed ? groups < 8 : groups === 8);
    }
    if (p === groupStart || p - groupStart > 4) return false;
    groups += 1;
    if (p === to) break;
    if (bytes[p] !== COLON) return false;
    p += 1;
    if (p === to) return false;
    if (bytes[p] === COLON) {
      if (compressed) return false;
      compressed = true;
      p += 1;
    }
  }
  return compressed ? groups < 8 : groups === 8;
}

/** Four decimals from 0 to 255 without leading zeros. */
function isIpv4(bytes: Uint8Array, from: number, to: number): boolean {
  let p = from;
  for (let part = 0; part < 4; part++) {
    if (part > 0) {
      if (p === to || bytes[p] !== DOT) return false;
      p += 1;
    }
    const partStart = p;
    let value = 0;
    while (p < to && bytes[p] >= ZERO && bytes[p] <= NINE && p - partStart < 3) {
      value = value * 10 + bytes[p] - ZERO;
      p += 1;
    }
    if (p === partStart || value > 255) return false;
    if (p - partStart > 1 && bytes[partStart] === ZERO) return false;
  }
  return p === to;
}
