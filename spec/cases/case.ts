// A case as the loader gives it: bytes that arrive at a server, and what they mean.

import type { Limits } from '../../src/base/limits.ts';
import type { Fault } from '../../src/http/fault.ts';

export type Pair = readonly [name: string, value: string];

/** The limits of src/base/limits.ts that decide what the parser takes. */
export const CASE_LIMITS = [
  'headBytesMax',
  'targetBytesMax',
  'fieldsMax',
  'trailerBytesMax',
  'chunkExtensionBytesMax',
  'streamBytesMax',
] as const;
export type CaseLimits = Partial<Pick<Limits, (typeof CASE_LIMITS)[number]>>;

/** A sentence of a specification that a case tests. */
export interface Rule {
  /** Such as '9112'. */
  readonly rfc: string;
  /** Such as '6.1'. */
  readonly section: string;
  /** Its words, or the first of them when `…` ends it in the file (which is left out here). */
  readonly quote: string;
  readonly line: number;
}

/** A request that is taken; text has one character a byte. */
export interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** As handlers see it; null when the case does not say, '' when it cannot be decoded. */
  readonly path: string | null;
  /** Names in lower case, in the order they came. */
  readonly fields: readonly Pair[];
  readonly body: string;
  readonly trailers: readonly Pair[];
  /** What the server answers when its handler answers 200. */
  readonly status: number;
  /** The connection ends with the answer. */
  readonly closes: boolean;
}

/** What comes after the last message that is taken. */
export type End =
  /** Nothing; the next request may follow. */
  | { readonly kind: 'open' }
  /** The connection ends with the answer to the last message, whatever else was sent. */
  | { readonly kind: 'closed' }
  /** What follows is refused with this status, and the connection ends. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly status: number }
  /** More would have to come; if the client ends its stream, this is the answer. */
  | { readonly kind: 'incomplete'; readonly status: number };

export interface Expected {
  readonly messages: readonly Message[];
  readonly end: End;
}

export interface Case {
  /** The file's path from the root, and the line its name stands in. */
  readonly file: string;
  readonly line: number;
  /** The file's name and the case's, as in 'chunked#size-with-plus': stable, and an anchor. */
  readonly id: string;
  readonly request: string;
  readonly expected: Expected;
  /** Limits that are not the defaults. */
  readonly limits: CaseLimits;
  /** Why this server does other than a specification asks or expects; null when it does not. */
  readonly choice: string | null;
  readonly rules: readonly Rule[];
}
