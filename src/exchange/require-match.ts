// The precondition of a change: the client names the version that it has seen.

import { shown } from '../base/shown.ts';
import { ifMatch } from '../http/conditional.ts';
import { isEntityTag, isWeakTag } from '../http/entity-tag.ts';
import { Field } from '../http/fields.ts';
import type { Exchange } from './exchange.ts';
import { HttpError } from './http-error.ts';

/**
 * Throws a 428 for a request without If-Match (RFC 6585 3), and with a tag a 412 where the field
 * does not list it (RFC 9110 13.1.1). A list that cannot be parsed lists no tag.
 */
export function requireMatch({ head, bytes, base }: Exchange, tag: string | undefined): void {
  if (tag !== undefined && !(typeof tag === 'string' && isEntityTag(tag) && !isWeakTag(tag))) {
    const wanted = `a tag is strong and in quotes, as '"v7"'`;
    throw new TypeError(`requireMatch(): ${wanted}, given ${shown(tag)}`);
  }
  if (head.find(Field.IfMatch) < 0) {
    throw new HttpError(428, 'send If-Match with the ETag of the version that is to be changed');
  }
  if (tag === undefined || ifMatch(head, bytes, base, tag)) return;
  throw new HttpError(412, 'there is another version now: read it again');
}
