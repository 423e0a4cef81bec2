// A server that does not listen, for server.inject(): what it logs and prints goes into lists.

import type { ServerOptions } from '../src/server/config/config.ts';
import type { Server } from '../src/server/server.ts';
import { makeServer } from './with-server.ts';

export interface UnlistenedServer {
  readonly server: Server;
  /** Lines of standard error and of standard output. */
  readonly log: readonly string[];
  readonly out: readonly string[];
}

export function unlistenedServer(options: ServerOptions = {}): UnlistenedServer {
  const { server, asyncIo } = makeServer('net', { logLevel: 'warn', ...options });
  return { server, log: asyncIo.log, out: asyncIo.out };
}
