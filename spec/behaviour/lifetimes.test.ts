// docs/lifetimes.md, row by row: each row has a test of the same name, and each test a row.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fewDrivers, onEachDriver } from '../../testing/with-server.ts';
import { CALL_ROWS } from './fixtures/lifetimes-calls.ts';
import { OBJECT_ROWS } from './fixtures/lifetimes-objects.ts';

const DOCUMENT = new URL('../../../docs/lifetimes.md', import.meta.url);

/** The first cells of all table rows, without backticks. */
function rowsOf(document: string): string[] {
  const rows = document.split('\n').filter((line) => line.startsWith('| '));
  const cells = rows.map((row) => row.slice(2, row.indexOf(' |', 2)).replaceAll('`', ''));
  return cells.filter((cell) => !['object', 'call', '---'].includes(cell));
}

test('every row of docs/lifetimes.md has its test', () => {
  const rows = rowsOf(readFileSync(DOCUMENT, 'utf8'));
  assert.deepEqual([...OBJECT_ROWS.keys(), ...CALL_ROWS.keys()], rows);
});

onEachDriver(
  'lifetimes',
  (add) => {
    for (const [row, body] of [...OBJECT_ROWS, ...CALL_ROWS]) add(row, body);
  },
  fewDrivers(),
);
