// The parts of the API server example: merge patches, its OpenAPI document, and the threads of its
// database.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createServer, HttpError } from 'vibing';
import { mergePatch } from '../../examples/api/merge-patch.ts';
import { OPENAPI } from '../../examples/api/openapi.ts';
import { idempotencyKey } from '../../examples/api/request-fields.ts';
import * as books from '../../examples/api/store.ts';
import { openStore, prepareFile } from '../../examples/sqlite/client.ts';
import { createTables, isBusy, openDatabase, type Tables } from '../../examples/sqlite/open.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import type * as samples from './programs/sample-store.ts';

leaveOutOfCoverage();

const timeout = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'vibing-api-parts-'));
const module = new URL('./programs/sample-store.js', import.meta.url).href;

after(() => rmSync(directory, { recursive: true }));

test('merge patches are those of RFC 7396, appendix A', () => {
  const cases = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ];
  for (const [target = '', patch = '', result] of cases) {
    const before = JSON.parse(target);
    assert.equal(JSON.stringify(mergePatch(before, JSON.parse(patch))), result);
    assert.equal(JSON.stringify(before), target, 'the target is not changed');
  }
});

test('fields of requests are read strictly', async () => {
  const server = createServer();
  server.get('/match', (req, res) => {
    req.requireMatch('"7-1"');
    res.empty();
  });
  server.get('/key', (req, res) => res.text(String(idempotencyKey(req))));
  const status = async (value: string): Promise<number> => {
    const headers = { 'If-Match': value };
    return (await server.inject({ target: '/match', headers })).status;
  };
  for (const good of ['*', ' * ', '"7-1"', '"a", "7-1"', 'W/"7-1" , "7-1"', '"a","7-1","b"']) {
    assert.equal(await status(good), 204, good);
  }
  for (const bad of ['"7-2"', 'W/"7-1"', '7-1', '"a" "7-1"', '"7-1" x', '*, "7-1"', '"7-1']) {
    assert.equal(await status(bad), 412, bad);
  }
  // Must not take longer for each further tag than for the one before.
  assert.equal(await status(`${'"a",'.repeat(2_000)}x`), 412);
  assert.equal((await server.inject('/match')).status, 428);
  const key = async (value: string): Promise<string> => {
    const response = await server.inject({ target: '/key', headers: { 'Idempotency-Key': value } });
    return response.status === 200 ? await response.text() : String(response.status);
  };
  assert.equal(await key('"a-b"'), 'a-b');
  assert.equal(await key('a-b'), 'a-b');
  for (const bad of ['', '""', '"a', 'a b', 'a"b', 'é', 'k'.repeat(256)]) {
    assert.equal(await key(bad), '400', bad);
  }
});

test('the OpenAPI document is valid', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(OPENAPI));
  assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
  assert.equal(validator.version, '3.1');
  const broken = structuredClone(OPENAPI);
  Reflect.deleteProperty(broken, 'paths');
  Reflect.deleteProperty(broken, 'components');
  assert.equal((await validator.validate(broken)).valid, false);
  // Every reference leads somewhere.
  const references = JSON.stringify(OPENAPI).matchAll(/"\$ref":"#\/([^"]+)"/g);
  let count = 0;
  for (const [, path = ''] of references) {
    let place: unknown = OPENAPI;
    for (const name of path.split('/')) place = (place as Record<string, unknown>)[name];
    assert.ok(place !== undefined, path);
    count += 1;
  }
  assert.ok(count > 40);
});

test('idempotency keys end after a day, and do not grow without bound', async () => {
  const database = await openDatabase(':memory:');
  createTables(database, books.TABLES);
  const fields = { title: 'Emma', author: 'Jane Austen', year: 1815 };
  const create = (key: string, nowMs: number): string => {
    const idempotency = { owner: 'x', key, fingerprint: 'f' };
    return books.writes.create(database, { fields, idempotency, nowMs }).outcome;
  };
  const count = (): number =>
    database.prepare('SELECT count(*) AS count FROM idempotency_keys').get().count;
  const day = 24 * 60 * 60 * 1_000;
  assert.equal(create('a', 0), 'created');
  assert.equal(create('a', day), 'repeated');
  assert.equal(create('a', day + 1), 'created');
  assert.equal(count(), 1);
  const most = 100_000;
  const insert = database.prepare(`INSERT INTO idempotency_keys
    (owner, key, fingerprint, book, created_ms) VALUES ('y', ?, 'f', '{}', ?)`);
  database.exec('BEGIN');
  for (let index = 0; index < most + 30; index++) insert.run(`${index}`, day + 2);
  database.exec('COMMIT');
  for (const key of ['b', 'c', 'd', 'e']) assert.equal(create(key, day + 3), 'created');
  assert.equal(count(), most + 1, 'the oldest made room');
  assert.equal(create('a', day + 3), 'created', 'it was the oldest');
  assert.equal(create('b', day + 4), 'repeated');
  database.close();
});

