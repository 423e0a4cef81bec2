// Entity tags (RFC 9110 8.8.3) and lists of them, as If-Match and If-None-Match have. Lists are
// compared as bytes, in one pass and without garbage, however long they are.

import { COMMA, QUOTE, SLASH, SP, TAB } from '../base/ascii.ts';

/** The result of a search in a list. A malformed list contains no tag. */
export const TagSearch = { Malformed: -1, Absent: 0, Present: 1 } as const;
export type TagSearch = (typeof TagSearch)[keyof typeof TagSearch];

const WEAK = 0x57;

/** The bytes between the quotes: visible ASCII except the quote, and obs-text. */
const OPAQUE = new Uint8Array(256)
  .fill(1, 0x21)
  .fill(0, QUOTE, QUOTE + 1)
  .fill(0, 0x7f, 0x80);

const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** True for one entity tag without white space around it. */
export function isEntityTag(text: string): boolean {
  return ENTITY_TAG.test(text);
}

export function isWeakTag(etag: string): boolean {
  return etag.startsWith('W/');
}

/**
 * Searches a list for a tag: by strong comparison both must be strong, by weak comparison only the
 * opaque tags count (8.8.3.2). The search continues to the end, as one malformed member makes the
 * list malformed. Empty members are skipped (5.6.1.2).
 */
export function searchTags(
  bytes: Uint8Array,
  from: number,
  to: number,
  etag: string,
  isStrong: boolean,
): TagSearch {
  const opaqueAt = isWeakTag(etag) ? 2 : 0;
  let found: TagSearch = TagSearch.Absent;
  let isMember = true;
  let p = from;
  while (p < to) {
    const byte = bytes[p];
    if (byte === SP || byte === TAB || byte === COMMA) {
      if (byte === COMMA) isMember = true;
      p += 1;
      continue;
    }
    if (!isMember) return TagSearch.Malformed;
    isMember = false;
    const end = tagEnd(bytes, p, to);
    if (end < 0) return TagSearch.Malformed;
    const start = byte === WEAK ? p + 2 : p;
    const mayMatch = !isStrong || (byte !== WEAK && opaqueAt === 0);
    if (mayMatch && equalsText(bytes, start, end, etag, opaqueAt)) found = TagSearch.Present;
    p = end;
  }
  return found;
}

/** Where the entity tag that begins at `from` ends; -1 when there is none. */
export function tagEnd(bytes: Uint8Array, from: number, to: number): number {
  let p = from;
  if (to - p > 2 && bytes[p] === WEAK && bytes[p + 1] === SLASH) p += 2;
  if (p >= to || bytes[p] !== QUOTE) return -1;
  p += 1;
  while (p < to && OPAQUE[bytes[p]] === 1) p += 1;
  return p < to && bytes[p] === QUOTE ? p + 1 : -1;
}

/** Whether a span equals the characters of `text` from `at` on. */
function equalsText(
  bytes: Uint8Array,
  from: number,
  to: number,
  text: string,
  at: number,
): boolean {
  const length = text.length - at;
  if (to - from !== length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[from + index] !== text.charCodeAt(at + index)) return false;
  }
  return true;
}
