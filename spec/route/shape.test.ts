// Segments with several constrained parameters: what an earlier search has left in the memory that
// all searches use must not matter, nor the length of a segment.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHOD_BYTES_MAX } from '../../src/http/method.ts';
import { Found } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import { modelSearch, routerOf, search } from './fixtures/fixture.ts';

const ROUTES = [
  'GET /:a(slug)-:b(int)',
  'GET /x/:a(slug)-:b(alpha)-:c(slug)',
  'GET /u/:a(slug)-:b(uuid)',
];
const UUID = '0e984725-c51c-4bf4-9960-e1c80e27aba0';
const PATHS = [
  '/x-y-',
  '/x-y-1',
  '/-1',
  '/a-b-c-d-1-2-3',
  '/x/a-b-c',
  '/x/a-b-',
  '/x/a--b-c',
  '/x/a-1-b-2-c',
  '/x/a-1-b-',
  `/u/a-${UUID}`,
  `/u/a-${UUID}-`,
  `/u/a-b-${UUID}`,
  `/u/a-${UUID.slice(0, -1)}`,
];

/** Leaves ends at many places of the memory. */
const LONG = [
  `/${'a-'.repeat(40)}1`,
  `/x/${'a-'.repeat(100)}b-c`,
  `/${'a'.repeat(120)}-${'1'.repeat(120)}`,
];

test('a search finds what it finds alone, whatever was searched before', () => {
  const router = routerOf(ROUTES);
  for (const before of LONG) {
    for (const path of PATHS) {
      assert.equal(search(router, 'GET', before).found, Found.Yes, before);
      assert.deepEqual(search(router, 'GET', path), modelSearch(ROUTES, 'GET', path), path);
    }
  }
});

test('a segment of any length is searched, also the first one of a length', () => {
  const router = routerOf(ROUTES);
  for (let bytes = 100; bytes < 4_000; bytes += 97) {
    const head = 'ab-'.repeat(Math.floor(bytes / 3));
    for (const path of [`/${head}x-7`, `/x/${head}x-y`, `/u/${head}${UUID}`]) {
      assert.equal(search(router, 'GET', path).found, Found.Yes, `${path.length} bytes`);
      const longer = `${path}!`;
      assert.equal(search(router, 'GET', longer).found, Found.No, `${longer.length} bytes`);
    }
  }
});

test('a method may be as long as its limit', () => {
  const router = new Router<string>();
  router.add('M'.repeat(METHOD_BYTES_MAX), '/', 'route');
  assert.throws(() => router.add('M'.repeat(METHOD_BYTES_MAX + 1), '/', 'route'), /at most 32/);
});
