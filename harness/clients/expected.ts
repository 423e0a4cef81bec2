// What a client sends, and what the right answer is. Both follow from the plan of the client, and
// nothing in here knows how the server comes to its answer.

import type { WireFacts } from '../world/wire.ts';

/** Kinds of request, for the table at the end of a run. */
export const REQUEST_KINDS = [
  'hello',
  'text',
  'bytes',
  'head',
  'params',
  'peer',
  'echo',
  'echo chunked',
  'sum',
  'sum slow',
  'sum later',
  'mirror',
  'hold',
  'ignore',
  'expect',
  'too large',
  'stream',
  'sized',
  'events',
  'slow',
  'never',
  'throw',
  'reject',
  'cut',
  'static',
  'static large',
  'range',
  'not modified',
  'listing',
  'missing',
  'wrong method',
  'options',
  'http/1.0',
  'closing',
  'garbage',
  'long target',
  'long head',
] as const;

/** The same for the hostile application: how its handlers and guards treat a request. */
export const HOSTILE_KINDS = ['hostile', 'citizen', 'denied'] as const;

export type RequestKind = (typeof REQUEST_KINDS)[number] | (typeof HOSTILE_KINDS)[number];

export interface Expected {
  readonly status: number;
  /** Null where only the status and the fields are known. */
  readonly body: Uint8Array | null | ((facts: WireFacts) => string);
  readonly fields: readonly (readonly [string, string])[];
  /** Whether the answer says that the connection ends. */
  readonly close: 'no' | 'yes' | 'may';
  /** The answer is broken off on purpose somewhere behind its head. */
  readonly cut: boolean;
}

/** What goes out for a request, one after the other. */
export interface Part {
  readonly bytes: Uint8Array;
  /** Before it the client waits so long, */
  readonly pauseMs: number;
  /** or until the server asks for the body. */
  readonly awaitsContinue: boolean;
}

export interface Planned {
  readonly kind: RequestKind;
  readonly method: string;
  readonly parts: readonly Part[];
  readonly expected: Expected;
  /** Files are read for it, so that a failing one may change its answer. */
  readonly usesFiles: boolean;
  /** How long its handler takes, not counting the client. */
  readonly takesMs: number;
  /** Nothing can follow it on its connection. */
  readonly isLast: boolean;
}

export function bytesOf(planned: Planned): number {
  return planned.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
