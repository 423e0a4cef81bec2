// The pages of a list. A cursor holds the place of the last item of a page: the value it is sorted
// by, and its id, so that items which come and go in between move no other item to another page.

import { HttpError } from 'vibing';
import type { Book, ListQuery, SortField } from './book.ts';

export interface Place {
  readonly value: string | number;
  readonly id: number;
}

/** What the database is asked for. */
export interface ListRequest {
  readonly field: SortField;
  readonly isDescending: boolean;
  readonly after: Place | null;
  readonly limit: number;
  readonly filter: Pick<ListQuery, 'author' | 'yearFrom' | 'yearTo' | 'q'>;
}

export interface Page {
  readonly items: readonly Book[];
  readonly hasMore: boolean;
}

/** Throws a 400 for a cursor that is not from a list with this order. */
export function listRequest(query: ListQuery): ListRequest {
  const { sort, cursor, limit, ...filter } = query;
  const isDescending = sort.startsWith('-');
  const field = sort.replace('-', '') as SortField;
  const after = cursor === undefined ? null : readCursor(cursor, sort);
  return { field, isDescending, after, limit, filter };
}

/** The target of the next page, or null after the last one. */
export function nextTarget(path: string, query: URLSearchParams, page: Page): string | null {
  const last = page.items.at(-1);
  if (!page.hasMore || last === undefined) return null;
  const sort = query.get('sort') ?? 'id';
  const next = new URLSearchParams(query);
  next.set('cursor', writeCursor(sort, last));
  return `${path}?${next}`;
}

function writeCursor(sort: string, { id, ...book }: Book): string {
  const value = { ...book, id }[sort.replace('-', '') as SortField];
  return Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');
}

function readCursor(cursor: string, sort: string): Place {
  const parts = parse(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(parts) && parts.length === 3 && parts[0] === sort) {
    const [, value, id] = parts as unknown[];
    const type = /title|author/.test(sort) ? 'string' : 'number';
    const isValue = typeof value === type && (type === 'string' || Number.isSafeInteger(value));
    if (isValue && Number.isSafeInteger(id)) return { value, id } as Place;
  }
  throw new HttpError(400, 'cursor: use the one of the link to the next page, with the same sort');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
