// Errors of listen() in words: which address, what failed and what to do, and the kernel's error.

import { errnoName } from '../base/errno.ts';
import { socketFileAt } from '../driver/socket-file.ts';
import type { Config } from './config/config.ts';

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use; stop the other server, or choose another port or address',
  EADDRNOTAVAIL: 'no such address on this machine; choose one of its own',
  EACCES: 'permission denied; choose a port above 1023',
  EPERM: 'operation not permitted',
  EINVAL: 'not an address to listen on; give an IP address, a host name, or a shorter path',
  ENOENT: 'no such folder; create it',
  EMFILE: 'too many open files; raise the limit of descriptors (ulimit -n)',
};

const NOT_WRITABLE = 'permission denied; choose a folder that this user may write to';
const NO_SOCKET = 'it is a file that is no socket; remove it, or choose another path';

/** `errno` is positive; the error has it by name as `code`. */
export function listenError(errno: number, config: Config): Error {
  const code = errnoName(errno);
  const where = config.socket ?? hostPort(config.host, config.port);
  const words = faultWords(code, wordsOfSocket(code, config.socket));
  return Object.assign(new Error(`cannot listen on ${where}: ${words}`), { code, errno });
}

/** What an error of a listener means and what to do, and its name. */
export function faultWords(code: string, words: string | undefined = WORDS[code]): string {
  return `${words ?? 'the kernel reports an error'} (${code})`;
}

/** The words for the path of a unix socket, where they are not those for a port. */
function wordsOfSocket(code: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (code === 'EACCES') return NOT_WRITABLE;
  // Something other than a socket is there, which a server never replaces.
  return code === 'EADDRINUSE' && socketFileAt(path) === null ? NO_SOCKET : undefined;
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
