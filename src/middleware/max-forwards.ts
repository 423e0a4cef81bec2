// Max-Forwards (RFC 9110 7.6.2): how often OPTIONS and TRACE may still be forwarded, by which a
// client finds the proxies on the way.

import { HttpError } from '../exchange/http-error.ts';
import type { Request } from '../exchange/request.ts';
import type { Response } from '../exchange/response.ts';

/** The methods for which a proxy must obey the field. */
const METHODS = ['OPTIONS', 'TRACE'];
/** Of what is forwarded; TRACE ends here. */
const ALLOWED = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';

/** How often the next one may forward the request: -1 is not even to it, null without a limit. */
export function forwardsLeft(request: Request): number | null {
  if (!METHODS.includes(request.method)) return null;
  const value = request.header('max-forwards');
  if (value === undefined || !/^\d+$/.test(value)) return null;
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER) - 1;
}

/** Responds in place of an upstream: the client asked for this one. */
export function respondAsLast(request: Request, response: Response): void {
  response.header('Allow', ALLOWED);
  if (request.method === 'TRACE') throw new HttpError(405);
  response.empty(204);
}
