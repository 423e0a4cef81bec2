// Socket addresses between their text and the kernel's structs.

import { isIPv4, isIPv6 } from 'node:net';
import { ipText } from '../../base/ip-range.ts';
import type { Address, Peer } from '../driver.ts';
import { AF_INET, AF_INET6, AF_UNIX, SOCKADDR_BYTES, SOCKADDR_UN_PATH_BYTES } from './layout.ts';

/** A struct ready for bind() or connect(). */
export interface SocketAddress {
  readonly family: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Null for an inherited descriptor, and for an invalid address. */
export function addressFrom(address: Address): SocketAddress | null {
  if ('host' in address) return socketAddress(address.host, address.port);
  return 'path' in address ? unixAddress(address.path) : null;
}

/** Null when `host` is no literal address. */
export function socketAddress(host: string, port: number): SocketAddress | null {
  const zone = host.indexOf('%');
  if (isIPv4(host)) return inet(host, port);
  if (zone < 0 && isIPv6(host)) return inet6(host, port);
  return null;
}

/** Null when the path is empty or does not fit. */
export function unixAddress(path: string): SocketAddress | null {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length >= SOCKADDR_UN_PATH_BYTES) return null;
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, 2);
  return { family: AF_UNIX, bytes, length: 2 + name.length + 1 };
}

/** The address of an abstract unix socket: a name without a file. */
export function abstractAddress(name: string): SocketAddress | null {
  // An abstract name begins with a zero; a path ends with one.
  const { bytes, length } = unixAddress(`@${name}`) ?? { bytes: null, length: 0 };
  if (name === '' || bytes === null) return null;
  bytes[2] = 0;
  return { family: AF_UNIX, bytes, length: length - 1 };
}

/** The path that getsockname() filled in for a unix socket; an abstract name begins with @. */
export function unixNameFrom(bytes: Uint8Array, length: number): string {
  const name = new TextDecoder().decode(bytes.subarray(2, Math.max(2, length)));
  return name.startsWith('\0') ? `@${name.slice(1)}` : name.replace(/\0.*$/s, '');
}

function inet(host: string, port: number): SocketAddress {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(host.split('.').map(Number), 4);
  return { family: AF_INET, bytes, length: 16 };
}

function inet6(host: string, port: number): SocketAddress {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  const groups = inet6Groups(host);
  for (let index = 0; index < 8; index++) view.setUint16(8 + 2 * index, groups[index]);
  return { family: AF_INET6, bytes, length: 28 };
}

/** The eight groups of a valid IPv6 text, `::` filled in, a dotted tail made two groups. */
function inet6Groups(host: string): number[] {
  const dotted = host.lastIndexOf(':') + 1;
  let text = host;
  if (host.includes('.', dotted)) {
    const [a, b, c, d] = host.slice(dotted).split('.').map(Number);
    text = `${host.slice(0, dotted)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head, tail] = text.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

/** Reads what getpeername() or getsockname() filled in; '' if it is neither IPv4 nor IPv6. */
export function peerFrom(bytes: Uint8Array): Peer {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) return { address: bytes.subarray(4, 8).join('.'), port };
  if (family !== AF_INET6) return { address: '', port: 0 };
  return { address: ipText(bytes.subarray(8, 24)), port };
}
