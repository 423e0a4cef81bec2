// The precondition of a change: the client names the version that it has seen.

import { shown } from '../base/shown.ts';
import { ifMatch } from '../http/conditional.ts';
import { isEntityTag, isWeakTag } from '../http/entity-tag.ts';
import { Field } from '../http/fields.ts';
import type { Exchange } from './exchange.ts';
import { HttpError } from './http-error.ts';

/** No tag was given: every version matches. */
export const ANY_VERSION: unique symbol = Symbol('any version');

/**
 * Throws a 428 for a request without If-Match (RFC 6585 3), and a 412 where the field does not list
 * the tag (RFC 9110 13.1.1). A list that cannot be parsed lists no tag. Null and undefined are the
 * tag of what does not exist: nothing matches it, `*` neither.
 */
export function requireMatch(
  { head, bytes, base }: Exchange,
  tag: string | null | undefined | typeof ANY_VERSION,
): void {
  const isNone = tag === undefined || tag === null;
  const isTag = typeof tag === 'string' && isEntityTag(tag) && !isWeakTag(tag);
  if (!isNone && !isTag && tag !== ANY_VERSION) {
    const wanted = `a tag is strong and in quotes, as '"v7"'`;
    throw new TypeError(`requireMatch(): ${wanted}, given ${shown(tag)}`);
  }
  if (head.find(Field.IfMatch) < 0) {
    throw new HttpError(428, 'send If-Match with the ETag of the version that is to be changed');
  }
  if (tag === ANY_VERSION) return;
  if (isNone) throw new HttpError(412, 'there is no version now that could be changed');
  if (ifMatch(head, bytes, base, tag)) return;
  throw new HttpError(412, 'there is another version now: read it again');
}
