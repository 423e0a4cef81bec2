// What an exchange knows of its handling: the parts that run, the methods that a path allows, and
// what middleware has set for its response.

import type { Coding } from '../http/accept-encoding.ts';
import type { Content } from './content.ts';

/**
 * Called when no handler takes the request: returns the methods that middleware supports for the
 * path, such as those of a file, for the Allow field; or responds, such as with a page in place of
 * a 404, unless a route has the path for other methods.
 */
export type AllowedMethods = (hasRoute: boolean) => Promise<readonly string[]>;

/** Encodes the content of responses: compress(). */
export interface ContentCoder<Record> {
  /**
   * The coding for a response with so many bytes of content, -1 when that is not known; Identity
   * when the response stays as it is. Adds Vary where the choice depends on the request.
   */
  choose(exchange: Record, contentBytes: number): Coding;
  /** Sends a full response in a coding; null is the content of a HEAD of unknown length. */
  send(exchange: Record, content: Content, coding: Coding, isConstant: boolean): void;
  /** The head of a stream is sent next: sets its fields, and encodes the chunks that follow. */
  begin(exchange: Record, coding: Coding): void;
}

/** Limits the time of handlers: timeout(). The one that runs last decides. */
export interface TimeLimit {
  /** Limits this exchange no longer. */
  drop(exchange: object): void;
}

/** The parts of the handling that run; see parts.ts. */
export interface Parts {
  /** How many have not settled. */
  running: number;
  /** True when any of them returned a promise. */
  deferred: boolean;
  /** Within a call of a handler or middleware, which catches what we throw. */
  entered: boolean;
  /** The first error that counts. */
  failure: { readonly error: unknown; readonly mayBeCaught: boolean } | null;
}
