// What handlers and middleware are, and their types: parameters follow from the pattern of a route,
// state from the middleware before it.

import type { Params, Request, State } from './request.ts';
import type { Response } from './response.ts';

/** Responds to a request, at once or later. */
export type Handler<P extends object = Params, S extends object = State> = (
  request: Request<P, S>,
  response: Response,
) => void | Promise<void>;

/** Runs the rest of the chain; resolves when it has settled. */
export type Next = () => Promise<void>;

/** Exists in types only: keeps what a middleware adds to the state, for inference. */
declare const ADDS: unique symbol;

/**
 * A function around the rest of the chain. `Adds` are the properties of `request.state` that it has
 * set when it calls next(), `Needs` those that middleware before it must have set.
 */
export type Middleware<Adds extends object = object, Needs extends object = State> = ((
  request: Request<Params, Needs & Partial<Adds>>,
  response: Response,
  next: Next,
) => void | Promise<void>) & { readonly [ADDS]?: Adds };
