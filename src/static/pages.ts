// The pages that take the place of a 404: which requests get the page of a single-page application,
// and how the page for missing paths is sent.

import type { OpenFile } from '../async-io/async-io.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type Representation, sendContent, sendOpenFile } from '../exchange/representation.ts';
import { isUnsent } from '../exchange/respond.ts';
import type { CachedFile } from './cached-file.ts';

/**
 * Whether a browser may show the page at this path, if it accepts HTML: the path does not end in a
 * file extension. A script or an image that is missing is a 404: a page in its place would be a
 * syntax error there, and be cached.
 */
export function mayBePage(exchange: Exchange): boolean {
  const path = exchange.path(0);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return !/[^.]\.[^.]+$/.test(name);
}

/** By the most specific media range for text/html (RFC 9110 12.5.1); without a field, true. */
export function acceptsHtml(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  let best = 0;
  let weight = 0;
  for (const member of accept.toLowerCase().split(',')) {
    const [range, ...parameters] = member.split(';').map((text) => text.trim());
    const rank = HTML_RANGES.indexOf(range) + 1;
    if (rank <= best) continue;
    best = rank;
    weight = 1;
    for (const parameter of parameters) {
      if (parameter.startsWith('q=')) weight = Number(parameter.slice(2));
    }
  }
  return weight > 0;
}

/** The least specific first. */
const HTML_RANGES = ['*/*', 'text/*', 'text/html'];

/**
 * Sends a page with status 404. It has no validators, because the path has no representation, so
 * no condition is true of it. False when it cannot be sent now.
 */
export async function sendNotFound(
  exchange: Exchange,
  { original }: CachedFile,
  opened: OpenFile | null,
): Promise<boolean> {
  if (!isUnsent(exchange)) return true;
  const { content } = original;
  const page: Representation = { ...original.representation, etag: null, modifiedMs: Number.NaN };
  if (content !== null) {
    exchange.status = 404;
    sendContent(exchange, page, content);
  } else {
    if (opened === null) return false;
    exchange.status = 404;
    await sendOpenFile(exchange, page, opened);
  }
  return true;
}
