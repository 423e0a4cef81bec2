// ByteMap against Map: the same operations in any order have the same results.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteMap, hashBytes } from '../../src/base/byte-map.ts';

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function lookUp<T>(map: ByteMap<T>, text: string): T | null {
  const bytes = bytesOf(text);
  return map.get(bytes, 0, bytes.length);
}

/** Keys that all prefer the same slot of a map of `capacity` slots. */
function collidingKeys(capacity: number, count: number): string[] {
  const keys: string[] = [];
  for (let number = 0; keys.length < count; number++) {
    const bytes = bytesOf(`key ${number}`);
    if ((hashBytes(bytes, 0, bytes.length) & (capacity - 1)) === capacity - 1) {
      keys.push(`key ${number}`);
    }
  }
  return keys;
}

test('an empty map has nothing, not even the empty key', () => {
  const map = new ByteMap<number>();
  assert.equal(map.size, 0);
  assert.equal(lookUp(map, ''), null);
  assert.equal(lookUp(map, 'a'), null);
  assert.equal(map.delete(bytesOf('a')), false);
});

test('the empty key is a key', () => {
  const map = new ByteMap<number>();
  map.set(bytesOf(''), 7);
  assert.equal(lookUp(map, ''), 7);
  assert.equal(map.size, 1);
});

test('a span in the middle of other bytes is looked up and deleted', () => {
  const map = new ByteMap<string>();
  map.set(bytesOf('/hello'), 'hello');
  const head = bytesOf('GET /hello HTTP/1.1');
  assert.equal(map.get(head, 4, 10), 'hello');
  assert.equal(map.get(head, 4, 9), null);
  assert.equal(map.get(head, 3, 10), null);
  assert.equal(map.get(head, 4, 11), null);
  assert.equal(map.delete(head, 4, 9), false);
  assert.equal(map.delete(head, 4, 10), true);
  assert.equal(map.size, 0);
  assert.equal(map.get(head, 4, 10), null);
});

test('setting a key again replaces its value', () => {
  const map = new ByteMap<number>();
  map.set(bytesOf('a'), 1);
  map.set(bytesOf('a'), 2);
  assert.equal(lookUp(map, 'a'), 2);
  assert.equal(map.size, 1);
});

test('keys are copied', () => {
  const map = new ByteMap<number>();
  const key = bytesOf('abc');
  map.set(key, 1);
  key.fill(0);
  assert.equal(lookUp(map, 'abc'), 1);
  assert.equal(map.get(key, 0, 3), null);
});

test('a map grows and keeps all keys', () => {
  const map = new ByteMap<number>();
  for (let number = 0; number < 5_000; number++) map.set(bytesOf(`/item/${number}`), number);
  assert.equal(map.size, 5_000);
  for (let number = 0; number < 5_000; number++)
    assert.equal(lookUp(map, `/item/${number}`), number);
  assert.equal(lookUp(map, '/item/5000'), null);
});

test('clear removes all keys, and the map still works', () => {
  const map = new ByteMap<number>();
  for (let number = 0; number < 100; number++) map.set(bytesOf(`${number}`), number);
  map.clear();
  assert.equal(map.size, 0);
  assert.equal(lookUp(map, '5'), null);
  map.set(bytesOf('5'), 6);
  assert.equal(lookUp(map, '5'), 6);
});

test('keys that prefer the last slot wrap around, whichever is deleted first', () => {
  const keys = collidingKeys(8, 4);
  for (const gone of keys) {
    const map = new ByteMap<string>();
    for (const key of keys) map.set(bytesOf(key), key);
    assert.equal(map.delete(bytesOf(gone)), true);
    for (const key of keys) assert.equal(lookUp(map, key), key === gone ? null : key);
  }
});

test('keys with the same hash are distinguished', () => {
  // Two pairs of words with the same FNV-1a hash of 32 bits, of equal and of different length.
  for (const [first, second] of [
    ['declinate', 'macallums'],
    ['costarring', 'liquid'],
  ]) {
    const [left, right] = [bytesOf(first), bytesOf(second)];
    assert.equal(hashBytes(left, 0, left.length), hashBytes(right, 0, right.length));
    const map = new ByteMap<string>();
    map.set(left, first);
    assert.equal(lookUp(map, second), null);
    map.set(right, second);
    assert.equal(map.size, 2);
    assert.deepEqual([lookUp(map, first), lookUp(map, second)], [first, second]);
  }
});

test('any operations have the results of Map', (t) => {
  const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  // Few short keys, so that sets, deletes and look-ups meet; the alphabet has a NUL and UTF-8.
  const keys = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\0', 'é'), maxLength: 3 });
  const operations = fc.array(
    fc.oneof(
      { weight: 200, arbitrary: fc.record({ kind: fc.constant('set'), key: keys }) },
      { weight: 150, arbitrary: fc.record({ kind: fc.constant('delete'), key: keys }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear'), key: keys }) },
    ),
    { maxLength: 200, size: 'max' },
  );
  const property = fc.property(operations, (list) => {
    const map = new ByteMap<number>();
    const model = new Map<string, number>();
    for (const [index, { kind, key }] of list.entries()) {
      if (kind === 'set') {
        map.set(bytesOf(key), index);
        model.set(key, index);
      } else if (kind === 'delete') {
        assert.equal(map.delete(bytesOf(key)), model.delete(key));
      } else {
        map.clear();
        model.clear();
      }
      assert.equal(map.size, model.size);
      assert.equal(lookUp(map, key), model.get(key) ?? null);
    }
    for (const { key } of list) assert.equal(lookUp(map, key), model.get(key) ?? null);
  });
  fc.assert(property, { seed, numRuns: 300 });
});
