// What proxies report of the requests that they forward: the field Forwarded (RFC 7239), or the
// older X-Forwarded-For, -Proto and -Host. Each proxy adds a hop at the end. Hops are strictly
// checked one by one: those that clients invented may be malformed, and are not used anyway.

import { ipBytes } from '../base/ip-range.ts';
import { isAuthority } from './authority.ts';
import { members } from './response-fields.ts';
import { asciiBytes } from './text.ts';

/** What one proxy reports of the sender of the request; null for what it does not say. */
export interface Hop {
  readonly address: string | null;
  /** 0 when it is not known. */
  readonly port: number;
  readonly protocol: Protocol | null;
  readonly host: string | null;
}

export type Protocol = 'http' | 'https';

/** Null for a hop that is malformed. */
export type Hops = readonly (Hop | null)[];

interface Sender {
  readonly address: string | null;
  readonly port: number;
}

const UNKNOWN: Sender = { address: null, port: 0 };
const PORT_MAX = 65_535;
/** RFC 7239 6.3: a name in place of an address or a port. */
const OBFUSCATED = '_[A-Za-z0-9._-]+';
const NODE = new RegExp(
  `^(?:(unknown|${OBFUSCATED})|([0-9.]+)|\\[([0-9A-Fa-f:.]+)\\])(?::([0-9]{1,5}|${OBFUSCATED}))?$`,
  'i',
);
const BARE_IPV6 = /^[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$/;

const NAME = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=/;
const VALUE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
const QUOTED = /^"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*)"/;
const SPACE = /^[\t ]+/;

/** The hops in Forwarded; null when the list cannot be read. */
export function forwardedHops(value: string): Hops | null {
  const hops: (Hop | null)[] = [];
  let rest = value;
  for (;;) {
    rest = rest.replace(SPACE, '');
    // Empty members of a list are ignored (RFC 9110 5.6.1.2).
    if (rest !== '' && rest[0] !== ',') {
      const parameters = new Map<string, string>();
      const after = readElement(rest, parameters);
      if (after === null) return null;
      hops.push(hopFrom(parameters));
      rest = after.replace(SPACE, '');
    }
    if (rest === '') return hops;
    if (rest[0] !== ',') return null;
    rest = rest.slice(1);
  }
}

/** Reads parameters that are separated by semicolons; returns what follows, or null. */
function readElement(text: string, parameters: Map<string, string>): string | null {
  let rest = text;
  for (;;) {
    const name = NAME.exec(rest)?.[1];
    if (name === undefined) return null;
    rest = rest.slice(name.length + 1);
    const quoted = QUOTED.exec(rest);
    const raw = quoted === null ? VALUE.exec(rest)?.[0] : quoted[0];
    if (raw === undefined) return null;
    rest = rest.slice(raw.length);
    const lower = name.toLowerCase();
    // RFC 7239 4: each parameter occurs once in an element.
    if (parameters.has(lower)) return null;
    parameters.set(lower, quoted === null ? raw : quoted[1].replace(/\\(.)/g, '$1'));
    if (rest[0] !== ';') return rest;
    rest = rest.slice(1);
  }
}

function hopFrom(parameters: ReadonlyMap<string, string>): Hop | null {
  const from = parameters.get('for');
  const sender = from === undefined ? UNKNOWN : senderFrom(from);
  return sender && hopOf(sender, parameters.get('proto'), parameters.get('host'));
}

/**
 * The hops in the X-Forwarded fields. Proxies add a member to each of the three, or replace it:
 * then there are fewer members than hops, and the first one applies to all hops before.
 */
export function xForwardedHops(
  addresses: string | undefined,
  protocols: string | undefined,
  hosts: string | undefined,
): Hops {
  const senders = members(addresses ?? '');
  // A proxy may report the protocol or the host alone.
  if (senders.length === 0 && (protocols ?? hosts) !== undefined) senders.push('unknown');
  const protocolOf = fromEnd(members(protocols ?? ''));
  const hostOf = fromEnd(members(hosts ?? ''));
  return senders.map((text, index) => {
    const after = senders.length - 1 - index;
    const bare = BARE_IPV6.test(text) && !NODE.test(text) ? `[${text}]` : text;
    const sender = senderFrom(bare);
    return sender && hopOf(sender, protocolOf(after), hostOf(after));
  });
}

/** Returns the member that `after` others follow, or the first one. */
function fromEnd(list: readonly string[]): (after: number) => string | undefined {
  return (after) => list[Math.max(0, list.length - 1 - after)];
}

function hopOf(sender: Sender, protocol: string | undefined, host: string | undefined): Hop | null {
  const lower = protocol?.toLowerCase() ?? null;
  if (lower !== null && lower !== 'http' && lower !== 'https') return null;
  if (host !== undefined && !isHost(host)) return null;
  return { ...sender, protocol: lower, host: host ?? null };
}

function isHost(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && isAuthority(asciiBytes(text), 0, text.length);
}

/** An address with or without a port; null for what is neither an address nor a name for one. */
function senderFrom(text: string): Sender | null {
  const match = NODE.exec(text);
  if (match === null) return null;
  const [, name, ipv4, ipv6, port = '0'] = match;
  const number = port.startsWith('_') ? 0 : Number(port);
  if (number > PORT_MAX) return null;
  if (name !== undefined) return UNKNOWN;
  const address = ipv4 ?? ipv6;
  const bytes = ipBytes(address);
  if (bytes === null || (ipv6 !== undefined && !ipv6.includes(':'))) return null;
  return { address, port: number };
}
