// Rejects requests that another site makes a browser send with the user's cookies (cross-site
// request forgery), by what browsers themselves say: Sec-Fetch-Site (Fetch Metadata) and Origin.

import { checkOptions, choice } from '../base/options.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import { noteMaker } from '../exchange/makers.ts';
import type { Request } from '../exchange/request.ts';
import { checkOrigin, NULL_ORIGIN } from './origin.ts';

/** Options of csrf(). */
export interface CsrfOptions {
  /** Other origins whose pages may send such requests, as 'https://a.test'. Default none. */
  readonly origins?: readonly string[];
  /**
   * What happens to a request with neither field, which no current browser sends with an unsafe
   * method: 'allow' (the default) or 'reject'.
   */
  readonly missing?: 'allow' | 'reject';
}

const OPTIONS = {
  origins: {
    wanted: "a list of origins, as ['https://a.test']",
    fits: (value: unknown) => Array.isArray(value),
  },
  missing: choice(['allow', 'reject']),
} as const;

/** RFC 9110 9.2.1: a handler changes nothing for them. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
/** 'none' is a request of the user: from the address bar or a bookmark. */
const OWN_SITES = ['same-origin', 'none'];

/** Throws a TypeError for options that are invalid or would allow more than they state. */
export function csrf(options: CsrfOptions = {}): Middleware {
  checkOptions('csrf', options, OPTIONS);
  const { missing = 'allow', origins = [] } = options;
  for (const origin of origins) {
    if (origin === NULL_ORIGIN) {
      throw new TypeError("csrf: origins: any page can have the origin 'null'");
    }
    checkOrigin(origin, 'csrf: origins');
  }
  const allowed = new Set(origins);
  return (request, _response, next) => {
    if (SAFE_METHODS.includes(request.method)) return next();
    if (isOwn(request, allowed, missing === 'allow')) return next();
    throw new HttpError(403, 'this request comes from a page of another site');
  };
}

noteMaker(csrf, 'csrf');

function isOwn(request: Request, allowed: ReadonlySet<string>, ifMissing: boolean): boolean {
  const origin = request.header('origin');
  if (origin !== undefined && allowed.has(origin)) return true;
  const site = request.header('sec-fetch-site');
  // Sites of the same registrable domain are other sites: a subdomain may belong to another user.
  if (site !== undefined) return OWN_SITES.includes(site);
  if (origin === undefined) return ifMissing;
  return isSameOrigin(origin, request);
}

/**
 * Without Sec-Fetch-Site the browser is old, or the connection is not secure. When no trusted proxy
 * reports the protocol it is not known here, and both are accepted.
 */
function isSameOrigin(origin: string, request: Request): boolean {
  const host = request.host.toLowerCase();
  if (host === '') return false;
  if (origin === `https://${withoutPort(host, ':443')}`) return true;
  return request.protocol === 'http' && origin === `http://${withoutPort(host, ':80')}`;
}

/** Origins never contain the port that is the default of their scheme. */
function withoutPort(host: string, port: string): string {
  return host.endsWith(port) ? host.slice(0, -port.length) : host;
}
