// Whether a client's copy is current (RFC 9110 section 13): If-None-Match and If-Modified-Since.

import { parseDate } from './date.ts';

/** The opaque-tags of a list, with their quotes and without the weak prefix. */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** True when the value of If-None-Match is `*` or lists `etag`, by weak comparison. */
export function matchesTag(value: string, etag: string): boolean {
  if (value.trim() === '*') return true;
  const wanted = etag.replace(/^W\//, '');
  for (const match of value.matchAll(TAG)) if (match[1] === wanted) return true;
  return false;
}

/**
 * True when the client already has this version of a representation. If-None-Match takes precedence
 * over If-Modified-Since (13.2.2); an invalid date is ignored (13.1.3).
 */
export function isFresh(
  ifNoneMatch: string | undefined,
  ifModifiedSince: string | undefined,
  etag: string,
  modifiedMs: number,
  wallMs: number,
): boolean {
  if (ifNoneMatch !== undefined) return matchesTag(ifNoneMatch, etag);
  if (ifModifiedSince === undefined) return false;
  const sinceMs = parseDate(ifModifiedSince, wallMs);
  return Math.floor(modifiedMs / 1000) * 1000 <= sinceMs;
}
