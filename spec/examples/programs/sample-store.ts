// Operations with which api-parts.test.ts tests the threads of a database.

import { type Database, statement } from '../../../examples/sqlite/open.ts';

export const reads = {
  all: (database: Database, _none: null): string[] =>
    statement(database, 'SELECT word FROM words ORDER BY word')
      .all()
      .map(({ word }) => word),
  write: (database: Database, _none: null): void => database.exec('DELETE FROM words'),
  /** Ends this thread, without a reply. */
  die: (_database: Database, _none: null): void => process.exit(1),
};

export const writes = {
  add(database: Database, words: readonly string[]): void {
    for (const word of words) statement(database, 'INSERT INTO words VALUES (?)').run(word);
  },
};
