// Preconditions: each field alone, its malformed forms, and all together against a model written
// from RFC 9110 13.2.2 with strings.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkPreconditions,
  isUnconditional,
  rangeApplies,
  Verdict,
} from '../../src/http/conditional.ts';
import { formatDate, parseDate } from '../../src/http/date.ts';
import { seeded } from '../../testing/splits.ts';
import { parsedFields } from './fixtures/parsed-fields.ts';

const NOW_MS = Date.UTC(2026, 5, 15);
const CHANGED_MS = Date.UTC(2025, 0, 1, 12, 0, 0, 750);
const CHANGED = formatDate(CHANGED_MS);
const BEFORE = formatDate(CHANGED_MS - 1000);
const AFTER = formatDate(CHANGED_MS + 1000);
const { Proceed, NotModified, Failed } = Verdict;

function verdict(lines: readonly string[], etag: string | null = '"a"', modifiedMs = CHANGED_MS) {
  const { head, bytes, base } = parsedFields(...lines);
  return checkPreconditions(head, bytes, base, { etag, modifiedMs }, NOW_MS);
}

function applies(
  lines: readonly string[],
  etag: string | null = '"a"',
  modifiedMs = CHANGED_MS,
  nowMs = NOW_MS,
): boolean {
  const { head, bytes, base } = parsedFields(...lines);
  return rangeApplies(head, bytes, base, { etag, modifiedMs }, nowMs);
}

/** Lists and whether they contain a tag, weakly and strongly. */
const LISTS: readonly (readonly [
  list: string,
  etag: string,
  weakly: boolean,
  strongly: boolean,
])[] = [
  // The table of RFC 9110 8.8.3.2.
  ['W/"1"', 'W/"1"', true, false],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', true, false],
  ['"1"', '"1"', true, true],
  ['"1"', 'W/"1"', true, false],
  ['*', '"a"', true, true],
  ['*', 'W/"a"', true, true],
  // The examples of 13.1.1 and 13.1.2.
  ['"xyzzy"', '"xyzzy"', true, true],
  ['"xyzzy", "r2d2xxxx", "c3piozzzz"', '"c3piozzzz"', true, true],
  ['W/"xyzzy", W/"r2d2xxxx", W/"c3piozzzz"', '"r2d2xxxx"', true, false],
  ['"b",W/"c" ,\t"a"', '"a"', true, true],
  [',, "b",,"a" ,', '"a"', true, true],
  ['"b"', '"a"', false, false],
  ['"A"', '"a"', false, false],
  ['"ab"', '"a"', false, false],
  ['"a"', '"ab"', false, false],
  ['"a,b"', '"a,b"', true, true],
  ['""', '""', true, true],
  ['"\xe9\\"', '"\xe9\\"', true, true],
  ['"*"', '"a"', false, false],
  ['', '"a"', false, false],
  // A malformed list contains no tag, not even those that could be read.
  ['a', '"a"', false, false],
  ['"a', '"a"', false, false],
  ['a"', '"a"', false, false],
  ['"a" "b"', '"a"', false, false],
  ['"a", b', '"a"', false, false],
  ['"a";q=1', '"a"', false, false],
  ['"a"x', '"a"', false, false],
  ['*, "a"', '"a"', false, false],
  ['"a", *', '"a"', false, false],
  ['**', '"a"', false, false],
  ['w/"a"', '"a"', false, false],
  ['W"a"', '"a"', false, false],
  ['W/ "a"', '"a"', false, false],
  ['W/', '"a"', false, false],
  ['W', '"a"', false, false],
  ['"a b"', '"a b"', false, false],
  ["'a'", '"a"', false, false],
];

