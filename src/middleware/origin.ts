// Origins as browsers serialize them in the Origin field (RFC 6454 6.2): scheme://host, with the
// port unless it is the scheme's default.

/** Sent by pages with an opaque origin, such as those in a sandbox. */
export const NULL_ORIGIN = 'null';

const SHAPE = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;

/** True for text in the form of an origin; false for 'null'. */
export function isOrigin(text: string): boolean {
  return SHAPE.test(text);
}

/**
 * Throws a TypeError for an origin that no browser sends: it would never match. The message begins
 * with `option`.
 */
export function checkOrigin(origin: unknown, option = 'cors: origin'): void {
  if (origin === NULL_ORIGIN) return;
  if (origin === '*') throw new TypeError(`${option}: a list must not contain '*'`);
  if (typeof origin !== 'string') throw new TypeError(`${option}: an origin must be a string`);
  const given = `${option}: ${JSON.stringify(origin)}`;
  if (origin.includes('*')) {
    throw new TypeError(
      `${given}: patterns are not supported; pass a function that tests the origin`,
    );
  }
  const serialised = serialisedOrigin(origin);
  if (origin === serialised) return;
  const advice = serialised === null ? 'an origin is' : `did you mean "${serialised}"? It is`;
  throw new TypeError(`${given}: ${advice} scheme://host or scheme://host:port, no path`);
}

/** The origin of a URL, or null. */
function serialisedOrigin(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  // The URL standard makes origins of other schemes opaque, such as those of browser extensions.
  const origin = url.origin === NULL_ORIGIN ? text : url.origin;
  return isOrigin(origin) ? origin : null;
}
