// Hot: runs for every request. Measured by perf/micro/fetch.ts.
// The URL of a request, as the Fetch standard has it: absolute and normalized.

import type { Exchange } from '../exchange/exchange.ts';
import { fieldValue } from '../exchange/field-value.ts';
import { HttpError } from '../exchange/http-error.ts';
import { TargetForm } from '../http/head.ts';
import { latin1 } from '../http/text.ts';

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
  return normalized(origin + (target.startsWith('/') ? target : `/${target}`));
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
