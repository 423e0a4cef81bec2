// The operations on the database. They run in its threads (examples/sqlite/), each in a
// transaction. Values of clients are bound to parameters; no text of SQL contains any.

import { type Database, statement, type Tables } from '../sqlite/open.ts';
import type { Book, BookFields } from './book.ts';
import type { ListRequest, Page } from './list.ts';
import { seedBooks } from './seed.ts';

/** How long a repeated Idempotency-Key gets the first response. */
const KEY_LIFE_MS = 24 * 60 * 60 * 1_000;
/** Keys that are kept; beyond that the oldest make room. */
const KEYS_MAX = 100_000;
/** Old keys that one request removes: more than it adds. */
const KEYS_REMOVED = 10;

const SQL = `
  CREATE TABLE books (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    author TEXT NOT NULL,
    year INTEGER NOT NULL,
    pages INTEGER,
    isbn TEXT UNIQUE,
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX books_by_title ON books (title, id);
  CREATE INDEX books_by_author ON books (author, id);
  CREATE INDEX books_by_year ON books (year, id);
  CREATE TABLE idempotency_keys (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    book TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (owner, key)
  ) STRICT;
`;

interface Row {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  readonly year: number;
  readonly pages: number | null;
  readonly isbn: string | null;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** With their first books. */
export const TABLES: Tables = {
  application: 0x626f_6f6b,
  version: 1,
  create(database) {
    database.exec(SQL);
    for (const fields of seedBooks()) insert(database, fields, new Date(0).toISOString());
  },
};

interface IdempotencyKey {
  readonly owner: string;
  readonly key: string;
  /** Of the content: another content with the same key is a mistake of the client. */
  readonly fingerprint: string;
}

export interface Creation {
  readonly fields: BookFields;
  readonly idempotency: IdempotencyKey | null;
  readonly nowMs: number;
}

export interface Replacement {
  readonly id: number;
  /** The version that the client has seen. */
  readonly version: number;
  readonly fields: BookFields;
  readonly nowMs: number;
}

type Created =
  | { readonly outcome: 'created' | 'repeated'; readonly book: Book }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'key reused' };
type Replaced =
  | { readonly outcome: 'replaced'; readonly book: Book }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'stale' };

export const reads = {
  find(database: Database, id: number): Book | null {
    const row = statement(database, 'SELECT * FROM books WHERE id = ?').get(id) as Row | undefined;
    return row === undefined ? null : bookOf(row);
  },

  list(database: Database, { field, isDescending, after, limit, filter }: ListRequest): Page {
    const conditions: string[] = ['TRUE'];
    const values: (string | number)[] = [];
    const add = (condition: string, ...given: (string | number | undefined)[]): void => {
      if (given.includes(undefined)) return;
      conditions.push(condition);
      values.push(...(given as (string | number)[]));
    };
    add('author = ?', filter.author);
    add('year >= ?', filter.yearFrom);
    add('year <= ?', filter.yearTo);
    add('instr(lower(title), lower(?)) > 0', filter.q);
    // The field is one of the names in SORT_FIELDS.
    add(`(${field}, id) ${isDescending ? '<' : '>'} (?, ?)`, after?.value, after?.id);
    const order = isDescending ? 'DESC' : 'ASC';
    const sql = `SELECT * FROM books WHERE ${conditions.join(' AND ')}
      ORDER BY ${field} ${order}, id ${order} LIMIT ?`;
    const rows = statement(database, sql).all(...values, limit + 1) as Row[];
    return { items: rows.slice(0, limit).map(bookOf), hasMore: rows.length > limit };
  },
};

export const writes = {
  create(database: Database, { fields, idempotency, nowMs }: Creation): Created {
    removeOldKeys(database, nowMs);
    if (idempotency !== null) {
      const { owner, key, fingerprint } = idempotency;
      const sql = `SELECT fingerprint, book FROM idempotency_keys
        WHERE owner = ? AND key = ? AND created_ms >= ?`;
      const known = statement(database, sql).get(owner, key, nowMs - KEY_LIFE_MS);
      if (known !== undefined) {
        if (known.fingerprint !== fingerprint) return { outcome: 'key reused' };
        return { outcome: 'repeated', book: JSON.parse(known.book) as Book };
      }
    }
    if (hasIsbn(database, fields, 0)) return { outcome: 'duplicate' };
    const book = insert(database, fields, new Date(nowMs).toISOString());
    if (idempotency !== null) {
      const { owner, key, fingerprint } = idempotency;
      const sql = `INSERT OR REPLACE INTO idempotency_keys
        (owner, key, fingerprint, book, created_ms) VALUES (?, ?, ?, ?, ?)`;
      statement(database, sql).run(owner, key, fingerprint, JSON.stringify(book), nowMs);
    }
    return { outcome: 'created', book };
  },

  replace(database: Database, { id, version, fields, nowMs }: Replacement): Replaced {
    if (hasIsbn(database, fields, id)) return { outcome: 'duplicate' };
    const sql = `UPDATE books SET title = ?, author = ?, year = ?, pages = ?, isbn = ?,
      version = version + 1, updated_at = ? WHERE id = ? AND version = ? RETURNING *`;
    const now = new Date(nowMs).toISOString();
    const row = statement(database, sql).get(...valuesOf(fields), now, id, version);
    return row === undefined ? { outcome: 'stale' } : { outcome: 'replaced', book: bookOf(row) };
  },

  /** Whether the book had this version, and is now gone. */
  remove(database: Database, { id, version }: { id: number; version: number }): boolean {
    const sql = 'DELETE FROM books WHERE id = ? AND version = ?';
    return statement(database, sql).run(id, version).changes === 1;
  },
};

function insert(database: Database, fields: BookFields, now: string): Book {
  const sql = `INSERT INTO books (title, author, year, pages, isbn, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`;
  return bookOf(statement(database, sql).get(...valuesOf(fields), now, now));
}

function hasIsbn(database: Database, { isbn }: BookFields, exceptId: number): boolean {
  if (isbn === undefined) return false;
  const sql = 'SELECT id FROM books WHERE isbn = ? AND id <> ?';
  return statement(database, sql).get(isbn, exceptId) !== undefined;
}

/** Those that are too old or too many; they are numbered in the order of their age. */
function removeOldKeys(database: Database, nowMs: number): void {
  const sql = `DELETE FROM idempotency_keys
    WHERE sequence IN (SELECT sequence FROM idempotency_keys ORDER BY sequence LIMIT ?)
    AND (created_ms < ? OR sequence <= (SELECT max(sequence) FROM idempotency_keys) - ?)`;
  statement(database, sql).run(KEYS_REMOVED, nowMs - KEY_LIFE_MS, KEYS_MAX);
}

function valuesOf({ title, author, year, pages, isbn }: BookFields): (string | number | null)[] {
  return [title, author, year, pages ?? null, isbn ?? null];
}

function bookOf(row: Row): Book {
  const { id, title, author, year, pages, isbn, version } = row;
  return {
    id,
    title,
    author,
    year,
    ...(pages === null ? {} : { pages }),
    ...(isbn === null ? {} : { isbn }),
    version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