describe('a database with its threads', { timeout }, () => {
  const tables: Tables = {
    application: 7,
    version: 1,
    create: (database) => database.exec('CREATE TABLE words (word TEXT UNIQUE)'),
  };

  async function open(name: string) {
    const path = join(directory, name);
    await prepareFile(path, tables);
    return { path, store: openStore<typeof samples>({ path, module }) };
  }

  test('commits to the disk, and waits for other processes', async () => {
    const database = await openDatabase(join(directory, 'settings.db'));
    const value = (name: string): unknown =>
      Object.values(database.prepare(`PRAGMA ${name}`).get())[0];
    assert.equal(value('journal_mode'), 'wal');
    assert.equal(value('synchronous'), 2, 'FULL');
    assert.ok(Number(value('busy_timeout')) >= 1_000);
    const other = await openDatabase(join(directory, 'settings.db'));
    other.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN IMMEDIATE');
    assert.throws(() => other.exec('BEGIN IMMEDIATE'), isBusy);
    database.exec('ROLLBACK');
    assert.throws(
      () => other.exec('BEGIN IMMEDIATELY'),
      (error) => !isBusy(error),
    );
    other.close();
    database.close();
  });

  test('a write that fails undoes its own changes only', async () => {
    const { store } = await open('batch.db');
    // All of these are one batch, of one transaction.
    const results = await Promise.allSettled([
      store.write('add', ['a']),
      store.write('add', ['b', 'a']),
      store.write('add', ['c']),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await store.read('all', null), ['a', 'c']);
    await assert.rejects(store.read('write', null), /readonly/);
    await store.close();
  });

  test('more calls than it can hold are refused with 503', async () => {
    const { store } = await open('queue.db');
    const calls = Array.from({ length: 1_200 }, async () => await store.read('all', null));
    const results = await Promise.allSettled(calls);
    const refused = results.filter((result) => result.status === 'rejected');
    assert.equal(refused.length, 200);
    for (const { reason } of refused) {
      assert.ok(reason instanceof HttpError);
      assert.equal(reason.status, 503);
    }
    assert.deepEqual(await store.read('all', null), []);
    await store.close();
  });

  test('close() finishes the calls that wait', async () => {
    const { store } = await open('close.db');
    const words = Array.from({ length: 200 }, (_, index) => `w${index}`);
    const calls = words.map((word) => store.write('add', [word]));
    await store.close();
    await Promise.all(calls);
    const again = await open('close.db');
    assert.equal((await again.store.read('all', null)).length, words.length);
    await again.store.close();
  });

  test('a thread that dies rejects its calls, and is replaced', async () => {
    const { store } = await open('death.db');
    const results = await Promise.allSettled([store.read('die', null), store.read('all', null)]);
    for (const result of results) {
      assert.equal(result.status, 'rejected');
      assert.match(String((result as PromiseRejectedResult).reason), /the database stopped/);
    }
    assert.deepEqual(await store.read('all', null), []);
    await store.close();
  });

  test('a database of another version, or of another program, is not touched', async () => {
    const { path, store } = await open('version.db');
    await store.close();
    const create = (): never => assert.fail('creates nothing');
    const next = { ...tables, version: 2, create };
    await assert.rejects(prepareFile(path, next), /its tables have version 1/);
    const other = { ...tables, application: 8, create };
    await assert.rejects(prepareFile(path, other), /belongs to another program/);
    await prepareFile(path, { ...tables, create });
    // A database of a program that writes no number of its own.
    const foreign = join(directory, 'foreign.db');
    const database = await openDatabase(foreign);
    database.exec('CREATE TABLE strange (thing TEXT)');
    database.close();
    await assert.rejects(prepareFile(foreign, tables), /belongs to another program/);
  });
});
