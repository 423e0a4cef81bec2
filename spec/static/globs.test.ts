// Patterns of paths: what each matches, and that no pattern takes long.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { glob, isGlob } from '../../src/static/globs.ts';
import { seeded } from '../../testing/splits.ts';

const CASES: readonly (readonly [pattern: string, yes: string[], no: string[]])[] = [
  ['*.css', ['a.css', 'x/y/a.css', '.css'], ['a.css.map', 'a.cs', 'css', 'a.css/b']],
  ['/*.css', ['a.css'], ['x/a.css']],
  ['assets/*', ['assets/a', 'assets/a.js'], ['assets', 'assets/x/a', 'x/assets/a']],
  ['assets/**', ['assets/a', 'assets/x/y/a.js', 'assets/'], ['assets', 'asset/a']],
  [
    '**/index.html',
    ['index.html', 'a/index.html', 'a/b/index.html'],
    ['xindex.html', 'a/xindex.html'],
  ],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'a/x/yb', 'a/b/c', 'xa/b']],
  ['a/**/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb']],
  ['**', ['a', 'a/b/c', ''], []],
  ['*', ['a', 'x/a'], []],
  ['/*', ['a'], ['x/a']],
  ['?.txt', ['a.txt', '\u{1f600}.txt', 'x/b.txt'], ['.txt', 'ab.txt']],
  ['a?c', ['abc'], ['a/c', 'ac']],
  ['v*/**.js', ['v1/a.js', 'v1/x/a.js'], ['w1/a.js']],
  ['/index.html', ['index.html'], ['x/index.html']],
  ['[a](b)+.$', ['[a](b)+.$'], ['a', 'ab']],
  ['A.txt', ['A.txt'], ['a.txt']],
];

describe('a pattern', () => {
  for (const [pattern, yes, no] of CASES) {
    it(pattern, () => {
      const { matches } = glob(pattern);
      for (const path of yes) assert.ok(matches(path), `${pattern} matches ${path}`);
      for (const path of no) assert.ok(!matches(path), `${pattern} does not match ${path}`);
    });
  }

  it('is a text', () => {
    for (const pattern of ['', '/', 'a\0', 7, null]) assert.equal(isGlob(pattern), false);
    assert.equal(isGlob('*'), true);
  });

  it('takes time in proportion to both lengths', () => {
    const { matches } = glob(`/${'*a**a'.repeat(40)}b`);
    const beganMs = performance.now();
    assert.equal(matches('a'.repeat(4_000)), false);
    // With backtracking this would take longer than the universe is old.
    assert.ok(performance.now() - beganMs < 10_000);
  });

  it('matches as a regular expression does', (context) => {
    const text = (characters: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...characters), { maxLength }).map((all) => all.join(''));
    const pattern = text(['a', 'b', '/', '?', '*', '**', '**/', '/**/'], 6).filter(
      (one) => isGlob(one) && one.includes('/') && !/\*{3}|\/\/|\*\*[^/]\*\*/.test(one),
    );
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 1, maxLength: 4 })
      .map((names) => names.join('/'));
    const property = fc.property(pattern, path, (one, other) => {
      assert.equal(glob(one).matches(other), expression(one).test(other));
    });
    fc.assert(property, seeded(context, 2_000));
  });
});

/** The same pattern in another notation. */
function expression(pattern: string): RegExp {
  const source = pattern
    .replace(/^\//, '')
    .replace(/(?:\*\*\/)+/g, '**/')
    .split(/(\/\*\*\/|^\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '/**/') return '/(?:.*/)?';
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part;
    })
    .join('');
  return new RegExp(`^${source}$`, 'su');
}
