// Middleware that must know when its server begins to serve: before its first request, other
// workers may have news for it.

import type { Services } from './exchange.ts';
import type { Middleware } from './handler.ts';

export type Begins = (services: Services) => void;

const begins = new WeakMap<Middleware, Begins>();

/** The same middleware; `listener` is called each time a server that uses it begins to serve. */
export function whenBegins<M extends Middleware>(middleware: M, listener: Begins): M {
  begins.set(middleware, listener);
  return middleware;
}

export function beginsOf(middleware: Middleware): Begins | undefined {
  return begins.get(middleware);
}
