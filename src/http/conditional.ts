// The preconditions of a request for GET or HEAD (RFC 9110 section 13), in the order of 13.2.2:
// If-Match or else If-Unmodified-Since, then If-None-Match or else If-Modified-Since, then
// If-Range.
// What is malformed has no effect that could harm: a list that cannot be parsed contains no tag, so
// If-Match fails and If-None-Match does not; a date that is invalid or occurs twice is ignored; an
// If-Range that is malformed or occurs twice is false, so all of the content is sent.

import { ASTERISK } from '../base/ascii.ts';
import { assert } from '../base/assert.ts';
import { parseDate } from './date.ts';
import { isWeakTag, searchTags, TagSearch, tagEnd } from './entity-tag.ts';
import { Field } from './fields.ts';
import { parseFixdate } from './fixdate.ts';
import { type Head, OFFSETS_PER_FIELD } from './head.ts';
import { latin1 } from './text.ts';

/** What identifies the current version of a representation (8.8). */
export interface Validators {
  /** An entity tag; null without one. */
  readonly etag: string | null;
  /** NaN when it is not known. */
  readonly modifiedMs: number;
}

/** What the preconditions demand. */
export const Verdict = {
  Proceed: 0,
  /** 304: the client has this version. */
  NotModified: 1,
  /** 412: the client wants another version. */
  Failed: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** The fields of this file and Range have adjacent numbers. */
const FIRST_FIELD = Field.Range;
const FIELD_SPAN = Field.IfUnmodifiedSince - Field.Range;
const FIELDS = [
  Field.Range,
  Field.IfNoneMatch,
  Field.IfModifiedSince,
  Field.IfRange,
  Field.IfMatch,
  Field.IfUnmodifiedSince,
];
assert(
  FIELDS.length === FIELD_SPAN + 1 && FIELDS.every((field) => field - FIRST_FIELD <= FIELD_SPAN),
  'conditional fields and Range have adjacent numbers',
);

/** The longest HTTP-date: `Wednesday, 06-Nov-94 08:49:37 GMT`. */
const DATE_CHARACTERS_MAX = 33;

/**
 * A Last-Modified this old is a strong validator (8.8.2.2): its second is over, and so is the step
 * of two seconds that some file systems count in. A client that obeys 13.1.5 has received it then.
 */
const DATE_STRONG_AFTER_MS = 2000;

/** True when a request has neither a precondition nor a Range: it gets the full representation. */
export function isUnconditional(head: Head): boolean {
  const { names, fieldCount } = head;
  for (let index = 0; index < fieldCount; index++) {
    if ((names[index] - FIRST_FIELD) >>> 0 <= FIELD_SPAN) return false;
  }
  return true;
}

/** `wallMs` is the current time. The head begins at `base` of `bytes`. */
export function checkPreconditions(
  head: Head,
  bytes: Uint8Array,
  base: number,
  validators: Validators,
  wallMs: number,
): Verdict {
  const { etag } = validators;
  if (head.find(Field.IfMatch) >= 0) {
    if (!listsTag(head, bytes, base, Field.IfMatch, etag, true)) return Verdict.Failed;
  } else {
    const sinceMs = dateOf(head, bytes, base, Field.IfUnmodifiedSince, wallMs);
    if (secondOf(validators) > sinceMs) return Verdict.Failed;
  }
  if (head.find(Field.IfNoneMatch) >= 0) {
    const isListed = listsTag(head, bytes, base, Field.IfNoneMatch, etag, false);
    return isListed ? Verdict.NotModified : Verdict.Proceed;
  }
  const sinceMs = dateOf(head, bytes, base, Field.IfModifiedSince, wallMs);
  return secondOf(validators) <= sinceMs ? Verdict.NotModified : Verdict.Proceed;
}

/** Whether the If-Match of a request lists a strong tag, or any (13.1.1). */
export function ifMatch(head: Head, bytes: Uint8Array, base: number, etag: string): boolean {
  return listsTag(head, bytes, base, Field.IfMatch, etag, true);
}

/** False when an If-Range says that the Range is to be ignored. */
export function rangeApplies(
  head: Head,
  bytes: Uint8Array,
  base: number,
  validators: Validators,
  wallMs: number,
): boolean {
  const index = head.find(Field.IfRange);
  if (index < 0) return true;
  if (head.count(Field.IfRange) > 1) return false;
  const at = index * OFFSETS_PER_FIELD;
  const from = base + head.offsets[at + 2];
  const to = base + head.offsets[at + 3];
  if (tagEnd(bytes, from, to) === to) {
    const { etag } = validators;
    if (etag === null || isWeakTag(etag)) return false;
    return searchTags(bytes, from, to, etag, true) === TagSearch.Present;
  }
  const secondMs = secondOf(validators);
  const isOld = wallMs - secondMs >= DATE_STRONG_AFTER_MS;
  return isOld && dateOf(head, bytes, base, Field.IfRange, wallMs) === secondMs;
}

/** The lines of a list field are one list (5.3). `*` lists any tag, also when there is none. */
function listsTag(
  head: Head,
  bytes: Uint8Array,
  base: number,
  field: number,
  etag: string | null,
  isStrong: boolean,
): boolean {
  const { names, offsets, fieldCount } = head;
  let isListed = false;
  for (let index = head.find(field); index < fieldCount; index++) {
    if (names[index] !== field) continue;
    const from = base + offsets[index * OFFSETS_PER_FIELD + 2];
    const to = base + offsets[index * OFFSETS_PER_FIELD + 3];
    if (to - from === 1 && bytes[from] === ASTERISK) return head.count(field) === 1;
    const found = searchTags(bytes, from, to, etag ?? '', isStrong);
    if (found === TagSearch.Malformed) return false;
    if (found === TagSearch.Present) isListed = true;
  }
  return isListed;
}

/** The second of the modification, which a Last-Modified has. */
function secondOf({ modifiedMs }: Validators): number {
  return Math.floor(modifiedMs / 1000) * 1000;
}

/** A date; NaN, with which every comparison is false, when it is absent or to be ignored. */
function dateOf(
  head: Head,
  bytes: Uint8Array,
  base: number,
  field: number,
  wallMs: number,
): number {
  const index = head.find(field);
  if (index < 0 || head.count(field) > 1) return Number.NaN;
  const from = base + head.offsets[index * OFFSETS_PER_FIELD + 2];
  const to = base + head.offsets[index * OFFSETS_PER_FIELD + 3];
  if (to - from > DATE_CHARACTERS_MAX) return Number.NaN;
  const fixdateMs = parseFixdate(bytes, from, to);
  if (!Number.isNaN(fixdateMs)) return fixdateMs;
  return parseDate(latin1(bytes, from, to), wallMs);
}
