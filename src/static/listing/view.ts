// What a listing shows: which entries, in which order, from the query of its URL; and the interface
// of the two formats in which it is sent.

import type { Sortable, SortKey } from './order.ts';

/** The query of a listing: `?sort=size&order=desc&filter=text`. */
export interface ListingQuery {
  readonly sort: SortKey;
  readonly isDescending: boolean;
  /** Only entries whose name contains this text, in any case; '' for all. */
  readonly filter: string;
}

/** An entry as it is shown: all that it is sorted by. */
export type ShownEntry = Sortable;

export interface Totals {
  readonly folders: number;
  readonly files: number;
  /** Of all files. */
  readonly bytes: number;
}

/** The text of a README file below a listing. */
export interface Readme {
  readonly name: string;
  readonly text: string;
  readonly isTruncated: boolean;
}

/** A format of a listing: the parts of its text, in the order in which they are sent. */
export interface ListingView {
  readonly type: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly showsReadme: boolean;
  /** What can be sent before any name is read. */
  top(): string;
  /** `isSorted` is false when there are too many entries to sort them. */
  begin(isSorted: boolean): string;
  rows(entries: readonly ShownEntry[]): string;
  end(totals: Totals, readme: Readme | null): string;
}

/** The longest text to filter by: as long as a name. */
const FILTER_CHARACTERS_MAX = 255;

/** `query` is without its question mark. Unknown values mean the default. */
export function listingQuery(query: string): ListingQuery {
  const values = new URLSearchParams(query);
  const sort = values.get('sort');
  const filter = (values.get('filter') ?? '').slice(0, FILTER_CHARACTERS_MAX);
  return {
    sort: sort === 'size' || sort === 'date' ? sort : 'name',
    isDescending: values.get('order') === 'desc',
    // The limit may have split a pair of surrogates.
    filter: filter.replace(/\p{Surrogate}/gu, ''),
  };
}
