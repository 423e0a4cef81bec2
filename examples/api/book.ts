// What a book is: the schemas that check bodies and queries, and that openapi.ts publishes.

import { z } from 'zod';

const TITLE_CHARACTERS_MAX = 200;
const NAME_CHARACTERS_MAX = 100;
const CURSOR_CHARACTERS_MAX = 2_000;
export const PAGE_ITEMS_MAX = 100;
export const PAGE_ITEMS = 20;

/** Text without control characters and without halves of surrogate pairs. */
const text = (charactersMax: number) =>
  z
    .string()
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'control characters are not allowed')
    .trim()
    .min(1)
    .max(charactersMax);

const title = text(TITLE_CHARACTERS_MAX);
const author = text(NAME_CHARACTERS_MAX);
const year = z.int().min(1000).max(2100);
const pages = z.int().min(1).max(20_000);
const isbn = z
  .string()
  .regex(/^97[89]\d{10}$/, 'an ISBN has 13 digits and begins with 978 or 979')
  .refine(hasCheckDigit, 'the check digit is wrong');

const bookFields = z.strictObject({
  title,
  author,
  year,
  pages: pages.optional(),
  isbn: isbn.optional(),
});

/** The book without what the server sets. */
export interface BookFields {
  readonly title: string;
  readonly author: string;
  readonly year: number;
  readonly pages?: number | undefined;
  readonly isbn?: string | undefined;
}

export interface Book extends BookFields {
  readonly id: number;
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a client sends. */
export const BOOK_FIELDS: z.ZodType<BookFields> = bookFields;

/** What a client sees. */
export const BOOK: z.ZodType<Book> = bookFields.extend({
  id: z.int().min(1),
  version: z.int().min(1).meta({ description: 'counts the changes; the entity tag follows it' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

/** A merge patch (RFC 7396): members to change; null removes one. */
export const BOOK_PATCH: z.ZodType<object> = z.strictObject({
  title: title.optional(),
  author: author.optional(),
  year: year.optional(),
  pages: pages.nullable().optional(),
  isbn: isbn.nullable().optional(),
});

/** Fields by which a list can be sorted; each has an index. */
export const SORT_FIELDS = ['id', 'title', 'author', 'year'] as const;
export type SortField = (typeof SORT_FIELDS)[number];
export const SORTS: readonly string[] = SORT_FIELDS.flatMap((name) => [name, `-${name}`]);

const integer = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'an integer is expected')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

export interface ListQuery {
  readonly limit: number;
  readonly sort: string;
  readonly cursor?: string | undefined;
  readonly author?: string | undefined;
  readonly yearFrom?: number | undefined;
  readonly yearTo?: number | undefined;
  readonly q?: string | undefined;
}

/** The query of a list; a parameter that is unknown, or that occurs twice, is refused. */
export const LIST_QUERY: z.ZodType<ListQuery> = z.strictObject({
  limit: integer(1, PAGE_ITEMS_MAX).default(PAGE_ITEMS),
  sort: z.enum(SORTS).default('id'),
  cursor: z.string().max(CURSOR_CHARACTERS_MAX).optional(),
  author: text(NAME_CHARACTERS_MAX).optional(),
  yearFrom: integer(0, 9999).optional(),
  yearTo: integer(0, 9999).optional(),
  q: text(TITLE_CHARACTERS_MAX).optional(),
});

/** ISO 2108: the digits, in turns times 1 and 3, add up to a multiple of ten. */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (const [index, digit] of [...digits].entries()) sum += Number(digit) * (index % 2 ? 3 : 1);
  return sum % 10 === 0;
}
