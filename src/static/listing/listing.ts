// Responds with the listing of a directory: as a page, or as JSON for clients that prefer it. A
// small directory is one response with its length. A large one is streamed: the beginning is sent
// at once, then names are read, and rows follow as fast as the client takes them.

import { isFault } from '../../async-io/async-io.ts';
import { ERRNO } from '../../base/errno.ts';
import { LISTING_KEPT_MAX, LISTING_SORTED_MAX } from '../../base/fixed-limits.ts';
import type { Exchange, Services } from '../../exchange/exchange.ts';
import { fieldValue } from '../../exchange/field-value.ts';
import { faultError, openError } from '../../exchange/file-fault.ts';
import { isUnsent } from '../../exchange/respond.ts';
import { responseOf } from '../../exchange/response.ts';
import { latin1 } from '../../http/text.ts';
import { prefersJson } from './accept.ts';
import { JsonView } from './json-view.ts';
import { type KeptEntries, ListingParts } from './listing-parts.ts';
import { contentPolicy, INLINE, PageView } from './page-view.ts';
import { DirectoryReader, type ListedDirectory } from './reader.ts';
import { type ListingQuery, type ListingView, listingQuery } from './view.ts';

const { ENOENT, ENOTDIR } = ERRNO;

export interface ListingLimits {
  /** Entries that one listing sorts, and that all listings of a site keep together. */
  readonly sortedMax: number;
  readonly keptMax: number;
}

const LIMITS: ListingLimits = { sortedMax: LISTING_SORTED_MAX, keptMax: LISTING_KEPT_MAX };

/** The listings of one site. */
export class Listings {
  readonly #limits: ListingLimits;
  readonly #kept: KeptEntries = { count: 0 };
  #policy: Promise<string> | null = null;

  constructor(limits: ListingLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Entries that listings in progress keep, to sort them. */
  get kept(): number {
    return this.#kept.count;
  }

  /** Resolves to false, and sends nothing, when there is no such directory. */
  async send(exchange: Exchange, listed: ListedDirectory): Promise<boolean> {
    const { services } = exchange;
    const query = listingQuery(rawQuery(exchange));
    const view = await this.#view(exchange, query);
    const reader = await DirectoryReader.open(services.asyncIo, listed, query.filter);
    if (typeof reader === 'number') {
      if (reader === -ENOENT || reader === -ENOTDIR) return false;
      throw openError(reader, listed.directory, services);
    }
    const { asyncIo } = services;
    const { keptMax, sortedMax } = this.#limits;
    const limits = { kept: this.#kept, keptMax, sortedMax };
    const parts = new ListingParts({ asyncIo, listed, limits, query, reader, view });
    try {
      const first = await reader.next();
      if (isFault(first)) throw faultError(first, listed.directory);
      await respond(exchange, view, parts.all(first), reader.isAtEnd);
    } finally {
      parts.release();
      await reader.close();
    }
    return true;
  }

  async #view(exchange: Exchange, query: ListingQuery): Promise<ListingView> {
    const path = exchange.path(0);
    if (prefersJson(fieldValue(exchange, 'accept'))) return new JsonView(path);
    this.#policy ??= policyOf(exchange.services);
    return new PageView(path, query, await this.#policy, this.#limits.sortedMax);
  }
}

async function policyOf({ asyncIo }: Services): Promise<string> {
  const digest = async (text: string): Promise<string> => {
    const hexadecimal = await asyncIo.hash('sha256', Buffer.from(text));
    return Buffer.from(hexadecimal, 'hex').toString('base64');
  };
  return contentPolicy(await digest(INLINE.style), await digest(INLINE.script));
}

async function respond(
  exchange: Exchange,
  view: ListingView,
  parts: AsyncGenerator<string>,
  isWhole: boolean,
): Promise<void> {
  let text = '';
  if (isWhole) for await (const part of parts) text += part;
  // The client may have left, and another part of the program may have responded.
  if (!isUnsent(exchange)) return;
  const { fields } = exchange;
  fields.append('Vary', 'vary', 'Accept');
  fields.set('X-Content-Type-Options', 'x-content-type-options', 'nosniff');
  for (const [name, value] of view.fields) fields.set(name, name.toLowerCase(), value);
  fields.set('Content-Type', 'content-type', view.type);
  const response = responseOf(exchange);
  if (isWhole) response.send(text, view.type);
  else await response.stream(parts);
}

function rawQuery({ head, bytes, base }: Exchange): string {
  if (head.queryStart < 0) return '';
  return latin1(bytes, base + head.queryStart, base + head.queryEnd);
}
