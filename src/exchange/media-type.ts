// The media type of a file, from its name's extension.

import { lookup } from 'mrmime';

const UNKNOWN = 'application/octet-stream';

/** Types that are text though they do not begin with text/. */
const TEXTUAL =
  /^(?:text\/|application\/(?:json|javascript|xml|manifest\+json|ld\+json)$|image\/svg)/;

/** With `charset=utf-8` for text; application/octet-stream for what is not known. */
export function mediaType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const type = dot < 0 ? undefined : lookup(name.slice(dot + 1).toLowerCase());
  if (type === undefined) return UNKNOWN;
  return TEXTUAL.test(type) ? `${type}; charset=utf-8` : type;
}
