// The messages between the primary and its workers.

import type { Address } from '../driver/driver.ts';
import type { Config, ServerOptions } from '../server/config/config.ts';
import type { FixedValues } from './fixed-keys.ts';
import type { MetricsAssignment } from './metrics-file.ts';

/** A worker listens. */
export interface Ready {
  readonly vibing: 'listening';
  readonly port: number;
  readonly driver: string;
  /** The values that its configuration has for keys that only the primary applies. */
  readonly fixed: FixedValues;
  /** Its configuration. */
  readonly options: ServerOptions;
}

/** What a worker sends to all others. */
export interface Published {
  readonly vibing: 'published';
  readonly topic: string;
  /** JSON. */
  readonly message: unknown;
}

export type FromWorker =
  /** It is ready to listen and waits for 'listen'. To close it may take `shutdownTimeoutMs`. */
  | {
      readonly vibing: 'starting';
      readonly shutdownTimeoutMs: number;
      readonly isDebugged: boolean;
    }
  | Ready
  /** It could not listen. */
  | { readonly vibing: 'failed'; readonly message: string; readonly code: string }
  /** Why it uses a slower driver than the first choice. */
  | { readonly vibing: 'note'; readonly text: string }
  /** The response to 'ping': its event loop runs. */
  | { readonly vibing: 'pong'; readonly isDebugged: boolean }
  /** For every other worker. */
  | Published
  /** It accepts no more clients and exits soon. */
  | { readonly vibing: 'closing' }
  /** Its last message. */
  | { readonly vibing: 'served'; readonly connections: number; readonly requests: number };

export type FromPrimary =
  /** Listen: from now on it may have clients. */
  | { readonly vibing: 'listen' }
  /** The reply to 'served', the last message: exit. */
  | { readonly vibing: 'exit' }
  /** Finish the requests and exit; `last` when no other worker accepts the queued clients. */
  | { readonly vibing: 'close'; readonly last: boolean }
  /** From another worker. */
  | Published
  /** Accept from listener number `listener` as well, or no longer. */
  | { readonly vibing: 'accept'; readonly listener: number; readonly on: boolean }
  /** Respond, to show that the event loop runs. */
  | { readonly vibing: 'ping' }
  /** Open log files again. */
  | { readonly vibing: 'reopen' };

/** What the primary passes to a worker at its start. */
export interface Assignment {
  readonly index: number;
  /** The core to run on; null when the cores are unknown. */
  readonly core: number | null;
  /** The number of listeners that it inherits. */
  readonly listeners: number;
  /** Its own one of them. */
  readonly listener: number;
  /** Where to listen when it inherits none. */
  readonly address: Address;
  readonly driver: Config['driver'];
  /** Where it counts; null without metrics. */
  readonly metrics: MetricsAssignment | null;
  /** The configuration that was last accepted; null to read it again. */
  readonly options: ServerOptions | null;
}

/** Holds an Assignment as JSON in the environment of a worker. */
export const ASSIGNMENT_VARIABLE = 'VIBING__WORKER';

/** The first descriptor of the inherited listeners in a worker: after the IPC channel. */
export const LISTENER_FD = 4;

export function isFromWorker(message: unknown): message is FromWorker {
  return typeof message === 'object' && message !== null && 'vibing' in message;
}
