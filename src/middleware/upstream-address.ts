// The address of an upstream server, from its text.

import type { UpstreamAddress } from '../async-io/upstream.ts';
import { shown } from '../base/shown.ts';

const UNIX = 'unix:';
const HTTP_PORT = 80;

interface Found {
  readonly address: UpstreamAddress;
  /** The value of its Host field. */
  readonly host: string;
}

/** From 'http://host:port' or 'unix:/path'; a string says what is wrong. */
export function upstreamAddress(text: unknown): Found | string {
  const wrong = `${shown(text)} is not "http://host:port" or "unix:/path"`;
  if (typeof text !== 'string') return wrong;
  if (text.startsWith(UNIX)) {
    const socketPath = text.slice(UNIX.length);
    if (!socketPath.startsWith('/') || socketPath.includes('\0')) return wrong;
    return { address: { socketPath }, host: 'localhost' };
  }
  if (!/^http:\/\/[^/?#@]+\/?$/.test(text) || !URL.canParse(text)) return wrong;
  const { host, hostname, port } = new URL(text);
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  const address = { host: literal, port: port === '' ? HTTP_PORT : Number(port) };
  return { address, host };
}
