// Origins as browsers write them in the field Origin (RFC 6454 6.2): scheme://host, with the port
// where it is not the scheme's own.

/** What pages send that have no origin of their own, such as those in a sandbox. */
export const NULL_ORIGIN = 'null';

const SHAPE = /^[a-z][a-z0-9+.-]*:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;

/** True for text that has the form of an origin; false for 'null'. */
export function isOrigin(text: string): boolean {
  return SHAPE.test(text);
}

/** Throws a TypeError for what no browser sends: it would never match, or not what was meant. */
export function checkOrigin(origin: unknown): void {
  if (origin === NULL_ORIGIN) return;
  if (origin === '*') throw new TypeError("cors: origin: '*' cannot stand in a list");
  if (typeof origin !== 'string') throw new TypeError('cors: origin: an origin is a string');
  const given = `cors: origin: ${JSON.stringify(origin)}`;
  if (origin.includes('*')) {
    throw new TypeError(`${given}: there are no patterns; pass a function that tests the origin`);
  }
  const serialised = serialisedOrigin(origin);
  if (origin === serialised) return;
  const advice = serialised === null ? 'an origin is' : `did you mean "${serialised}"? It is`;
  throw new TypeError(`${given}: ${advice} scheme://host or scheme://host:port, no path`);
}

/** The origin of a URL, null where it has none. */
function serialisedOrigin(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  // Schemes that the URL standard does not know, such as those of extensions, are opaque to it.
  const origin = url.origin === NULL_ORIGIN ? text : url.origin;
  return isOrigin(origin) ? origin : null;
}
