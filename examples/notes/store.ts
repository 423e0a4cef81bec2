// The operations on the database of the notes, run by its threads (examples/sqlite/). Every one
// of them names the user, so that no request reaches the notes of another.

import { type Database, statement, type Tables } from '../sqlite/open.ts';

export const NOTES_MAX = 1_000;
/** The texts of all notes of a user together, as UTF-8: a page loads all of them. */
export const NOTE_BYTES_MAX: number = 1024 * 1024;
export const ATTACHMENTS_PER_NOTE_MAX = 20;
/** All attachments of a user together. */
export const ATTACHMENTS_MAX = 200;
/** All attachments of a user together. */
export const ATTACHMENT_BYTES_MAX: number = 100 * 1024 * 1024;
/** Places where a user is logged in; a further one ends the oldest. */
const SESSIONS_MAX = 20;

const SQL = `
  CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL
  ) STRICT;
  CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_user ON sessions (user_id, expires_ms);
  CREATE INDEX sessions_by_age ON sessions (expires_ms);
  CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users,
    text TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    changed_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX notes_by_user ON notes (user_id, changed_ms);
  CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    note_id INTEGER NOT NULL REFERENCES notes,
    user_id INTEGER NOT NULL REFERENCES users,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX attachments_by_note ON attachments (note_id);
  CREATE INDEX attachments_by_user ON attachments (user_id);
`;

export interface User {
  readonly id: number;
  readonly name: string;
}

export interface Attachment {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
}

export interface Note {
  readonly id: number;
  readonly text: string;
  readonly version: number;
  readonly changedMs: number;
  readonly attachments: readonly Attachment[];
}

