// The parts of the slow tests: together they are everything, and a commit always has the same one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn, PART_VARIABLE, PARTS, partOf } from '../testing/rotation.ts';

function inPart<Element>(part: number | null, all: readonly Element[]): readonly Element[] {
  const before = process.env[PART_VARIABLE];
  if (part === null) delete process.env[PART_VARIABLE];
  else process.env[PART_VARIABLE] = String(part);
  try {
    return inTurn(all);
  } finally {
    if (before === undefined) delete process.env[PART_VARIABLE];
    else process.env[PART_VARIABLE] = before;
  }
}

test('all parts together are the list, each of its elements once', () => {
  for (let length = PARTS; length < 10; length++) {
    const all = Array.from({ length }, (_, index) => index);
    const parts = Array.from({ length: PARTS }, (_, part) => inPart(part, all));
    assert.deepEqual(parts.flat().toSorted(), all);
    for (const part of parts) assert.ok(part.length >= Math.floor(length / PARTS));
  }
});

test('of a short list each part has one, and every element has its turn', () => {
  const parts = Array.from({ length: PARTS }, (_, part) => inPart(part, ['a', 'b']));
  assert.deepEqual(parts, [['a'], ['b'], ['a']]);
  assert.deepEqual(inPart(2, ['a']), ['a']);
  assert.deepEqual(inPart(1, []), []);
});

test('without parts everything runs', () => {
  assert.deepEqual(inPart(null, ['a', 'b', 'c', 'd']), ['a', 'b', 'c', 'd']);
});

test('a commit has one part on each Node, and the supported majors have them all', () => {
  const commit = 'ffffffff0000';
  assert.equal(partOf(commit, 20), partOf(commit, 20));
  assert.deepEqual([20, 22, 24].map((major) => partOf(commit, major)).toSorted(), [0, 1, 2]);
  const seen = new Set(Array.from({ length: 20 }, (_, n) => partOf(`0000000${n % 10}`, 20)));
  assert.equal(seen.size, PARTS);
});
