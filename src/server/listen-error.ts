// Errors of listen() in words: which address, what failed and what to do, and the kernel's error.

import { errnoName } from '../base/errno.ts';
import { socketFileAt } from '../driver/socket-file.ts';
import type { Config } from './config/config.ts';

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use; stop the other server, or choose another port or address',
  EADDRNOTAVAIL: 'no such address on this machine; choose one of its own',
  EACCES: 'permission denied; choose a port above 1023, or a folder that this user may write to',
  EPERM: 'operation not permitted',
  EINVAL: 'not an address to listen on; give an IP address, a host name, or a shorter path',
  ENOENT: 'no such folder; create it',
  EMFILE: 'too many open files; raise the limit of descriptors (ulimit -n)',
};

const NO_SOCKET = 'it is a file that is no socket; remove it, or choose another path';

/** `errno` is positive; the error has it by name as `code`. */
export function listenError(errno: number, config: Config): Error {
  const code = errnoName(errno);
  const where = config.socket ?? hostPort(config.host, config.port);
  const isOther = code === 'EADDRINUSE' && isNoSocket(config.socket);
  const words = isOther ? NO_SOCKET : (WORDS[code] ?? 'the kernel reports an error');
  return Object.assign(new Error(`cannot listen on ${where}: ${words} (${code})`), { code, errno });
}

/** Something other than a socket is at the path, which a server never replaces. */
function isNoSocket(path: string | undefined): boolean {
  return path !== undefined && socketFileAt(path) === null;
}

/** The listener for metrics alone cannot be opened. */
export class MetricsListenError extends Error {
  readonly code: string;

  constructor(error: Error & { code?: string }) {
    super(`metrics: ${error.message}`);
    this.code = error.code ?? 'EUNKNOWN';
  }
}

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
