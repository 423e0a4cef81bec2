// What the primary and its workers tell each other.

/** From a worker: it accepts, it could not, it has closed. */
export type FromWorker =
  | { readonly vibing: 'listening'; readonly port: number; readonly driver: string }
  | { readonly vibing: 'failed'; readonly message: string; readonly code: string };

/** From the primary: finish and end. */
export type FromPrimary = { readonly vibing: 'close' };

/** Environment of a worker: its index, the core it runs on, and its listener if it inherits one. */
export const INDEX_VARIABLE = 'VIBING__WORKER';
export const CORE_VARIABLE = 'VIBING__CORE';
export const LISTENER_VARIABLE = 'VIBING__LISTENER';
/**
 * The port that all workers share, where each makes its own listener and any port was asked for.
 */
export const PORT_VARIABLE = 'VIBING__PORT';

/**
 * The primary's descriptor that all workers share, where Node's own cluster hands out the clients.
 */
export const SHARED_VARIABLE = 'VIBING__SHARED';

/** Where the inherited listener stands among a worker's descriptors: behind the IPC channel. */
export const LISTENER_FD = 4;

export function isFromWorker(message: unknown): message is FromWorker {
  return typeof message === 'object' && message !== null && 'vibing' in message;
}
