// Errors of listen(), in words: which address, what the kernel said, under its usual name.

import { ERRNO } from '../base/errno.ts';
import type { Config } from './config/config.ts';

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'no such address on this machine',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EINVAL: 'not an address to listen on',
  EMFILE: 'too many open files',
};

/** `errno` is positive; the error has it by name as `code`. */
export function listenError(errno: number, config: Config): Error {
  const code = nameOf(errno);
  const where = config.socket ?? hostPort(config.host, config.port);
  const words = WORDS[code] ?? 'the kernel refused';
  return Object.assign(new Error(`cannot listen on ${where}: ${words} (${code})`), { code, errno });
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function nameOf(errno: number): string {
  for (const [name, number] of Object.entries(ERRNO)) if (number === errno) return name;
  return `errno ${errno}`;
}
