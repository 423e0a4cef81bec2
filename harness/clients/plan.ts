// What one client does, decided before it starts.

import type { Planned } from './expected.ts';

/** Shapes of the clients of the hostile application. */
export const HOSTILE_SHAPES = [
  'one after the other',
  'pipeline',
  'new connections',
  'slow to read',
  'resets',
  'closes',
  'stops reading',
  'half closes',
] as const;
export type HostileShape = (typeof HOSTILE_SHAPES)[number];

export type ShapeName =
  | 'one by one'
  | 'pipelined batch'
  | 'split heads'
  | 'keep-alive churn'
  | 'uploads'
  | 'large bodies'
  | 'slow reader'
  | 'steady reader'
  | 'sending reader'
  | 'stopped reader'
  | 'slowloris'
  | 'body stall'
  | 'idle'
  | 'expect'
  | 'garbage'
  | 'files'
  | 'streams'
  | 'failing handlers'
  | 'HTTP/1.0 and close'
  | 'half close'
  | 'early reset'
  | 'reset of an upload'
  | 'early close'
  | 'flood after close'
  | 'probe'
  | HostileShape;

/** What a client does wrong, at one of its requests. */
export interface Mishap {
  readonly kind: 'reset' | 'close' | 'stop reading' | 'stop sending';
  readonly atRequest: number;
  /** After how many bytes of that request; Infinity for all of it. */
  readonly afterBytes: number;
  /** How long it stays that way before it closes; or the time until the reset. */
  readonly forMs: number;
}

export interface ClientPlan {
  readonly shape: ShapeName;
  readonly lane: number;
  readonly startMs: number;
  readonly requests: readonly Planned[];
  /** Requests in flight at once. */
  readonly depth: number;
  /** The requests in flight are written as one. */
  readonly batched: boolean;
  readonly requestsPerConnection: number;
  /** Splits what is sent; null for no splits. */
  readonly send: { readonly bytesMax: number; readonly pauseMs: number } | null;
  readonly read: { readonly bytesMax: number; readonly pauseMs: number } | null;
  readonly thinkMs: number;
  /** A request whose connection ended without a response is sent again. */
  readonly retries: boolean;
  readonly mishap: Mishap | null;
  /** How it ends the connection after the last response. */
  readonly leave: 'end' | 'close' | 'reset' | 'wait';
  /** Ends its side right after its last request. */
  readonly halfClose: boolean;
  /** After its requests it sends a byte at this interval while it is connected; 0 for never. */
  readonly byteEveryMs: number;
  /** Sends this many bytes after the server has announced the end. */
  readonly floodBytes: number;
}