/** An attachment with the name of its file in the folder of all attachments. */
export interface StoredFile {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

/** What became of new attachments. */
export type Added = 'added' | 'no note' | 'too many of this note' | 'too many' | 'too many bytes';

interface Size {
  readonly count: number;
  readonly bytes: number;
}

interface Owned {
  readonly userId: number;
  readonly id: number;
}

export const TABLES: Tables = {
  application: 0x6e6f_7465,
  version: 1,
  create: (database) => database.exec(SQL),
};

export const reads = {
  account(database: Database, name: string): (User & { readonly password: string }) | null {
    const sql = 'SELECT id, name, password FROM users WHERE name = ?';
    return statement(database, sql).get(name) ?? null;
  },

  userOfSession(database: Database, given: { digest: string; nowMs: number }): User | null {
    const sql = `SELECT users.id, name FROM sessions JOIN users ON users.id = user_id
      WHERE digest = ? AND expires_ms > ?`;
    return statement(database, sql).get(given.digest, given.nowMs) ?? null;
  },

  notes(database: Database, userId: number): Note[] {
    const attachments = new Map<number, Attachment[]>();
    const files = 'SELECT note_id, id, name, bytes FROM attachments WHERE user_id = ? ORDER BY id';
    for (const { note_id, ...attachment } of statement(database, files).all(userId)) {
      attachments.set(note_id, [...(attachments.get(note_id) ?? []), attachment]);
    }
    const sql = `SELECT id, text, version, changed_ms AS changedMs FROM notes
      WHERE user_id = ? ORDER BY changed_ms DESC, id DESC`;
    const rows = statement(database, sql).all(userId) as Omit<Note, 'attachments'>[];
    return rows.map((note) => ({ ...note, attachments: attachments.get(note.id) ?? [] }));
  },

  attachment(database: Database, { userId, id }: Owned): StoredFile | null {
    const sql = 'SELECT name, file, bytes FROM attachments WHERE id = ? AND user_id = ?';
    return statement(database, sql).get(id, userId) ?? null;
  },

  ownsNote(database: Database, { userId, id }: Owned): boolean {
    const sql = 'SELECT id FROM notes WHERE id = ? AND user_id = ?';
    return statement(database, sql).get(id, userId) !== undefined;
  },
};

export const writes = {
  /** The new user, or null if the name is taken. */
  addUser(database: Database, { name, password }: { name: string; password: string }): User | null {
    const sql = `INSERT INTO users (name, password) VALUES (?, ?)
      ON CONFLICT DO NOTHING RETURNING id, name`;
    return statement(database, sql).get(name, password) ?? null;
  },

  addSession(
    database: Database,
    session: { digest: string; userId: number; nowMs: number; expiresMs: number },
  ): void {
    const { digest, userId, nowMs, expiresMs } = session;
    statement(database, 'DELETE FROM sessions WHERE expires_ms <= ?').run(nowMs);
    const insert = 'INSERT INTO sessions (digest, user_id, expires_ms) VALUES (?, ?, ?)';
    statement(database, insert).run(digest, userId, expiresMs);
    const sql = `DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions
      WHERE user_id = ? ORDER BY expires_ms DESC LIMIT -1 OFFSET ?)`;
    statement(database, sql).run(userId, SESSIONS_MAX);
  },

  removeSession(database: Database, digest: string): void {
    statement(database, 'DELETE FROM sessions WHERE digest = ?').run(digest);
  },

  /** The id of the new note, or which limit it would exceed. */
  addNote(
    database: Database,
    { userId, text, nowMs }: { userId: number; text: string; nowMs: number },
  ): number | 'too many notes' | 'too many bytes' {
    const { count, bytes } = sizeOfNotes(database, userId);
    if (count >= NOTES_MAX) return 'too many notes';
    if (bytes + Buffer.byteLength(text) > NOTE_BYTES_MAX) return 'too many bytes';
    const insert = 'INSERT INTO notes (user_id, text, changed_ms) VALUES (?, ?, ?)';
    return Number(statement(database, insert).run(userId, text, nowMs).lastInsertRowid);
  },

  /** 'not found' if the user does not have this note in this version. */
  changeNote(
    database: Database,
    note: Owned & { readonly text: string; readonly version: number; readonly nowMs: number },
  ): 'changed' | 'not found' | 'too many bytes' {
    const { text, nowMs, id, userId, version } = note;
    const find = 'SELECT text FROM notes WHERE id = ? AND user_id = ? AND version = ?';
    const old = statement(database, find).get(id, userId, version) as { text: string } | undefined;
    if (old === undefined) return 'not found';
    const added = Buffer.byteLength(text) - Buffer.byteLength(old.text);
    // A shorter text is always allowed.
    if (added > 0 && sizeOfNotes(database, userId).bytes + added > NOTE_BYTES_MAX) {
      return 'too many bytes';
    }
    const sql = 'UPDATE notes SET text = ?, version = version + 1, changed_ms = ? WHERE id = ?';
    statement(database, sql).run(text, nowMs, id);
    return 'changed';
  },

  /** The files of the note, which the caller removes; null if the user has no such note. */
  removeNote(database: Database, { userId, id }: Owned): string[] | null {
    const remove = 'DELETE FROM attachments WHERE note_id = ? AND user_id = ? RETURNING file';
    const files = statement(database, remove).all(id, userId) as { file: string }[];
    const sql = 'DELETE FROM notes WHERE id = ? AND user_id = ?';
    if (statement(database, sql).run(id, userId).changes === 0) return null;
    return files.map(({ file }) => file);
  },

  /** Adds all files, or none of them if the note is gone or a limit would be exceeded. */
  addAttachments(
    database: Database,
    { userId, id, files }: Owned & { readonly files: readonly StoredFile[] },
  ): Added {
    if (!reads.ownsNote(database, { userId, id })) return 'no note';
    const sql = `SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes,
      count(*) FILTER (WHERE note_id = ?) AS ofNote FROM attachments WHERE user_id = ?`;
    const found = statement(database, sql).get(id, userId) as Size & { readonly ofNote: number };
    if (found.ofNote + files.length > ATTACHMENTS_PER_NOTE_MAX) return 'too many of this note';
    if (found.count + files.length > ATTACHMENTS_MAX) return 'too many';
    let { bytes } = found;
    for (const file of files) bytes += file.bytes;
    if (bytes > ATTACHMENT_BYTES_MAX) return 'too many bytes';
    const insert = `INSERT INTO attachments (note_id, user_id, name, file, bytes)
      VALUES (?, ?, ?, ?, ?)`;
    for (const { name, file, bytes: length } of files) {
      statement(database, insert).run(id, userId, name, file, length);
    }
    return 'added';
  },

  /** The file, which the caller removes; null if the user has no such attachment. */
  removeAttachment(database: Database, { userId, id }: Owned): string | null {
    const sql = 'DELETE FROM attachments WHERE id = ? AND user_id = ? RETURNING file';
    return statement(database, sql).get(id, userId)?.file ?? null;
  },
};

function sizeOfNotes(database: Database, userId: number): Size {
  const sql = `SELECT count(*) AS count, coalesce(sum(length(CAST(text AS BLOB))), 0) AS bytes
    FROM notes WHERE user_id = ?`;
  return statement(database, sql).get(userId) as Size;
}
