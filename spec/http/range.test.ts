// Range: examples of RFC 9110 14.1.2, malformed and extreme sets, and sets of every kind against a
// model with BigInt and strings.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RANGE_PARTS_MAX } from '../../src/base/fixed-limits.ts';
import { selectRanges } from '../../src/http/range.ts';
import { bytesOf, place, seeded } from '../../testing/splits.ts';

const HUGE = '9'.repeat(400);
const BEYOND = '18446744073709551616';

let turn = 0;

/** `first-last` for each range, as in Content-Range; or what follows instead. */
function selected(value: string, length: number): string {
  turn += 1;
  const { bytes, start, end } = place(bytesOf(value), 0, value.length, turn);
  const ranges = selectRanges(bytes, start, end, length);
  if (ranges === null) return 'all';
  if (ranges.length === 0) return '416';
  return ranges.map(({ from, to }) => `${from}-${to - 1}`).join(' ');
}

const CASES: readonly (readonly [value: string, length: number, expected: string])[] = [
  // The examples of 14.1.2.
  ['bytes=0-499', 10_000, '0-499'],
  ['bytes=500-999', 10_000, '500-999'],
  ['bytes=-500', 10_000, '9500-9999'],
  ['bytes=9500-', 10_000, '9500-9999'],
  ['bytes=0-0,-1', 10_000, '0-0 9999-9999'],
  ['bytes= 0-999, 4500-5499, -1000', 10_000, '0-999 4500-5499 9000-9999'],
  ['bytes=500-600,601-999', 10_000, '500-600 601-999'],
  ['bytes=500-700,601-999', 10_000, '500-700 601-999'],
  // Ends, cut to the representation.
  ['bytes=0-', 10, '0-9'],
  ['bytes=0-9', 10, '0-9'],
  ['bytes=0-10', 10, '0-9'],
  ['bytes=9-', 10, '9-9'],
  ['bytes=9-9', 10, '9-9'],
  ['bytes=-1', 10, '9-9'],
  ['bytes=-10', 10, '0-9'],
  ['bytes=-11', 10, '0-9'],
  ['bytes=007-0008', 10, '7-8'],
  // Not satisfiable.
  ['bytes=10-', 10, '416'],
  ['bytes=10-10', 10, '416'],
  ['bytes=10-9', 10, 'all'],
  ['bytes=-0', 10, '416'],
  ['bytes=-000', 10, '416'],
  ['bytes=10-,20-30,-0', 10, '416'],
  ['bytes=10-,3-4,-0', 10, '3-4'],
  // No content: a suffix is satisfiable, but there is no Content-Range for it.
  ['bytes=0-', 0, '416'],
  ['bytes=0-0', 0, '416'],
  ['bytes=-1', 0, 'all'],
  ['bytes=-0', 0, '416'],
  // Lists.
  ['bytes=0-0,2-2', 10, '0-0 2-2'],
  ['bytes=2-2,0-0', 10, '2-2 0-0'],
  ['bytes=,0-0 ,\t, 2-2 ,', 10, '0-0 2-2'],
  ['BYTES=0-0', 10, '0-0'],
  // Together longer than the representation.
  ['bytes=0-,0-0', 10, 'all'],
  ['bytes=0-4,5-9', 10, '0-4 5-9'],
  ['bytes=0-4,4-9', 10, 'all'],
  ['bytes=0-0,0-0', 10, '0-0 0-0'],
  // Numbers of any size.
  [`bytes=0-${HUGE}`, 10, '0-9'],
  [`bytes=0-${BEYOND}`, 10, '0-9'],
  [`bytes=-${HUGE}`, 10, '0-9'],
  [`bytes=${HUGE}-`, 10, '416'],
  [`bytes=${BEYOND}-${BEYOND}`, 10, '416'],
  ['bytes=18446744073709551616-18446744073709551615', 10, 'all'],
  ['bytes=9007199254740993-9007199254740992', 10, 'all'],
  ['bytes=9007199254740992-9007199254740993', 10, '416'],
  [`bytes=${'0'.repeat(400)}1-1`, 10, '1-1'],
  ['bytes=4294967296-', 10, '416'],
  ['bytes=4294967295-4294967296', 4_294_967_297, '4294967295-4294967296'],
  ['bytes=-1', Number.MAX_SAFE_INTEGER, '9007199254740990-9007199254740990'],
  // Malformed, or another unit: ignored, whatever the rest says.
  ...[
    ...['', 'bytes', 'bytes=', 'bytes=,', 'bytes= ', 'bytes=-', 'bytes=--1', 'bytes=1', '0-1'],
    ...['bytes 0-1', 'bytes =0-1', 'bytes:0-1', 'byte=0-1', 'bytess=0-1', 'items=0-1', '=0-1'],
    ...['bytes=0 - 1', 'bytes=0- 1', 'bytes=0 -1', 'bytes=0-1-2', 'bytes=0--1', 'bytes=+0-1'],
    ...['bytes=0x0-1', 'bytes=a-b', 'bytes=0-b', 'bytes=0.0-1', 'bytes=0-1;', 'bytes=0-1 2-3'],
    ...['bytes=0-1,x', 'bytes=x,0-1', 'bytes=0-1,5-4', 'bytes=5-4,0-1', 'bytes=20-10,0-1'],
    ...['bytes=0-1,bytes=2-3', 'bytes==0-1', 'bytes=0-1\xa0', 'b\x19tes=0-1', 'bytes="0-1"'],
  ].map((value) => [value, 10, 'all'] as const),
];

