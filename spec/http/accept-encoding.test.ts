// Accept-Encoding: examples of RFC 9110 12.5.3, malformed fields, and fields of every kind against
// a model with strings.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CODING_NAMES, Coding, chooseCoding, codingSet } from '../../src/http/accept-encoding.ts';
import { seeded } from '../../testing/splits.ts';
import { parsedFields } from './fixtures/parsed-fields.ts';

const ALL = codingSet(Coding.Gzip, Coding.Zstd, Coding.Brotli);

function chosen(lines: readonly string[], available = ALL): string {
  const { head, bytes, base } = parsedFields(...lines.map((line) => `Accept-Encoding: ${line}`));
  return CODING_NAMES[chooseCoding(head, bytes, base, available)];
}

const CASES: readonly (readonly [value: string, expected: string])[] = [
  // The examples of 12.5.3.
  ['compress, gzip', 'gzip'],
  ['', 'identity'],
  ['*', 'br'],
  ['compress;q=0.5, gzip;q=1.0', 'gzip'],
  ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip'],
  // Browsers.
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate', 'gzip'],
  ['zstd, gzip', 'zstd'],
  // Weights.
  ['br;q=0.5, gzip;q=0.9', 'gzip'],
  ['br;q=0.9, gzip;q=0.9, zstd;q=0.9', 'br'],
  ['gzip;q=0.001', 'gzip'],
  ['gzip;q=0.5, identity', 'identity'],
  ['gzip;q=0.5, identity;q=0.5', 'gzip'],
  ['gzip;q=0.500,identity;q=0.501', 'identity'],
  ['gzip;q=0', 'identity'],
  ['gzip;q=0.000, br;q=0.', 'identity'],
  ['*;q=0', 'identity'],
  ['identity;q=0', 'identity'],
  ['*;q=0, gzip', 'gzip'],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  ['br;q=0, *', 'zstd'],
  ['*;q=0.5, gzip', 'gzip'],
  ['*;q=0.5, gzip;q=0.4', 'br'],
  ['*;q=0.5, identity;q=0.6', 'identity'],
  ['br;q=1.000', 'br'],
  // Spelling.
  ['GZIP', 'gzip'],
  ['Br;Q=0.5', 'br'],
  ['x-gzip', 'gzip'],
  ['gzip ; q=0.5', 'gzip'],
  ['gzip\t;\tq=0.5\t,\tbr', 'br'],
  [', ,gzip,,', 'gzip'],
  ['gzip;q=0, gzip', 'identity'],
  ['gzip, gzip;q=0', 'gzip'],
  ['brotli', 'identity'],
  ['g', 'identity'],
  ['gzipx, xbr, zst', 'identity'],
  // Malformed: identity, whatever the rest says.
  ...[
    ...['gzip;', 'gzip;q', 'gzip;q=', 'gzip;q=x', 'gzip;q=2', 'gzip;q=1.1', 'gzip;q=1.001'],
    ...['gzip;q=0.5555', 'gzip;q=.5', 'gzip;q=-1', 'gzip;q =0.5', 'gzip;q= 0.5'],
    ...['gzip;q="0.5"', 'gzip;level=1', 'gzip;q=0.5;x=1', 'gzip br', 'gzip; br', ';q=1', '"gzip"'],
    ...['gzip,br;q=x', 'gzip/br', 'gzip;q=00.5', 'gzip;q=0.5x', '@', 'gzip, \xe9'],
  ].map((value) => [value, 'identity'] as const),
];

describe('chooseCoding', () => {
  for (const [value, expected] of CASES) {
    it(JSON.stringify(value), () => {
      assert.equal(chosen([value]), expected);
    });
  }

  it('chooses what is available', () => {
    assert.equal(chosen(['gzip, br, zstd'], codingSet(Coding.Gzip)), 'gzip');
    assert.equal(chosen(['gzip, br, zstd'], codingSet(Coding.Gzip, Coding.Zstd)), 'zstd');
    assert.equal(chosen(['br'], codingSet(Coding.Gzip)), 'identity');
    assert.equal(chosen(['br'], codingSet()), 'identity');
    const old = codingSet(Coding.Deflate, Coding.Gzip);
    assert.equal(chosen(['deflate, gzip'], old), 'gzip');
    assert.equal(chosen(['deflate, gzip;q=0.9'], old), 'deflate');
    assert.equal(chosen(['Deflate'], old), 'deflate');
  });

  it('without the field chooses identity, and several lines are one list', () => {
    assert.equal(chosen([]), 'identity');
    assert.equal(chosen(['br;q=0.1', 'gzip;q=0.2']), 'gzip');
    assert.equal(chosen(['br', 'gzip;q=x']), 'identity');
    assert.equal(chosen(['', 'br']), 'br');
  });

  it('is linear in the length of the field', () => {
    assert.equal(chosen(['x,'.repeat(300_000)]), 'identity');
    assert.equal(chosen([`${' '.repeat(300_000)},br`]), 'br');
    assert.equal(chosen(Array.from({ length: 10_000 }, () => 'gzip')), 'gzip');
  });

  it('chooses as a model does', (context) => {
    const name = fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'deflate', 'x-gzip', 'BR');
    const weight = fc.constantFrom(
      '',
      ';q=0',
      ';q=1',
      ';q=0.5',
      '; q=0.501',
      ' ;q=0.49',
      ';Q=0.50',
    );
    const list = fc.array(fc.tuple(name, weight), { maxLength: 6 });
    const property = fc.property(list, fc.nat({ max: 15 }), (members, set) => {
      const value = members.map(([coding, q]) => coding + q).join(', ');
      assert.equal(chosen([value], set << 1), model(members, set << 1), value);
    });
    fc.assert(property, seeded(context, 5000));
  });
});

/** By 12.5.3, with the preference of the server. */
function model(members: readonly (readonly [string, string])[], available: number): string {
  const named = new Map<string, number>();
  for (const [coding, q] of members) {
    const name = coding.toLowerCase().replace('x-gzip', 'gzip');
    if (!named.has(name)) named.set(name, q === '' ? 1 : Number(q.replace(/.*=/, '')));
  }
  const weightOf = (name: string): number => {
    const otherwise = name === 'identity' ? 1e-6 : 0;
    return named.get(name) ?? named.get('*') ?? otherwise;
  };
  const ranked = ['br', 'zstd', 'gzip', 'deflate', 'identity'].filter(
    (name) => name === 'identity' || (available & (1 << CODING_NAMES.indexOf(name))) !== 0,
  );
  const best = Math.max(...ranked.map(weightOf));
  return best === 0 ? 'identity' : (ranked.find((name) => weightOf(name) === best) ?? 'identity');
}
