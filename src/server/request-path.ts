// The path of a request as the router reads it, and the same path with or without a slash at its
// end.

import { SLASH } from '../base/ascii.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type Head, TargetForm } from '../http/head.ts';
import { Method } from '../http/method.ts';
import { routePath, segmentString } from '../http/target.ts';
import { latin1 } from '../http/text.ts';
import { WORD_BYTES } from '../route/literals.ts';

/** With the bytes behind a path that the router needs. */
const ROOT = new Uint8Array([SLASH, ...new Array(WORD_BYTES).fill(0)]);

/** Sets the path for the router; false when it cannot be decoded. */
export function setPath(exchange: Exchange): boolean {
  const { head, bytes, base } = exchange;
  const from = base + head.pathStart;
  const to = base + head.pathEnd;
  if (head.plainPath === 1 && to > from) {
    exchange.pathBytes = bytes;
    exchange.pathFrom = from;
    exchange.pathTo = to;
    return true;
  }
  const decoded = to > from ? new Uint8Array(to - from + WORD_BYTES) : ROOT;
  const length = to > from ? routePath(bytes, from, to, decoded) : 1;
  exchange.pathBytes = decoded;
  exchange.pathFrom = 0;
  exchange.pathTo = Math.max(length, 0);
  return length > 0;
}

/** `OPTIONS *`, or an absolute target that means it: without path and query (RFC 9112 3.2.4). */
export function isServerWide({ form, method, pathStart, targetEnd }: Head): boolean {
  const isBare = form === TargetForm.Absolute && pathStart === targetEnd;
  return form === TargetForm.Asterisk || (isBare && method === Method.OPTIONS);
}

/** The path with the slash at its end removed, or added; null for '/', which has no other. */
export function otherSlash({ pathBytes, pathFrom, pathTo }: Exchange): Uint8Array | null {
  const length = pathTo - pathFrom;
  if (length <= 1) return null;
  if (pathBytes[pathTo - 1] === SLASH) return pathBytes.slice(pathFrom, pathTo - 1);
  const other = new Uint8Array(length + 1);
  other.set(pathBytes.subarray(pathFrom, pathTo));
  other[length] = SLASH;
  return other;
}

/**
 * The reference to a decoded path, with the query of the request. It is encoded from the normalized
 * path, which begins with exactly one slash: the received target may begin like a reference to
 * another host (`//host/..`, `/\\host/..`).
 */
export function referenceTo(path: Uint8Array, { head, bytes, base }: Exchange): string {
  const segments: string[] = [];
  let from = 1;
  while (from <= path.length) {
    const slash = path.indexOf(SLASH, from);
    const to = slash < 0 ? path.length : slash;
    segments.push(encodeURIComponent(segmentString(path, from, to)));
    from = to + 1;
  }
  const query =
    head.queryStart < 0 ? '' : `?${latin1(bytes, base + head.queryStart, base + head.queryEnd)}`;
  return `/${segments.join('/')}${query}`;
}
