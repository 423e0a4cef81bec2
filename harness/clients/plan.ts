// What one client is going to do, settled before it begins.

import type { Planned } from './expected.ts';

/** Shapes of the clients of the hostile application. */
export const HOSTILE_SHAPES = [
  'one after the other',
  'pipeline',
  'new connections',
  'slow to read',
  'breaks off',
  'goes away',
  'stops reading',
  'ends its side',
] as const;
export type HostileShape = (typeof HOSTILE_SHAPES)[number];

export type ShapeName =
  | 'one by one'
  | 'pipelined train'
  | 'astride'
  | 'keep-alive churn'
  | 'uploads'
  | 'huge bodies'
  | 'slow reader'
  | 'steady reader'
  | 'talking reader'
  | 'stuck reader'
  | 'slowloris'
  | 'body stall'
  | 'idle'
  | 'expect'
  | 'garbage'
  | 'files'
  | 'streams'
  | 'troubled handlers'
  | 'old and closing'
  | 'half close'
  | 'resetter'
  | 'uploader that breaks off'
  | 'vanisher'
  | 'flood after close'
  | 'probe'
  | HostileShape;

/** What a client does wrong, at the request with this number. */
export interface Mishap {
  readonly kind: 'reset' | 'leave' | 'stop reading' | 'stop sending';
  readonly atRequest: number;
  /** After how many bytes of that request; as many as there are for all of it. */
  readonly afterBytes: number;
  /** How long it stays that way before it leaves; or of a reset, how long before that comes. */
  readonly forMs: number;
}

export interface ClientPlan {
  readonly shape: ShapeName;
  readonly lane: number;
  readonly startMs: number;
  readonly requests: readonly Planned[];
  /** Requests that are on their way together. */
  readonly depth: number;
  /** Sent as one piece, so that they may arrive as one. */
  readonly train: boolean;
  readonly requestsPerConnection: number;
  /** How requests are cut when they are sent; null leaves them whole. */
  readonly send: { readonly bytesMax: number; readonly pauseMs: number } | null;
  readonly read: { readonly bytesMax: number; readonly pauseMs: number } | null;
  readonly thinkMs: number;
  /** A request whose connection ended without an answer is sent again. */
  readonly again: boolean;
  readonly mishap: Mishap | null;
  /** How it ends when it has all answers. */
  readonly leave: 'end' | 'close' | 'reset' | 'wait';
  /** Sends the end of its stream right behind its last request. */
  readonly halfClose: boolean;
  /** After its requests it sends a byte this often, as long as it is connected; 0 is never. */
  readonly byteEveryMs: number;
  /** Goes on sending this many bytes when the server has said that it closes. */
  readonly floodBytes: number;
}
