// The media type of a file, from its name's extension.

import { lookup } from 'mrmime';

const UNKNOWN = 'application/octet-stream';

/** Types that the table lacks and browsers need. */
const MORE_TYPES: ReadonlyMap<string, string> = new Map([['ico', 'image/x-icon']]);

/** Types of text that do not begin with text/. */
const TEXTUAL =
  /^(?:text\/|application\/(?:json|javascript|xml|manifest\+json|ld\+json)$|image\/svg)/;

/** With `charset=utf-8` for text; application/octet-stream for an unknown extension. */
export function mediaType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = name.slice(dot + 1).toLowerCase();
  // The table is a plain object: inherited names such as `constructor` are not types.
  if (dot < 0 || !/^[a-z0-9-]+$/.test(extension) || extension in Object.prototype) return UNKNOWN;
  const type = lookup(extension) ?? MORE_TYPES.get(extension);
  if (type === undefined) return UNKNOWN;
  return TEXTUAL.test(type) ? `${type}; charset=utf-8` : type;
}
