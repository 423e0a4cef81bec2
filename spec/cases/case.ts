// A case as the loader returns it: bytes that a server receives, and the expected result.

import type { Limits } from '../../src/base/limits.ts';
import type { Fault } from '../../src/http/fault.ts';

export type Pair = readonly [name: string, value: string];

/** The limits of src/base/limits.ts that apply to the parser. */
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
  /** Its words, or the first of them when it ends in `…` in the file (removed here). */
  readonly quote: string;
  readonly line: number;
}

/** An accepted request; text has one character for each byte. */
export interface Message {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** As handlers see it; null when the case has no path, '' when it cannot be decoded. */
  readonly path: string | null;
  /** Names in lower case, in the order received. */
  readonly fields: readonly Pair[];
  readonly body: string;
  readonly trailers: readonly Pair[];
  /** The status of the response when the handler responds with 200. */
  readonly status: number;
  /** The connection closes after the response. */
  readonly closes: boolean;
}

/** What follows the last accepted message. */
export type End =
  /** Nothing; the next request may follow. */
  | { readonly kind: 'open' }
  /** The connection closes after the response to the last message, whatever else was sent. */
  | { readonly kind: 'closed' }
  /** What follows is rejected with this status, and the connection closes. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly status: number }
  /** The message is incomplete; if the client ends its stream, it gets this status. */
  | { readonly kind: 'incomplete'; readonly status: number };

export interface Expected {
  readonly messages: readonly Message[];
  readonly end: End;
}

export interface Case {
  /** The file's path from the root, and the line of its name. */
  readonly file: string;
  readonly line: number;
  /** The file's name and the case's, as in 'chunked#size-with-plus': stable, and an anchor. */
  readonly id: string;
  readonly request: string;
  readonly expected: Expected;
  /** Limits that differ from the defaults. */
  readonly limits: CaseLimits;
  /** Why this server differs from a specification or is stricter; null when it is not. */
  readonly choice: string | null;
  readonly rules: readonly Rule[];
}
