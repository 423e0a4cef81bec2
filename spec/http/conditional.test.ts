// Conditional requests: entity tags by weak comparison, dates, and their precedence.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isFresh, matchesTag } from '../../src/http/conditional.ts';
import { formatDate } from '../../src/http/date.ts';
import { seeded } from '../../testing/splits.ts';

const NOW_MS = Date.UTC(2026, 5, 15);
const CHANGED_MS = Date.UTC(2025, 0, 1, 12, 0, 0, 750);

describe('matchesTag', () => {
  const cases: readonly (readonly [value: string, etag: string, matches: boolean])[] = [
    ['"a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['W/"a"', 'W/"a"', true],
    ['*', '"a"', true],
    [' * ', '"a"', true],
    ['"b", "a"', '"a"', true],
    ['"b",W/"a" , "c"', '"a"', true],
    ['"b"', '"a"', false],
    ['"A"', '"a"', false],
    ['a', '"a"', false],
    ['', '"a"', false],
    ['"ab"', '"a"', false],
    ['"a', '"a"', false],
    ['"*"', '"a"', false],
    ['"a,b"', '"a,b"', true],
    ['""', '""', true],
    ['"\xe9"', '"\xe9"', true],
  ];
  for (const [value, etag, matches] of cases) {
    it(`${value} ${matches ? 'lists' : 'does not list'} ${etag}`, () => {
      assert.equal(matchesTag(value, etag), matches);
    });
  }

  it('finds a tag in any list of tags', (context) => {
    const opaque = fc.string({ unit: fc.constantFrom('a', '!', ',', '#', '~', '/', 'W') });
    const tag = fc
      .tuple(opaque, fc.boolean())
      .map(([text, weak]) => ({ weak, quoted: `"${text}"` }));
    const property = fc.property(fc.array(tag, { maxLength: 6 }), tag, (list, wanted) => {
      const value = list.map(({ weak, quoted }) => (weak ? `W/${quoted}` : quoted)).join(', ');
      const expected = list.some(({ quoted }) => quoted === wanted.quoted);
      assert.equal(matchesTag(value, wanted.quoted), expected);
    });
    fc.assert(property, seeded(context, 500));
  });
});

describe('isFresh', () => {
  const fresh = (match: string | undefined, since: string | undefined) =>
    isFresh(match, since, '"a"', CHANGED_MS, NOW_MS);

  it('without a condition nothing is fresh', () => {
    assert.equal(fresh(undefined, undefined), false);
  });

  it('a date is compared in seconds', () => {
    assert.equal(fresh(undefined, formatDate(CHANGED_MS)), true);
    assert.equal(fresh(undefined, formatDate(CHANGED_MS + 1000)), true);
    assert.equal(fresh(undefined, formatDate(CHANGED_MS - 1000)), false);
    assert.equal(fresh(undefined, formatDate(0)), false);
  });

  it('an invalid date is ignored', () => {
    for (const since of ['', 'yesterday', '2025-01-01T12:00:00Z', formatDate(NOW_MS).slice(1)]) {
      assert.equal(fresh(undefined, since), false, since);
    }
  });

  it('with If-None-Match the date is ignored', () => {
    assert.equal(fresh('"a"', formatDate(0)), true);
    assert.equal(fresh('"b"', formatDate(NOW_MS)), false);
    assert.equal(fresh('', formatDate(NOW_MS)), false);
  });

  it('works for files older than 1970', () => {
    const changedMs = -1500;
    const check = (since: number) =>
      isFresh(undefined, formatDate(since), '"a"', changedMs, NOW_MS);
    assert.equal(check(-2000), true);
    assert.equal(check(-3000), false);
  });
});
