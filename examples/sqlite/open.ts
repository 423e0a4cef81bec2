// Opens SQLite databases so that a committed transaction survives a crash of the process or of the
// machine: with node:sqlite where Node has it (22.13 or newer), else with a package that has the
// same interface.

import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

export type Database = DatabaseSyncInstance;
export type Statement = StatementSyncInstance;

/** How long a connection waits for the writer of another process. */
const BUSY_MS = 5_000;
/** Statements kept prepared by one connection; there are fewer texts than that. */
const STATEMENTS_MAX = 500;
/** The low byte of the error codes of SQLITE_BUSY. */
const BUSY = 5;

const prepared = new WeakMap<Database, Map<string, Statement>>();

/** Opens a database file, which is created if it is missing. Throws what SQLite reports. */
export async function openDatabase(path: string): Promise<Database> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  // Readers do not wait for the writer, nor the writer for them.
  database.exec('PRAGMA journal_mode = WAL');
  // A commit returns when its bytes are on the disk.
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA foreign_keys = ON');
  return database;
}

/** The tables of a program. Both numbers are kept in the file. */
export interface Tables {
  /** Which program it is: any number but 0, of 31 bits. */
  readonly application: number;
  /** Counts the changes of the tables, from 1 on. */
  readonly version: number;
  create(database: Database): void;
}

/**
 * Creates the tables in an empty database, once, whatever number of processes start at the same
 * time. Throws for a database of another program or version, whose tables stay as they are.
 */
export function createTables(database: Database, tables: Tables): void {
  const number = (sql: string): number => Number(Object.values(database.prepare(sql).get())[0]);
  const { application, version } = tables;
  database.exec('BEGIN IMMEDIATE');
  try {
    const found = number('PRAGMA application_id');
    const foundVersion = number('PRAGMA user_version');
    const isEmpty = number('SELECT count(*) FROM sqlite_schema') === 0;
    if (found === 0 && foundVersion === 0 && isEmpty) {
      tables.create(database);
      database.exec(`PRAGMA application_id = ${application}`);
      database.exec(`PRAGMA user_version = ${version}`);
    } else if (found !== application) {
      throw new Error('it belongs to another program');
    } else if (foundVersion !== version) {
      throw new Error(`its tables have version ${foundVersion}, this program needs ${version}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** The prepared statement with this text. No text may contain values of a client. */
export function statement(database: Database, sql: string): Statement {
  const known = prepared.get(database) ?? new Map<string, Statement>();
  prepared.set(database, known);
  let found = known.get(sql);
  if (found === undefined) {
    if (known.size >= STATEMENTS_MAX) known.clear();
    found = database.prepare(sql);
    known.set(sql, found);
  }
  return found;
}

/** Whether another process kept the database locked for as long as a connection waits. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === BUSY;
}

interface Sqlite {
  readonly DatabaseSync: new (path: string) => Database;
}

async function loadSqlite(): Promise<Sqlite> {
  const builtIn = process.getBuiltinModule('node:sqlite') as Sqlite | undefined;
  return builtIn ?? (await import('@photostructure/sqlite'));
}
