// The URL of a request, as the Fetch standard has it: absolute and normalized.

import type { Exchange } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';
import { HttpError } from '../exchange/http-error.ts';
import { TargetForm } from '../http/head.ts';
import { latin1 } from '../http/text.ts';

/** The scheme of the URL of a request. */
export type Scheme = 'http' | 'https';

/** A target whose path is plain, and that has only these, is normalized already. */
const NORMALIZED = /^\/[\w.~!$&()*+,;=:@/?%-]*$/;

/** The last origin: most requests to a server name the same host. */
let lastScheme = '';
let lastAuthority = '';
let lastOrigin = '';

/** Throws an HttpError 400 when host and target make no URL. */
export function urlOf(exchange: Exchange, scheme: Scheme): string {
  const { bytes, base, head } = exchange;
  const origin = originOf(scheme, fieldValue(exchange, 'host') ?? '');
  const from = head.form === TargetForm.Absolute ? head.pathStart : head.targetStart;
  const target = latin1(bytes, base + from, base + head.targetEnd);
  if (head.plainPath === 1 && NORMALIZED.test(target)) return origin + target;
  return normalized(origin + alignedWithRoutes(target));
}

/** A segment '.' or '..', in any spelling. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/**
 * The target so that a URL has the path that routes have: middleware that guards a path would be
 * passed by otherwise. A URL takes a backslash for a slash, and keeps the second of two slashes,
 * which a '..' then removes.
 */
function alignedWithRoutes(target: string): string {
  const queryAt = target.indexOf('?');
  const query = queryAt < 0 ? '' : target.slice(queryAt);
  let path = (queryAt < 0 ? target : target.slice(0, queryAt)).replaceAll('\\', '%5C');
  if (DOT_SEGMENT.test(path)) path = path.replaceAll(/\/{2,}/g, '/');
  return `${path.startsWith('/') ? path : `/${path}`}${query}`;
}

function originOf(scheme: Scheme, authority: string): string {
  if (authority === lastAuthority && scheme === lastScheme) return lastOrigin;
  const { origin } = new URL(
    normalized(`${scheme}://${authority === '' ? 'localhost' : authority}`),
  );
  lastScheme = scheme;
  lastAuthority = authority;
  lastOrigin = origin;
  return origin;
}

function normalized(text: string): string {
  try {
    return new URL(text).href;
  } catch (cause) {
    throw new HttpError(400, 'the Host field and the target make no URL', { cause });
  }
}
