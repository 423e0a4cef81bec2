// The file names of a path, and the names that are rejected.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isFileName, isHidden, namesIn } from '../../src/static/names.ts';

function names(path: string, from = 0): readonly string[] | null {
  const bytes = new TextEncoder().encode(`${path}/x`);
  return namesIn(bytes, from, bytes.length - 2);
}

describe('names in a path', () => {
  for (const [path, expected] of [
    ['', []],
    ['/', []],
    ['/a', ['a']],
    ['/a/', ['a']],
    ['/a/b c/é', ['a', 'b c', 'é']],
    ['/...', ['...']],
    ['/\ufeffa', ['\ufeffa']],
    ['/%2f', ['%2f']],
  ] as const) {
    it(`${JSON.stringify(path)} has the names ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(names(path), expected);
    });
  }

  for (const path of [
    '//',
    '//a',
    '/a//',
    '/a//b',
    '/\0',
    '/a\0b',
    '/a/\0',
    '/.',
    '/..',
    '/a/..',
  ]) {
    it(`${JSON.stringify(path)} has no file`, () => {
      assert.equal(names(path), null);
    });
  }

  it('begin after a mount prefix', () => {
    assert.deepEqual(names('/mnt/a/b', 4), ['a', 'b']);
    assert.deepEqual(names('/mnt', 4), []);
    assert.deepEqual(names('/mnt/', 4), []);
    assert.equal(names('/mnt//a', 4), null);
  });
});

describe('file names', () => {
  const odd = ['a\\b', '..\\a', 'a.', 'a ', 'c:', 'a:b', 'a::$DATA', 'ADMIN~1', 'a~12.txt', 'a*'];
  const devices = ['con', 'NUL', 'nul.txt', 'Com1', 'lpt9.x', 'aux ', 'com¹', 'CONIN$'];

  it('may contain all but slashes where the system allows it', () => {
    for (const name of [...odd, ...devices, ';', '...', 'a\nb', '~', '~root', '$HOME']) {
      assert.equal(isFileName(name, false), true, name);
    }
    for (const name of ['', '.', '..', 'a/b', '/', 'a\0']) {
      assert.equal(isFileName(name, false), false, name);
      assert.equal(isFileName(name, true), false, name);
    }
  });

  it('that begin with a dot are hidden, except one', () => {
    for (const name of ['.a', '.git', '..a', '...', '.well-known-2', '.well-know', '.WELL-KNOWN']) {
      assert.equal(isHidden(name), true, name);
    }
    for (const name of ['.well-known', 'a', 'a.b', 'well-known']) {
      assert.equal(isHidden(name), false, name);
    }
  });

  it('exclude those with another meaning on Windows', () => {
    for (const name of [...odd, ...devices, 'a<', 'a>', 'a|', 'a?', 'a"', 'a\nb']) {
      assert.equal(isFileName(name, true), false, name);
    }
    for (const name of [
      'a',
      'a.b',
      'a b',
      '.a',
      '...a',
      'console',
      'com',
      'com10',
      'null',
      '~',
      'é;',
    ]) {
      assert.equal(isFileName(name, true), true, name);
    }
  });
});