describe('lists of entity tags', () => {
  for (const [list, etag, weakly, strongly] of LISTS) {
    it(`${JSON.stringify(list)} and ${etag}`, () => {
      const none = verdict([`If-None-Match: ${list}`], etag);
      assert.equal(none, weakly ? NotModified : Proceed, 'If-None-Match');
      const match = verdict([`If-Match: ${list}`], etag);
      assert.equal(match, strongly ? Proceed : Failed, 'If-Match');
    });
  }

  it('several lines are one list', () => {
    assert.equal(verdict(['If-None-Match: "b"', 'X: y', 'if-none-match: "a", "c"']), NotModified);
    assert.equal(verdict(['If-Match: "b"', 'If-Match: "a"']), Proceed);
    assert.equal(verdict(['If-None-Match: "b"', 'If-None-Match: "c"']), Proceed);
    assert.equal(verdict(['If-None-Match: "a"', 'If-None-Match: c']), Proceed);
    assert.equal(verdict(['If-Match: a', 'If-Match: "a"']), Failed);
    assert.equal(verdict(['If-None-Match: *', 'If-None-Match: *']), Proceed);
    assert.equal(verdict(['If-Match: "a"', 'If-Match: *']), Failed);
  });

  it('without an entity tag only * matches', () => {
    assert.equal(verdict(['If-None-Match: "a"'], null), Proceed);
    assert.equal(verdict(['If-Match: "a"'], null), Failed);
    assert.equal(verdict(['If-None-Match: *'], null), NotModified);
    assert.equal(verdict(['If-Match: *'], null), Proceed);
  });

  it('finds a tag in any list of tags', (context) => {
    const opaque = fc.string({ unit: fc.constantFrom('a', '!', ',', '#', '~', '/', 'W', '*') });
    const tag = fc
      .tuple(opaque, fc.boolean())
      .map(([text, isWeak]) => `${isWeak ? 'W/' : ''}"${text}"`);
    const comma = fc.constantFrom(',', ', ', ' ,', ',,', ' , \t,');
    const lines = fc.array(fc.tuple(fc.array(tag, { maxLength: 6 }), comma), { maxLength: 3 });
    const property = fc.property(lines, tag, (lists, etag) => {
      const name = lists.length % 2 === 0 ? 'If-Match' : 'If-None-Match';
      const given = lists.flatMap(([list]) => list);
      const text = [[[], ','] as const, ...lists].map(
        ([list, separator]) => `${name}: ${list.join(separator)}`,
      );
      const opaqueOf = (one: string) => one.replace(/^W\//, '');
      const weakly = given.some((one) => opaqueOf(one) === opaqueOf(etag));
      const strongly = given.includes(etag) && !etag.startsWith('W/');
      const expected =
        name === 'If-Match' ? (strongly ? Proceed : Failed) : weakly ? NotModified : Proceed;
      assert.equal(verdict(text, etag), expected, text.join('\n'));
    });
    fc.assert(property, seeded(context, 2000));
  });
});

describe('dates', () => {
  it('are compared in seconds', () => {
    for (const [date, since, unmodified] of [
      [CHANGED, NotModified, Proceed],
      [AFTER, NotModified, Proceed],
      [BEFORE, Proceed, Failed],
      [formatDate(0), Proceed, Failed],
      [formatDate(NOW_MS + 1e9), NotModified, Proceed],
    ] as const) {
      assert.equal(verdict([`If-Modified-Since: ${date}`]), since, date);
      assert.equal(verdict([`If-Unmodified-Since: ${date}`]), unmodified, date);
    }
  });

  it('have three forms', () => {
    for (const date of [
      'Wednesday, 01-Jan-25 12:00:00 GMT',
      'Wed Jan  1 12:00:00 2025',
      'Wed, 01 Jan 2025 12:00:00 GMT',
    ]) {
      assert.equal(verdict([`If-Modified-Since: ${date}`]), NotModified, date);
      assert.equal(verdict([`If-Modified-Since: ${date.replace(':00:', ':59:')}`]), NotModified);
      assert.equal(verdict([`If-Modified-Since: ${date.replace('12:', '11:')}`]), Proceed, date);
    }
  });

  const INVALID = [
    '',
    '0',
    'yesterday',
    '2025-01-01T12:00:00Z',
    CHANGED.slice(1),
    `${CHANGED}, ${CHANGED}`,
    `"${CHANGED}"`,
    CHANGED.replace('GMT', 'UTC'),
    CHANGED.toLowerCase(),
    CHANGED.replace('Jan', 'Foo'),
    'Wed, 31 Feb 2025 12:00:00 GMT',
    'Wed, 01 Jan 2025 24:00:00 GMT',
    'Wed, 1 Jan 2025 12:00:00 GMT',
    'W'.repeat(8000),
  ];
  it('are ignored when they are invalid', () => {
    for (const date of INVALID) {
      assert.equal(verdict([`If-Modified-Since: ${date}`]), Proceed, date);
      assert.equal(verdict([`If-Unmodified-Since: ${date}`]), Proceed, date);
    }
  });

  it('are ignored when there are two', () => {
    const twice = (name: string, date: string) => [`${name}: ${date}`, `${name}: ${date}`];
    assert.equal(verdict(twice('If-Modified-Since', AFTER)), Proceed);
    assert.equal(verdict(twice('If-Unmodified-Since', BEFORE)), Proceed);
  });

  it('are ignored when the modification is not known', () => {
    assert.equal(verdict([`If-Modified-Since: ${AFTER}`], '"a"', Number.NaN), Proceed);
    assert.equal(verdict([`If-Unmodified-Since: ${BEFORE}`], '"a"', Number.NaN), Proceed);
  });

  it('work before 1970', () => {
    const check = (ms: number) => verdict([`If-Modified-Since: ${formatDate(ms)}`], '"a"', -1500);
    assert.equal(check(-2000), NotModified);
    assert.equal(check(-3000), Proceed);
  });
});

describe('If-Range', () => {
  const cases: readonly (readonly [value: string, etag: string | null, applies: boolean])[] = [
    ['"a"', '"a"', true],
    ['"b"', '"a"', false],
    ['W/"a"', '"a"', false],
    ['"a"', 'W/"a"', false],
    ['W/"a"', 'W/"a"', false],
    ['"a"', null, false],
    ['"a", "b"', '"a"', false],
    ['"a",', '"a"', false],
    ['*', '"a"', false],
    ['', '"a"', false],
    ['a', '"a"', false],
    [CHANGED, '"a"', true],
    [CHANGED, null, true],
    [CHANGED, 'W/"a"', true],
    ['Wednesday, 01-Jan-25 12:00:00 GMT', '"a"', true],
    [BEFORE, '"a"', false],
    [AFTER, '"a"', false],
    [`${CHANGED} x`, '"a"', false],
  ];
  for (const [value, etag, expected] of cases) {
    it(`${JSON.stringify(value)} with ${etag}`, () => {
      assert.equal(applies([`If-Range: ${value}`], etag), expected);
    });
  }

  it('a date is a strong validator when its second, and a step of a file system, are over', () => {
    const secondMs = Math.floor(CHANGED_MS / 1000) * 1000;
    for (const [laterMs, expected] of [
      [0, false],
      [750, false],
      [1_999, false],
      [2_000, true],
      [60_000, true],
      [-60_000, false],
    ] as const) {
      const nowMs = secondMs + laterMs;
      assert.equal(applies([`If-Range: ${CHANGED}`], null, CHANGED_MS, nowMs), expected);
    }
  });

  it('is false when there are two, or the modification is not known', () => {
    assert.equal(applies(['If-Range: "a"', 'If-Range: "a"']), false);
    assert.equal(applies([`If-Range: ${CHANGED}`], '"a"', Number.NaN), false);
  });

  it('without it the range applies', () => {
    assert.equal(applies(['Range: bytes=0-1']), true);
  });
});

describe('together', () => {
  /** RFC 9110 13.2.2, step by step. */
  function model(values: ReadonlyMap<string, string>): Verdict {
    const listed = (value: string) => value === '*' || value.includes('"a"');
    const ms = (value: string | undefined) =>
      value === undefined ? Number.NaN : parseDate(value, NOW_MS);
    const second = Date.parse(CHANGED);
    const match = values.get('If-Match');
    if (match !== undefined) {
      if (!listed(match.replace('W/"a"', ''))) return Failed;
    } else if (ms(values.get('If-Unmodified-Since')) < second) return Failed;
    const none = values.get('If-None-Match');
    if (none !== undefined) return listed(none) ? NotModified : Proceed;
    return ms(values.get('If-Modified-Since')) >= second ? NotModified : Proceed;
  }

  it('every combination has the precedence of 13.2.2', () => {
    const tags = [undefined, '"a"', '"b"', 'W/"a"', '*', '"b", "a"', ''];
    const dates = [undefined, BEFORE, CHANGED, AFTER, 'never'];
    for (const match of tags)
      for (const none of tags)
        for (const since of dates)
          for (const unmodified of dates) {
            const values = new Map(
              [
                ['If-None-Match', none],
                ['If-Modified-Since', since],
                ['If-Unmodified-Since', unmodified],
                ['If-Match', match],
              ].filter((pair): pair is [string, string] => pair[1] !== undefined),
            );
            const lines = [...values].map(([name, value]) => `${name}: ${value}`);
            assert.equal(verdict(lines), model(values), lines.join('\n'));
          }
  });

  it('without conditions the request proceeds', () => {
    assert.equal(verdict([]), Proceed);
    assert.equal(verdict(['If: "a"', 'Range: bytes=0-1', 'If-Range: "b"']), Proceed);
  });
});

describe('isUnconditional', () => {
  it('sees each conditional field and Range, and no other', () => {
    const isPlain = (...lines: string[]) => isUnconditional(parsedFields(...lines).head);
    for (const name of ['If-Match', 'if-none-match', 'IF-RANGE', 'Range']) {
      assert.equal(isPlain(`${name}: x`), false, name);
      assert.equal(isPlain('A: b', `${name}: x`, 'Accept: c'), false, name);
    }
    for (const name of ['If-Modified-Since', 'If-Unmodified-Since']) {
      assert.equal(isPlain(`${name}: x`), false, name);
    }
    assert.equal(isPlain(), true);
    assert.equal(isPlain('If: x', 'Ranges: y', 'If-None: z', 'Referer: r', 'Upgrade: u'), true);
  });
});

describe('effort', () => {
  it('is linear in long lists and in many fields', () => {
    const tags = Array.from({ length: 100_000 }, (_, index) => `"${index.toString(36)}"`);
    assert.equal(verdict([`If-None-Match: ${tags.join(',')}`], '"2500"'), NotModified);
    assert.equal(verdict([`If-Match: ${'"'.repeat(100_001)}`]), Failed);
    assert.equal(verdict([`If-None-Match: ${'W/"a",'.repeat(50_000)}x`]), Proceed);
    const lines = tags.slice(0, 10_000).map((tag) => `If-None-Match: ${tag}`);
    assert.equal(verdict(lines, '"7pr"'), NotModified);
    assert.equal(verdict([...lines, 'If-None-Match: x'], '"7pr"'), Proceed);
    const dates = tags.slice(0, 10_000).map(() => `If-Modified-Since: ${AFTER}`);
    assert.equal(verdict(dates), Proceed);
    assert.equal(applies(tags.slice(0, 10_000).map(() => 'If-Range: "a"')), false);
  });
});
