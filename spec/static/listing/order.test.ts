// The order of a listing: people's order of names, a total order whatever the names, and the same
// result when many entries are sorted in runs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ordering, type Sortable, type SortKey } from '../../../src/static/listing/order.ts';
import { SortedRuns } from '../../../src/static/listing/sorted-runs.ts';
import { Random } from '../../../testing/random.ts';
import { seeded } from '../../../testing/splits.ts';

function entry(name: string, bytes = 0, modifiedMs = 0, isFolder = false): Sortable {
  return { name, bytes, modifiedMs, isFolder };
}

function sorted(names: readonly string[], sort: SortKey = 'name', isDescending = false): string[] {
  const entries = names.map((name) => entry(name));
  return entries.sort(ordering(sort, isDescending)).map(({ name }) => name);
}

/** Names of few letters, so that many of them are nearly equal. */
const NAME = fc.string({
  unit: fc.constantFrom('a', 'A', 'b', '0', '1', '9', '-', '.', 'é', '😀'),
});
const ENTRY = fc.record({
  name: NAME,
  bytes: fc.integer({ min: 0, max: 3 }),
  modifiedMs: fc.integer({ min: -2, max: 2 }),
  isFolder: fc.boolean(),
});
const ORDER = fc.tuple(fc.constantFrom<SortKey>('name', 'size', 'date'), fc.boolean());

describe('the order of names', () => {
  it('counts numbers, and ignores the case of letters', () => {
    const names = ['a10', 'B', 'a2', 'a1', 'b1', 'A3', 'a', '10', '9', 'Z', '_', '-', 'a1b', 'a01'];
    const expected = [
      '-',
      '9',
      '10',
      '_',
      'a',
      'a01',
      'a1',
      'a1b',
      'a2',
      'A3',
      'a10',
      'B',
      'b1',
      'Z',
    ];
    assert.deepEqual(sorted(names), expected);
    assert.deepEqual(sorted(names, 'name', true), expected.toReversed());
  });

  it('compares numbers of any length, and zeros in front of them last', () => {
    const long = ['v9007199254740993', 'v9007199254740992', 'v10000000000000000000000'];
    assert.deepEqual(sorted(long), [long[1], long[0], long[2]]);
    assert.deepEqual(sorted(['7', '007', '07', '8', '006', '0', '00']), [
      '0',
      '00',
      '006',
      '007',
      '07',
      '7',
      '8',
    ]);
    assert.deepEqual(sorted(['1.10', '1.9', '1.2.1', '1.2']), ['1.2', '1.2.1', '1.9', '1.10']);
  });

  it('distinguishes names that differ only in case', () => {
    assert.deepEqual(sorted(['readme', 'README', 'Readme']), ['README', 'Readme', 'readme']);
  });
});

describe('sizes and dates', () => {
  const entries = [
    entry('b', 5, 30),
    entry('a', 5, 10),
    entry('c', 1, 20),
    entry('z', 0, 5, true),
    entry('y', 99, 40, true),
  ];
  const names = (sort: SortKey, isDescending: boolean) =>
    [...entries]
      .sort(ordering(sort, isDescending))
      .map(({ name }) => name)
      .join('');

  it('folders are first in every order, by name where sizes are compared', () => {
    assert.equal(names('name', false), 'yzabc');
    assert.equal(names('name', true), 'zycba');
    assert.equal(names('size', false), 'yzcab');
    assert.equal(names('size', true), 'yzabc');
    assert.equal(names('date', false), 'zyacb');
    assert.equal(names('date', true), 'yzbca');
  });
});

it('is a total order of any entries', (context) => {
  const check = (
    [sort, isDescending]: [SortKey, boolean],
    a: Sortable,
    b: Sortable,
    c: Sortable,
  ) => {
    const compare = ordering(sort, isDescending);
    assert.ok(Math.sign(compare(a, b)) + Math.sign(compare(b, a)) === 0);
    if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
    // Only the same name of the same kind is equal.
    if (compare(a, b) === 0) assert.equal(a.name, b.name);
  };
  fc.assert(fc.property(ORDER, ENTRY, ENTRY, ENTRY, check), seeded(context, 3_000));
});

describe('sorted runs', () => {
  it('have the order of one sort, whatever is taken at a time', () => {
    const random = new Random(7);
    const compare = ordering('name', false);
    for (const count of [0, 1, 2, 999, 1_000, 1_001, 2_000, 7_777]) {
      const entries = Array.from({ length: count }, () => entry(`n${random.below(1e6)}`));
      const runs = new SortedRuns<Sortable>(compare);
      for (const one of entries) runs.add(one);
      const taken: Sortable[] = [];
      for (;;) {
        const next = runs.take(1 + random.below(300));
        if (next.length === 0) break;
        taken.push(...next);
      }
      assert.deepEqual(taken, entries.sort(compare), `${count} entries`);
      assert.deepEqual(runs.take(1), []);
    }
  });

  it('drain in no order, without losing one', () => {
    const runs = new SortedRuns<Sortable>(ordering('name', false));
    const names = Array.from({ length: 2_500 }, (_, index) => `${index}`);
    for (const name of names) runs.add(entry(name));
    assert.deepEqual(new Set(runs.drain().map(({ name }) => name)), new Set(names));
    assert.deepEqual(runs.drain(), []);
  });
});
