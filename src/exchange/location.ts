// A redirection: its status, and the value of Location.

import { shown } from '../base/shown.ts';

/** Statuses of redirects. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Throws a RangeError for a status that is none of a redirection. */
export function checkRedirect(status: number): void {
  if (REDIRECTS.includes(status)) return;
  const wanted = '301, 302, 303, 307 or 308';
  throw new RangeError(`redirect(): its status is ${wanted}, given ${shown(status)}`);
}

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
