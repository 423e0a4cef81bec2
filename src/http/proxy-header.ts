// The header of the PROXY protocol, with which a proxy begins a connection that it passes on: a
// line of text (version 1) or a binary block (version 2). Only known proxies may be trusted.

import { CR, LF } from '../base/ascii.ts';
import { PROXY_HEADER_BYTES_MAX } from '../base/fixed-limits.ts';
import { ipVersion } from '../base/ip-address.ts';
import { ipText } from '../base/ip-range.ts';
import { asciiBytes, latin1 } from './text.ts';

/** What a header says of the client. */
export interface ProxiedPeer {
  readonly address: string;
  readonly port: number;
}

export const ProxyHeader = {
  /** It is not complete yet. */
  More: 0,
  /** It is no header, or breaks a rule. */
  Malformed: -1,
} as const;

const TEXT_START = asciiBytes('PROXY ');
/** The longest line, with its CRLF. */
const LINE_BYTES_MAX = 107;

const PORT = '(0|[1-9][0-9]{0,4})';
const LINE = new RegExp(`^PROXY (TCP[46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ${PORT} ${PORT}$`);
const UNKNOWN = /^PROXY UNKNOWN(?: |$)/;
const PORT_MAX = 65_535;

const BINARY_START = Uint8Array.from([
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
]);
/** Signature, version and command, family and transport, length. */
const FIXED_BYTES = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;

/** Family and transport, with the bytes of an address. Only streams can be passed on here. */
const FAMILIES: ReadonlyMap<number, number> = new Map([
  [0x11, 4],
  [0x21, 16],
  [0x31, 108],
]);
const UNIX_STREAM = 0x31;

/** The header at the beginning of a connection. */
export class ProxyHeaderParser {
  /** After a complete header: the client; null where it does not say who: that is the peer. */
  client: ProxiedPeer | null = null;

  /**
   * Reads what has arrived so far, from `start` on. Returns the bytes of the header, More, or
   * Malformed as soon as the bytes can begin no header.
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    this.client = null;
    if (start === end) return ProxyHeader.More;
    if (begins(bytes, start, end, TEXT_START)) return this.#parseText(bytes, start, end);
    if (begins(bytes, start, end, BINARY_START)) return this.#parseBinary(bytes, start, end);
    return ProxyHeader.Malformed;
  }

  #parseText(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + LINE_BYTES_MAX);
    for (let at = start; at < stop; at++) {
      if (bytes[at] !== CR) {
        if (bytes[at] < 0x20 || bytes[at] > 0x7e) return ProxyHeader.Malformed;
        continue;
      }
      if (at + 1 < stop) {
        if (bytes[at + 1] !== LF) return ProxyHeader.Malformed;
        const isValid = this.#readLine(latin1(bytes, start, at));
        return isValid ? at + 2 - start : ProxyHeader.Malformed;
      }
    }
    return end - start >= LINE_BYTES_MAX ? ProxyHeader.Malformed : ProxyHeader.More;
  }

  #readLine(line: string): boolean {
    if (UNKNOWN.test(line)) return true;
    const match = LINE.exec(line);
    if (match === null) return false;
    const [, family, source, target, sourcePort, targetPort] = match;
    const version = family === 'TCP4' ? 4 : 6;
    if (ipVersion(source) !== version || ipVersion(target) !== version) return false;
    if (Number(sourcePort) > PORT_MAX || Number(targetPort) > PORT_MAX) return false;
    this.client = { address: source.toLowerCase(), port: Number(sourcePort) };
    return true;
  }

  #parseBinary(bytes: Uint8Array, start: number, end: number): number {
    const received = end - start;
    if (received > 12 && bytes[start + 12] !== LOCAL && bytes[start + 12] !== PROXY) {
      return ProxyHeader.Malformed;
    }
    if (received < FIXED_BYTES) return ProxyHeader.More;
    const isLocal = bytes[start + 12] === LOCAL;
    const family = bytes[start + 13];
    const rest = (bytes[start + 14] << 8) | bytes[start + 15];
    const addressBytes = FAMILIES.get(family);
    const length = FIXED_BYTES + rest;
    if (length > PROXY_HEADER_BYTES_MAX) return ProxyHeader.Malformed;
    const hasClient = !isLocal && family !== UNSPECIFIED;
    if (hasClient && addressBytes === undefined) return ProxyHeader.Malformed;
    if (hasClient && rest < blockBytes(family, addressBytes ?? 0)) return ProxyHeader.Malformed;
    if (received < length) return ProxyHeader.More;
    if (hasClient) this.client = clientAt(bytes, start + FIXED_BYTES, family, addressBytes ?? 0);
    return length;
  }
}

/** Two addresses, and two ports where there are ports. */
function blockBytes(family: number, addressBytes: number): number {
  return 2 * addressBytes + (family === UNIX_STREAM ? 0 : 4);
}

function clientAt(
  bytes: Uint8Array,
  from: number,
  family: number,
  addressBytes: number,
): ProxiedPeer {
  if (family === UNIX_STREAM) return { address: '', port: 0 };
  const port = from + 2 * addressBytes;
  return {
    address: ipText(bytes.subarray(from, from + addressBytes)),
    port: (bytes[port] << 8) | bytes[port + 1],
  };
}

/** True while the bytes so far are those of `word`, as far as both reach. */
function begins(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const length = Math.min(end - start, word.length);
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== word[index]) return false;
  }
  return true;
}
