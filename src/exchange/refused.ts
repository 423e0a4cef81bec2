// Requests that reach no middleware, since they are not valid: middleware that wants to know of
// them, such as the access log, has a listener.

import type { Summary } from './callbacks.ts';
import type { Services } from './exchange.ts';
import type { Middleware } from './handler.ts';

/** What is known of such a request; '' for what is not. */
export interface Refused {
  /** What is wrong with it, as metrics name it: 'bad_host'. */
  readonly fault: string;
  /** The client's address. */
  readonly address: string;
  readonly method: string;
  /** Where the request line is not valid: as much of it as fits, and method and version are ''. */
  readonly target: string;
  readonly version: string;
}

/** Called when the error response was sent; errors and rejections are logged. */
export type RefusedListener = (refused: Refused, summary: Summary, services: Services) => unknown;

const listeners = new WeakMap<Middleware, RefusedListener>();

/**
 * The same middleware; `listener` is called for each refused request of a server all of whose
 * requests it covers.
 */
export function whenRefused(middleware: Middleware, listener: RefusedListener): Middleware {
  listeners.set(middleware, listener);
  return middleware;
}

export function refusedListenerOf(middleware: Middleware): RefusedListener | undefined {
  return listeners.get(middleware);
}
