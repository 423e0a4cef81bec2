// What the primary and its workers tell each other.

import type { Address } from '../driver/driver.ts';
import type { Config, ServerOptions } from '../server/config/config.ts';
import type { FixedValues } from './fixed-keys.ts';

/** A worker accepts. */
export interface Ready {
  readonly vibing: 'listening';
  readonly port: number;
  readonly driver: string;
  /** What its own configuration says of keys that are the primary's to decide. */
  readonly fixed: FixedValues;
  /** Its whole configuration. */
  readonly options: ServerOptions;
}

export type FromWorker =
  /** It is about to listen, and waits for the word to; then it may take this long to finish. */
  | { readonly vibing: 'asking'; readonly shutdownTimeoutMs: number }
  | Ready
  /** It could not listen. */
  | { readonly vibing: 'failed'; readonly message: string; readonly code: string }
  /** Which driver it took for want of a faster one. */
  | { readonly vibing: 'note'; readonly text: string }
  /** It takes no further client and ends soon. */
  | { readonly vibing: 'closing' }
  /** Its last word. */
  | { readonly vibing: 'served'; readonly connections: number; readonly requests: number };

export type FromPrimary =
  /** Listen: from now on there may be clients. */
  | { readonly vibing: 'listen' }
  /** Its last word was heard, and nothing more will come: go. */
  | { readonly vibing: 'leave' }
  /** Finish and end; `last` when no fresh worker takes the clients that wait. */
  | { readonly vibing: 'close'; readonly last: boolean }
  /** Take the clients of listener number `listener` too, or no longer. */
  | { readonly vibing: 'accept'; readonly listener: number; readonly on: boolean };

/** What a worker is told when it starts. */
export interface Assignment {
  readonly index: number;
  /** The core to run on; null where nobody can say. */
  readonly core: number | null;
  /** How many listeners it inherits, and which of them is its own. */
  readonly listeners: number;
  readonly listener: number;
  /** Where to listen when it inherits none. */
  readonly address: Address;
  readonly driver: Config['driver'];
  /** The configuration that was last accepted; null when it is to be read anew. */
  readonly options: ServerOptions | null;
}

/** Holds an Assignment as JSON in the environment of a worker. */
export const ASSIGNMENT_VARIABLE = 'VIBING__WORKER';

/** Where the inherited listeners begin among a worker's descriptors: behind the IPC channel. */
export const LISTENER_FD = 4;

export function isFromWorker(message: unknown): message is FromWorker {
  return typeof message === 'object' && message !== null && 'vibing' in message;
}
