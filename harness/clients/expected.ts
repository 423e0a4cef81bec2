// What a client sends, and the response that it expects. Both follow from the plan of the client
// alone.

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

/** With the hostile application: how its handlers and guards treat a request. */
export const HOSTILE_KINDS = ['hostile', 'correct', 'denied'] as const;

export type RequestKind = (typeof REQUEST_KINDS)[number] | (typeof HOSTILE_KINDS)[number];

export interface Expected {
  readonly status: number;
  /** Null where only the status and the fields are known. */
  readonly body: Uint8Array | null | ((facts: WireFacts) => string);
  readonly fields: readonly (readonly [string, string])[];
  /** Whether the response has Connection: close. */
  readonly close: 'no' | 'yes' | 'may';
  /** The handler truncates the response behind its head, on purpose. */
  readonly truncated: boolean;
}

/** A part of a request. */
export interface Part {
  readonly bytes: Uint8Array;
  /** The client waits this long before it sends the part, */
  readonly pauseMs: number;
  /** or until 100 (Continue) arrives. */
  readonly awaitsContinue: boolean;
}

export interface Planned {
  readonly kind: RequestKind;
  readonly method: string;
  readonly parts: readonly Part[];
  readonly expected: Expected;
  /** Its handler reads files: a fault may change the response. */
  readonly usesFiles: boolean;
  /** How long its handler takes, without the client. */
  readonly takesMs: number;
  /** It is the last request of its connection. */
  readonly isLast: boolean;
}

export function bytesOf(planned: Planned): number {
  return planned.parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
