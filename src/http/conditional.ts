// Whether a client's copy is still good (RFC 9110 section 13): If-None-Match and If-Modified-Since.

import { parseDate } from './date.ts';

/** The opaque-tags of a list, with their quotes and without the weak prefix. */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** True when the value of If-None-Match names `etag`, by weak comparison, or is `*`. */
export function matchesTag(value: string, etag: string): boolean {
  if (value.trim() === '*') return true;
  const wanted = etag.replace(/^W\//, '');
  for (const match of value.matchAll(TAG)) if (match[1] === wanted) return true;
  return false;
}

/**
 * True when the client has this version of a representation already. If-None-Match goes before
 * If-Modified-Since (13.2.2); a date that cannot be read is as none (13.1.3).
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