describe('selectRanges', () => {
  for (const [value, length, expected] of CASES) {
    it(`${JSON.stringify(value).slice(0, 60)} of ${length}`, () => {
      assert.equal(selected(value, length), expected);
    });
  }

  it('a set of more parts than the limit is ignored; the unsatisfiable do not count', () => {
    const ranges = (count: number) =>
      Array.from({ length: count }, (_, index) => `${index}-${index}`);
    const length = 10_000;
    const value = (count: number) => `bytes=${ranges(count).join(',')}`;
    assert.equal(selected(value(RANGE_PARTS_MAX), length), ranges(RANGE_PARTS_MAX).join(' '));
    assert.equal(selected(value(RANGE_PARTS_MAX + 1), length), 'all');
    assert.equal(selected(`bytes=${'99999-,'.repeat(1000)}1-1`, length), '1-1');
  });

  it('is linear', () => {
    assert.equal(selected(`bytes=${'10-,'.repeat(300_000)}`, 10), '416');
    assert.equal(selected(`bytes=${'10-,'.repeat(300_000)}x`, 10), 'all');
    assert.equal(selected(`bytes=${' ,'.repeat(300_000)}`, 10), 'all');
    assert.equal(selected(`bytes=0-${'1'.repeat(1_000_000)}`, 10), '0-9');
  });

  it('selects the bytes that a model selects', (context) => {
    const number = fc.oneof(
      fc.nat({ max: 30 }).map(String),
      fc.bigInt({ min: 0n, max: 2n ** 70n }).map(String),
      fc.nat({ max: 30 }).map((value) => `00${value}`),
    );
    const range = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(number, number).map(([a, b]) => `${a}-${b}`) },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.nat({ max: 25 }), fc.nat({ max: 6 }))
          .map(([from, more]) => `${from}-${from + more}`),
      },
      { weight: 3, arbitrary: number.map((value) => `${value}-`) },
      { weight: 3, arbitrary: number.map((value) => `-${value}`) },
      { weight: 1, arbitrary: fc.constantFrom('', '-', '1', 'a-b', '1 -2', '*') },
    );
    const separator = fc.constantFrom(',', ', ', ' ,', ',,');
    const property = fc.property(
      fc.array(range, { minLength: 1, maxLength: 5 }),
      separator,
      fc.nat({ max: 28 }),
      (ranges, between, length) => {
        const value = `bytes=${ranges.join(between)}`;
        assert.equal(selected(value, length), model(ranges, length), value);
      },
    );
    fc.assert(property, seeded(context, 5000));
  });
});

/** By the definitions of 14.1.1, 14.1.2 and 14.2, on an array of positions. */
function model(ranges: readonly string[], length: number): string {
  const content = Array.from({ length }, (_, position) => position);
  const members = ranges.filter((range) => range !== '');
  const parts: number[][] = [];
  for (const range of members) {
    const match = /^(\d*)-(\d*)$/.exec(range);
    if (match === null || (match[1] === '' && match[2] === '')) return 'all';
    const [, first, last] = match;
    if (first !== '' && last !== '' && BigInt(last) < BigInt(first)) return 'all';
    if (first === '') {
      if (BigInt(last) === 0n) continue;
      parts.push(content.filter((position) => BigInt(length - position) <= BigInt(last)));
    } else if (BigInt(first) < BigInt(length)) {
      parts.push(
        content.filter(
          (position) =>
            position >= Number(first) && (last === '' || BigInt(position) <= BigInt(last)),
        ),
      );
    }
  }
  if (members.length === 0 || parts.some((part) => part.length === 0)) return 'all';
  if (parts.length === 0) return '416';
  if (parts.flat().length > length) return 'all';
  return parts.map((part) => `${part[0]}-${part.at(-1)}`).join(' ');
}
