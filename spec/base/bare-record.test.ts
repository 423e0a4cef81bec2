// Records that inherit nothing: names of parameters that every other object has.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asKey, BareRecord } from '../../src/base/bare-record.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const INHERITED = Object.getOwnPropertyNames(Object.prototype);

it('a bare record has its own properties alone, whatever their names', () => {
  assert.ok(INHERITED.includes('__proto__'));
  const record = new BareRecord();
  for (const name of INHERITED) assert.equal(name in record, false, name);
  for (const name of INHERITED) record[name] = `of ${name}`;
  assert.deepEqual(Object.keys(record), INHERITED);
  for (const name of INHERITED) assert.equal(record[name], `of ${name}`);
  assert.deepEqual(Object.keys(new BareRecord()), []);
});

it('all bare records share a prototype that nothing can change', () => {
  const prototype: unknown = Object.getPrototypeOf(new BareRecord());
  assert.ok(Object.isFrozen(prototype));
  assert.equal(Object.getPrototypeOf(prototype), null);
  assert.equal(Reflect.set(prototype as object, 'added', 1), false);
  assert.equal(Reflect.setPrototypeOf(prototype as object, { added: 1 }), false);
  assert.equal('added' in new BareRecord(), false);
});

it('a key is the same text', () => {
  for (const text of ['', 'id', '__proto__', '10', 'a longer text'.slice(2, 8)]) {
    assert.equal(asKey(text), text);
  }
});

it('parameters may have the names of inherited properties', async () => {
  const { server } = unlistenedServer();
  server.get('/:__proto__/:constructor', ({ params }, response) => {
    const { toString: inherited } = params as { toString?: unknown };
    response.json([Object.entries(params), typeof inherited]);
  });
  const response = await server.inject('/a/b');
  const entries = [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ];
  assert.deepEqual(await response.json(), [entries, 'undefined']);
  await server.close();
});
