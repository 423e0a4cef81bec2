// IP addresses as bytes, and ranges of them (CIDR, RFC 4632). An IPv4 address that is written as an
// IPv6 one (::ffff:192.0.2.1, RFC 4291 2.5.5.2) is the same address in every respect.

import { ipVersion } from './ip-address.ts';
import { shown } from './shown.ts';

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const MAPPED_BYTES = IPV6_BYTES - IPV4_BYTES;
const GROUP_BYTES = 2;
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
/** The part of an IPv6 address that names a network, often that of a single customer. */
const NETWORK_BYTES = 8;

/** Addresses whose first `bits` bits are those of `bytes`. */
export interface IpRange {
  /** Four bytes, or sixteen. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The four or sixteen bytes of an address, or null. A zone, as in fe80::1%eth0, is ignored. */
export function ipBytes(text: string): Uint8Array | null {
  const version = ipVersion(text);
  if (version === 0) return null;
  if (version === 4) return ipv4Bytes(text);
  const bytes = ipv6Bytes(text.replace(/%.*$/, ''));
  return isMapped(bytes) ? bytes.slice(MAPPED_BYTES) : bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < MAPPED_BYTES - GROUP_BYTES; index++) {
    if (bytes[index] !== 0) return false;
  }
  return bytes[MAPPED_BYTES - 2] === 0xff && bytes[MAPPED_BYTES - 1] === 0xff;
}

/** The text of four or sixteen bytes (RFC 5952): the longest run of zero groups is `::`. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (isMapped(bytes)) return bytes.subarray(MAPPED_BYTES).join('.');
  const groups = groupsOf(bytes);
  let best = 0;
  // A single zero group is not shortened.
  let bestLength = 1;
  for (let index = 0; index < groups.length; index++) {
    let length = 0;
    while (groups[index + length] === 0) length += 1;
    if (length <= bestLength) continue;
    best = index;
    bestLength = length;
  }
  const texts = groups.map((group) => group.toString(16));
  if (bestLength === 1) return texts.join(':');
  return `${texts.slice(0, best).join(':')}::${texts.slice(best + bestLength).join(':')}`;
}

/** The groups of an IPv6 address, or of its beginning. */
function groupsOf(bytes: Uint8Array): number[] {
  const groups: number[] = [];
  for (let at = 0; at < bytes.length; at += GROUP_BYTES) {
    groups.push((bytes[at] << 8) | bytes[at + 1]);
  }
  return groups;
}

function ipv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(IPV6_BYTES);
  const [before, after] = text.split('::');
  bytes.set(groupBytes(before));
  const tail = after === undefined ? [] : groupBytes(after);
  bytes.set(tail, IPV6_BYTES - tail.length);
  return bytes;
}

function groupBytes(text: string): number[] {
  const bytes: number[] = [];
  for (const group of text === '' ? [] : text.split(':')) {
    if (group.includes('.')) {
      bytes.push(...ipv4Bytes(group));
    } else {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** An address, or an address and the length of a prefix, as '10.0.0.0/8'; null for other text. */
export function ipRange(text: string): IpRange | null {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  // A zone names an interface of one machine.
  const bytes = address.includes('%') ? null : ipBytes(address);
  if (bytes === null) return null;
  const bitsMax = 8 * bytes.length;
  if (slash < 0) return { bytes, bits: bitsMax };
  const prefix = text.slice(slash + 1);
  if (!PREFIX.test(prefix)) return null;
  const isWritten6 = address.includes(':') && bytes.length === IPV4_BYTES;
  const bits = Number(prefix) - (isWritten6 ? 8 * MAPPED_BYTES : 0);
  return bits >= 0 && bits <= bitsMax ? { bytes, bits } : null;
}

/** True when an address is in one of the ranges. IPv6 ranges contain no IPv4 address. */
export function isInRanges(ranges: readonly IpRange[], address: Uint8Array): boolean {
  return ranges.some((range) => isInRange(range, address));
}

function isInRange({ bytes, bits }: IpRange, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  const whole = bits >> 3;
  for (let index = 0; index < whole; index++) {
    if (bytes[index] !== address[index]) return false;
  }
  const rest = bits & 7;
  return rest === 0 || (bytes[whole] ^ address[whole]) >> (8 - rest) === 0;
}

/** An IPv4 address, or the network of an IPv6 address, as text; other text as it is. */
export function networkOf(address: string): string {
  // Of IPv4, whose texts have one form.
  if (!address.includes(':')) return address;
  const bytes = ipBytes(address);
  if (bytes === null) return address;
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  const groups = groupsOf(bytes.subarray(0, NETWORK_BYTES));
  return `${groups.map((group) => group.toString(16)).join(':')}::/${8 * NETWORK_BYTES}`;
}

/** Who is trusted: ranges of addresses, and whether those who connect to a unix socket are. */
export interface TrustedPeers {
  readonly ranges: readonly IpRange[];
  readonly unix: boolean;
}

const UNIX = 'unix';

/** From texts such as '10.0.0.0/8', '::1' and 'unix'; a string says what is wrong. */
export function trustedPeers(texts: readonly unknown[]): TrustedPeers | string {
  const ranges: IpRange[] = [];
  for (const text of texts) {
    if (text === UNIX) continue;
    const range = typeof text === 'string' ? ipRange(text) : null;
    if (range === null) {
      const allowed = 'a range as "10.0.0.0/8" (to /32, of IPv6 to /128)';
      return `${shown(text)} is not an address, ${allowed}, or "unix"`;
    }
    if (hasHostBits(range)) return `${shown(text)} has bits beyond its prefix: it may be a mistake`;
    ranges.push(range);
  }
  return { ranges, unix: texts.includes(UNIX) };
}

/**
 * `address` is '' for a unix socket, and also for a client that has reset its connection: so the
 * listener decides whether it is one.
 */
export function isTrusted(trusted: TrustedPeers, address: string, isUnix: boolean): boolean {
  if (address === '') return isUnix && trusted.unix;
  const bytes = ipBytes(address);
  return bytes !== null && isInRanges(trusted.ranges, bytes);
}

function hasHostBits({ bytes, bits }: IpRange): boolean {
  const network = bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * index));
    return byte & (0xff00 >> kept);
  });
  return network.some((byte, index) => byte !== bytes[index]);
}
