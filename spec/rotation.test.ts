// The parts of the slow tests: together they are everything, and a commit always has the same one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FIFTHS,
  inTurn,
  isInTurn,
  THIRDS,
  TURN_VARIABLE,
  TURNS,
  turnOf,
} from '../testing/rotation.ts';

function onTurn<Result>(turn: number | null, run: () => Result): Result {
  const before = process.env[TURN_VARIABLE];
  if (turn === null) delete process.env[TURN_VARIABLE];
  else process.env[TURN_VARIABLE] = String(turn);
  try {
    return run();
  } finally {
    if (before === undefined) delete process.env[TURN_VARIABLE];
    else process.env[TURN_VARIABLE] = before;
  }
}

test('all parts together are the list, each of its elements once', () => {
  for (const parts of [THIRDS, FIFTHS]) {
    for (let length = parts; length < 12; length++) {
      const all = Array.from({ length }, (_, index) => index);
      const each = Array.from({ length: parts }, (_, turn) =>
        onTurn(turn, () => inTurn(all, parts)),
      );
      assert.deepEqual(
        each.flat().toSorted((one, other) => one - other),
        all,
      );
      for (const part of each) assert.ok(part.length >= Math.floor(length / parts));
    }
  }
});

test('of a short list each part has one, and every element has its turn', () => {
  const parts = Array.from({ length: TURNS }, (_, turn) => onTurn(turn, () => inTurn(['a', 'b'])));
  assert.deepEqual(parts.slice(0, 3), [['a'], ['b'], ['a']]);
  assert.deepEqual(
    onTurn(2, () => inTurn(['a'])),
    ['a'],
  );
  assert.deepEqual(
    onTurn(1, () => inTurn([])),
    [],
  );
});

test('without parts everything runs', () => {
  assert.deepEqual(
    onTurn(null, () => inTurn(['a', 'b', 'c', 'd'])),
    ['a', 'b', 'c', 'd'],
  );
  assert.equal(
    onTurn(null, () => isInTurn(7, FIFTHS)),
    true,
  );
});

test('every third and every fifth has its turn, also together', () => {
  const seen = new Set<string>();
  for (let turn = 0; turn < TURNS; turn++) {
    const third = onTurn(turn, () => [0, 1, 2].filter((index) => isInTurn(index)));
    const fifth = onTurn(turn, () => [0, 1, 2, 3, 4].filter((index) => isInTurn(index, FIFTHS)));
    assert.deepEqual([third.length, fifth.length], [1, 1]);
    seen.add(`${third} ${fifth}`);
  }
  assert.equal(seen.size, TURNS);
});

test('a commit has one turn on each Node, and the supported majors have all thirds', () => {
  const commit = 'ffffffff0000';
  assert.equal(turnOf(commit, 20), turnOf(commit, 20));
  const thirds = [20, 22, 24].map((major) => turnOf(commit, major) % THIRDS);
  assert.deepEqual(thirds.toSorted(), [0, 1, 2]);
  for (const major of [20, 21, 23, 25, 26]) assert.ok(Number.isInteger(turnOf(commit, major)));
  const seen = new Set(
    Array.from({ length: 40 }, (_, n) => turnOf(n.toString(16).padStart(8, '0'), 20)),
  );
  assert.equal(seen.size, TURNS);
});
