// A worker's side: runs on its own core, serves the listener it was handed, and tells the primary
// how that went.

import cluster from 'node:cluster';
import type { Address } from '../driver/driver.ts';
import { pinTo } from '../driver/linux/affinity.ts';
import type { Listening, Server } from '../server/server.ts';
import {
  CORE_VARIABLE,
  type FromPrimary,
  type FromWorker,
  INDEX_VARIABLE,
  LISTENER_FD,
  LISTENER_VARIABLE,
  PORT_VARIABLE,
  SHARED_VARIABLE,
} from './messages.ts';

/** True in a process that a primary of ours forked. */
export function isWorker(): boolean {
  return cluster.isWorker && process.env[INDEX_VARIABLE] !== undefined;
}

/** The listener that the primary made, or the port; null when the configuration says where. */
export function inheritedListener(host: string): Address | null {
  if (!isWorker()) return null;
  if (process.env[LISTENER_VARIABLE] !== undefined) return { fd: LISTENER_FD };
  const shared = process.env[SHARED_VARIABLE];
  if (shared !== undefined) return { fd: Number(shared) };
  const port = process.env[PORT_VARIABLE];
  return port === undefined ? null : { host, port: Number(port) };
}

/** Listens as a worker: the primary hears of it, and its word ends the server. */
export async function listenAsWorker(
  server: Server,
  listen: () => Promise<Listening>,
): Promise<Listening> {
  const core = process.env[CORE_VARIABLE];
  if (core !== undefined) pinTo(Number(core));
  process.on('message', (message: FromPrimary) => {
    if (message?.vibing === 'close') void server.close();
  });
  // Without a primary there is nobody to serve for.
  process.on('disconnect', () => void server.close());
  try {
    const listening = await listen();
    tell({ vibing: 'listening', port: listening.port, driver: listening.driver });
    return listening;
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    tell({ vibing: 'failed', message, code: code ?? 'EUNKNOWN' });
    throw error;
  }
}

/** Lets the process end: its channel is the last thing that keeps it. */
export function leave(): void {
  if (process.connected) process.disconnect();
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
