// The values of the request's fields, by name.

import { Field, fieldNumber } from '../http/fields.ts';
import { TargetForm } from '../http/head.ts';
import { latin1 } from '../http/text.ts';
import type { Exchange } from './exchange.ts';

/**
 * The value of a field, undefined when the request does not have it. The values of several field
 * lines are joined by a comma (RFC 9110 5.3), those of Cookie by a semicolon.
 */
export function fieldValue(exchange: Exchange, lowerName: string): string | undefined {
  const { head, bytes, base } = exchange;
  const number = fieldNumber(lowerName);
  if (number === Field.Host && head.form === TargetForm.Absolute) return authority(exchange);
  let value: string | undefined;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.names[index] !== number) continue;
    if (number === Field.Unknown && head.name(bytes, base, index) !== lowerName) continue;
    const next = head.value(bytes, base, index);
    const separator = number === Field.Cookie ? '; ' : ', ';
    value = value === undefined ? next : value + separator + next;
  }
  return value;
}

/** In absolute-form the target names the host, whatever the Host field says (RFC 9112 3.2.2). */
function authority(exchange: Exchange): string {
  const { bytes, base, head } = exchange;
  const target = latin1(bytes, base + head.targetStart, base + head.pathStart);
  return target.slice(target.indexOf('//') + 2).replace(/[/?].*$/, '');
}
