// Known names that a mistyped name resembles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearMiss } from '../../src/base/near-miss.ts';

const NAMES = ['port', 'host', 'static_dir', 'driver', 'connection_timeout_ms', 'connections_max'];

const GUESSES: readonly (readonly [given: string, meant: string | undefined])[] = [
  ['prot', 'port'],
  ['prt', 'port'],
  ['PORT', 'port'],
  ['hots', 'host'],
  ['staticDir', 'static_dir'],
  ['static-dir', 'static_dir'],
  ['--static-dri', 'static_dir'],
  ['dir_static', 'static_dir'],
  ['connectionTimeoutMs', 'connection_timeout_ms'],
  ['connection_timeout', 'connection_timeout_ms'],
  ['max_connections', 'connections_max'],
  ['dir', undefined],
  ['x', undefined],
  ['', undefined],
  ['colour', undefined],
  ['port'.repeat(100), undefined],
];

for (const [given, meant] of GUESSES) {
  test(`${JSON.stringify(given.slice(0, 30))} means ${meant ?? 'nothing'}`, () => {
    assert.equal(nearMiss(given, NAMES), meant);
  });
}

test('the first of equally near names is the guess', () => {
  assert.equal(nearMiss('cost', ['host', 'post']), 'host');
  assert.equal(nearMiss('cost', ['post', 'host']), 'post');
});

test('distances', () => {
  assert.equal(editDistance('', ''), 0);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('prot', 'port'), 1);
  assert.equal(editDistance('abcd', 'badc'), 2);
});

test('a distance is symmetric, 0 for equal texts only, and at most the longer length', () => {
  const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(text, text, (left, right) => {
      const distance = editDistance(left, right);
      assert.equal(distance, editDistance(right, left));
      assert.equal(distance === 0, left === right);
      assert.ok(distance <= Math.max(left.length, right.length));
      assert.ok(distance >= Math.abs(left.length - right.length));
    }),
  );
});
