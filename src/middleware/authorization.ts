// The fields of HTTP authentication (RFC 9110 11): the credentials of a request, and the parameters
// of a challenge.

import type { OptionRule } from '../base/options.ts';
import type { Request } from '../exchange/request.ts';
import { quotedString } from '../http/quoted-string.ts';

const PRINTABLE = /^[\x20-\x7e]*$/;

export const REALM: OptionRule = {
  wanted: 'printable ASCII text',
  fits: (value) => typeof value === 'string' && PRINTABLE.test(value),
};

/**
 * What follows a scheme, given in lower case, in Authorization; null without the field or with
 * another scheme. A field that occurs twice has no valid credentials: its value contains a comma,
 * or is '' where the first one has another scheme.
 */
export function credentialsOf(request: Request, scheme: string): string | null {
  const field = request.header('authorization');
  if (field === undefined) return null;
  const space = field.indexOf(' ');
  const name = space < 0 ? field : field.slice(0, space);
  if (name.toLowerCase() !== scheme) return isTwice(request, field) ? '' : null;
  return field.slice(name.length).replace(/^ +/, '');
}

/** `field` is the value of Authorization, in which a comma may also separate parameters. */
function isTwice(request: Request, field: string): boolean {
  if (!field.includes(',')) return false;
  let count = 0;
  for (const [name] of request.headers()) if (name === 'authorization') count += 1;
  return count > 1;
}

export function parameter(name: string, value: string): string {
  return `${name}=${quotedString(value)}`;
}
