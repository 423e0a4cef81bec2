// The value of Location in a redirect.

/** Statuses of redirects. */
export const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Percent-encodes characters that a field value cannot contain; `%` stays. */
export function encodeLocation(location: string): string {
  return location.replace(/[^\x21-\x7e]+/g, (text) =>
    [...Buffer.from(text)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
