// The value of Location in a redirect.

import { shown } from '../base/shown.ts';

/** Statuses of redirects. */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Percent-encodes characters that a field value cannot contain; `%` stays. */
export function encodeLocation(location: string): string {
  if (typeof location !== 'string') {
    throw new TypeError(`the location of a redirection is text, given ${shown(location)}`);
  }
  return location.replace(/[^\x21-\x7e]+/g, (text) =>
    [...Buffer.from(text)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
