// Paths: decoding, empty segments, dot segments, encoded slashes, and invalid paths.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/http/fault.ts';
import { pathString, routePath, segmentString } from '../../src/http/target.ts';
import { bytesOf, mutated, seeded } from '../../testing/splits.ts';

/** The decoded path with NUL for an encoded slash, or the Fault. Its output has the exact size. */
function route(path: string): string | number {
  const bytes = bytesOf(`/?${path}/..%`);
  const out = new Uint8Array(Math.max(1, path.length)).fill(0x2e);
  const length = routePath(bytes, 2, 2 + path.length, out);
  return length < 0 ? length : Buffer.from(out.subarray(0, length)).toString();
}

function pathOf(path: string): string {
  const bytes = bytesOf(path);
  const out = new Uint8Array(path.length + 1);
  const length = routePath(bytes, 0, bytes.length, out);
  assert.ok(length > 0, path);
  return pathString(out, length);
}

describe('routePath', () => {
  const good: [string, string][] = [
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['///', '/'],
    ['//a', '/a'],
    ['///a', '/a'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a//', '/a/'],
    ['/a///', '/a/'],
    ['/a//b', '/a/b'],
    ['/a////b//c//', '/a/b/c/'],
    ['//%61//b', '/a/b'],
    ['/%41%7e', '/A~'],
    ['/%2F', '/\0'],
    ['/a%2fb/c', '/a\0b/c'],
    ['/%25%32%66', '/%2f'],
    ['/%C3%A9', '/é'],
    ['/%e2%82%ac/%F0%9F%98%80', '/€/😀'],
    ['/%0d%0a', '/\r\n'],
    ['/.', '/'],
    ['/..', '/'],
    ['/./', '/'],
    ['/../', '/'],
    ['/...', '/...'],
    ['/.a', '/.a'],
    ['/a.', '/a.'],
    ['/..a', '/..a'],
    ['/a/.', '/a/'],
    ['/a/..', '/'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/../', '/a/'],
    ['/a/b/../..', '/'],
    ['/../../a', '/a'],
    ['/a/../../../b', '/b'],
    ['/a//../b', '/b'],
    ['/a//..', '/'],
    ['/a/b//..//', '/a/'],
    ['/a/b//%2e%2e//c', '/a/c'],
    ['//..', '/'],
    ['//../..//a', '/a'],
    ['/..//a', '/a'],
    ['/x//..//a/b', '/a/b'],
    ['/a/.//b', '/a/b'],
    ['/a//./b', '/a/b'],
    ['/a//.', '/a/'],
    ['/.//', '/'],
    ['/%2f/', '/\0/'],
    ['//%2f//a', '/\0/a'],
    ['/a/%2f%2f/b', '/a/\0\0/b'],
    ['/a//%2f..', '/a/\0..'],
    ['/a/b/c/./../../g', '/a/g'],
    ['/%2e', '/'],
    ['/%2E%2e', '/'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/%2e./b', '/b'],
    ['/a%2f../b', '/a\0../b'],
    ['/a/%2f..', '/a/\0..'],
    ['/a/..%2f', '/a/..\0'],
    ['/%252e%252e/a', '/%2e%2e/a'],
    ['/a\\..\\b', '/a\\..\\b'],
  ];
  for (const [path, expected] of good) {
    it(`returns ${JSON.stringify(expected)} for ${path}`, () =>
      assert.equal(route(path), expected));
  }

  const bad = [
    'a',
    '%2fa',
    '?',
    '/%',
    '/%4',
    '/%4/',
    '/%g0',
    '/%0g',
    '/%%41',
    '/%00',
    '/a/%00/b',
    '/a\0',
    '/%80',
    '/%c3',
    '/%c3/%a9',
    '/%c3%2f',
    '/%c3a',
    '/%c0%af',
    '/%c1%bf',
    '/%e0%9f%bf',
    '/%ed%a0%80',
    '/%f0%8f%bf%bf',
    '/%f4%90%80%80',
    '/%f5%80%80%80',
    '/%ff',
    '/%e2%82',
    '/%ff/../a',
    '/\xe9',
  ];
  for (const path of bad) {
    it(`rejects ${JSON.stringify(path)}`, () => assert.equal(route(path), Fault.BadTarget));
  }
});

describe('pathString and segmentString', () => {
  const cases: [string, string][] = [
    ['', '/'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%2f..%2fb', '/a%2F..%2Fb'],
    ['/a%2f..', '/a%2F..'],
    ['/a%2f.', '/a%2F.'],
    ['/a%2f./..', '/'],
    ['/%2f..%2f..%2fetc/passwd', '/%2F..%2F..%2Fetc/passwd'],
    ['/..%2f..%2fetc', '/..%2F..%2Fetc'],
    ['/a/..%2f', '/a/..%2F'],
    ['/x/..%2fadmin', '/x/..%2Fadmin'],
    ['/%2f', '/%2F'],
    ['//%2f//a', '/%2F/a'],
    ['/a/%2f../b', '/a/%2F../b'],
    ['/a/%2f/../b', '/a/b'],
    ['/%C3%A9', '/é'],
    ['/%EF%BB%BFa', '/\ufeffa'],
    ['/%252f..', '/%2f..'],
    ['/%25%32%46/..', '/'],
    ['/%25252f', '/%252f'],
    ['/a%5c..%5Cb', '/a\\..\\b'],
    ['/..;/a', '/..;/a'],
    ['/a./..a/b..', '/a./..a/b..'],
  ];
  for (const [path, expected] of cases) {
    it(`returns ${expected} for ${path}`, () => assert.equal(pathOf(path), expected));
  }

  it('segments have encoded slashes as slashes', () => {
    const bytes = bytesOf('/x/a%2F%C3%A9');
    const out = new Uint8Array(20);
    const length = routePath(bytes, 0, bytes.length, out);
    assert.equal(segmentString(out, 3, length), 'a/é');
    assert.equal(segmentString(out, 1, 2), 'x');
    assert.equal(segmentString(out, 3, 3), '');
  });
});

describe('target: properties', () => {
  const part = fc.constantFrom('/', '.', '..', '%2e', '%2F', 'a', '%C3%A9', '%', '\\', 'b.c');
  const path = fc.array(part, { maxLength: 14 }).map((parts) => `/${parts.join('')}`);

  it('no path has a dot segment or an empty one, or is longer than its target', (context) => {
    const property = fc.property(mutated(path), (text) => {
      const bytes = bytesOf(text);
      const out = new Uint8Array(Math.max(1, bytes.length));
      const length = routePath(bytes, 0, bytes.length, out);
      if (length === Fault.BadTarget) return;
      assert.ok(length >= 1 && length <= Math.max(1, bytes.length));
      const routed = Buffer.from(out.subarray(0, length)).toString();
      assert.ok(!routed.includes('\ufffd') || text.toLowerCase().includes('%ef%bf%bd'));
      assert.equal(routed[0], '/');
      assert.ok(!routed.split('/').some((segment) => segment === '.' || segment === '..'));
      assert.ok(!routed.includes('//'));
      const shown = pathString(out, length);
      assert.ok(!shown.includes('\0'));
      assert.deepEqual(
        shown.split('/'),
        routed.split('/').map((segment) => segment.replaceAll('\0', '%2F')),
        'it has the segments of routePath()',
      );
    });
    fc.assert(property, seeded(context, 5_000));
  });

  it('agrees with decodeURIComponent() and RFC 3986', (context) => {
    const property = fc.property(path, (text) => {
      let segments: string[] | null;
      try {
        segments = text
          .split('/')
          .map((segment) => decodeURIComponent(segment).replaceAll('/', '\0'));
      } catch {
        segments = null;
      }
      assert.equal(
        route(text),
        segments === null ? Fault.BadTarget : removeDots(segments.join('/').replace(/\/+/g, '/')),
      );
    });
    fc.assert(property, seeded(context, 5_000));
  });
});

/** RFC 3986 5.2.4, step by step. */
function removeDots(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./')) input = input.slice(2);
    else if (input === '/.') input = '/';
    else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else {
      const end = input.indexOf('/', 1);
      const first = end < 0 ? input : input.slice(0, end);
      output += first;
      input = input.slice(first.length);
    }
  }
  return output;
}

describe('UTF-8 in a path', () => {
  const escaped = (bytes: readonly number[]): string =>
    bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

  it('is accepted up to the limits of RFC 3629', () => {
    for (const bytes of [
      [0x7f],
      [0xc2, 0x80],
      [0xdf, 0xbf],
      [0xe0, 0xa0, 0x80],
      [0xe0, 0xbf, 0xbf],
      [0xe1, 0x80, 0x80],
      [0xec, 0xbf, 0xbf],
      [0xed, 0x80, 0x80],
      [0xed, 0x9f, 0xbf],
      [0xee, 0x80, 0x80],
      [0xef, 0xbf, 0xbf],
      [0xf0, 0x90, 0x80, 0x80],
      [0xf0, 0xbf, 0xbf, 0xbf],
      [0xf1, 0x80, 0x80, 0x80],
      [0xf3, 0xbf, 0xbf, 0xbf],
      [0xf4, 0x80, 0x80, 0x80],
      [0xf4, 0x8f, 0xbf, 0xbf],
    ]) {
      const text = Buffer.from(bytes).toString();
      for (const [before, after] of [
        ['/', ''],
        ['/a', '/b'],
        ['/x/', 'c'],
      ] as const) {
        assert.equal(route(before + escaped(bytes) + after), before + text + after, `${bytes}`);
      }
    }
  });

  it('is rejected beyond them, and when it is truncated', () => {
    for (const bytes of [
      [0x80],
      [0xbf],
      [0xc0, 0x80],
      [0xc1, 0xbf],
      [0xc2],
      [0xc2, 0x7f],
      [0xc2, 0xc0],
      [0xe0, 0x9f, 0xbf],
      [0xe0, 0x80, 0x80],
      [0xe2, 0x82],
      [0xe2, 0x82, 0x41],
      [0xed, 0xa0, 0x80],
      [0xed, 0xbf, 0xbf],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xf0, 0x9f, 0x98],
      [0xf0, 0x9f, 0x98, 0x41],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xff],
    ]) {
      for (const [before, after] of [
        ['/', ''],
        ['/a', '/b'],
        ['/x/', 'c'],
      ] as const) {
        assert.equal(route(before + escaped(bytes) + after), Fault.BadTarget, `${bytes}`);
      }
    }
  });
});
