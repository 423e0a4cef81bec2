// The address of an upstream server, from its text.

import type { UpstreamAddress } from '../async-io/upstream.ts';
import { shown } from '../base/shown.ts';

const UNIX = 'unix:';
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

interface Found {
  readonly address: UpstreamAddress;
  /** The value of its Host field. */
  readonly host: string;
  readonly isTls: boolean;
}

/** From 'http://host:port', 'https://host:port' or 'unix:/path'; a string says what is wrong. */
export function upstreamAddress(text: unknown): Found | string {
  const wrong = `${shown(text)} is not "http://host:port", "https://host:port" or "unix:/path"`;
  if (typeof text !== 'string') return wrong;
  if (text.startsWith(UNIX)) {
    const socketPath = text.slice(UNIX.length);
    if (!socketPath.startsWith('/') || socketPath.includes('\0')) return wrong;
    return { address: { socketPath }, host: 'localhost', isTls: false };
  }
  if (!/^https?:\/\/[^/?#@]+\/?$/.test(text) || !URL.canParse(text)) return wrong;
  const { host, hostname, port, protocol } = new URL(text);
  const isTls = protocol === 'https:';
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  const usualPort = isTls ? HTTPS_PORT : HTTP_PORT;
  const address = { host: literal, port: port === '' ? usualPort : Number(port) };
  return { address, host, isTls };
}
