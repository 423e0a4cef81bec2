// Continues a middleware with the result of a user's function, which may be a promise.

import { asPart } from '../exchange/parts.ts';
import { exchangeOf, type Request } from '../exchange/request.ts';

/** True for a promise and for any other thenable. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false;
  return typeof value.then === 'function';
}

/**
 * Calls `proceed` with the result: at once, or when its promise has resolved. Only asynchronous
 * decisions cost a promise. An error of either is handled like one of a handler.
 */
export function whenDecided(
  request: Request,
  decision: unknown,
  proceed: (result: unknown) => void | Promise<void>,
): void | Promise<void> {
  if (!isThenable(decision)) return proceed(decision);
  return asPart(exchangeOf(request), proceedLater(decision, proceed));
}

async function proceedLater(
  decision: PromiseLike<unknown>,
  proceed: (result: unknown) => void | Promise<void>,
): Promise<void> {
  return proceed(await decision);
}
