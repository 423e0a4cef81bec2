// The most bytes that a request body may have, for all requests or for those below a prefix.

import { shown } from '../base/shown.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import { exchangeOf } from '../exchange/request.ts';
import { BodyUse } from '../exchange/state.ts';
import { BodyKind } from '../http/framing.ts';

/**
 * Applies instead of `body_bytes_max`, which it may exceed: this route, and no other, then keeps so
 * much in memory. `stream_bytes_max` always applies, too. Of several limits the least applies.
 */
export function bodyLimit(bytes: number): Middleware {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new TypeError(`bodyLimit: the limit is a whole number of bytes, given ${shown(bytes)}`);
  }
  return (request, _response, next) => {
    const exchange = exchangeOf(request);
    const { framing } = exchange;
    if (framing.kind === BodyKind.None) return next();
    if (exchange.bodyUse !== BodyUse.Unread) {
      throw new Error('bodyLimit: the body is being read already; use bodyLimit() before');
    }
    if (framing.kind === BodyKind.Length && framing.length > bytes) throw new HttpError(413);
    exchange.limitBody(bytes);
    return next();
  };
}

noteMaker(bodyLimit, 'bodyLimit');
