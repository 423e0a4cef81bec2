// Paths without a file are remembered in bounded memory, the last ones the longest.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MISSING_PATHS_BYTES_MAX, MISSING_PATHS_MAX } from '../../src/base/fixed-limits.ts';
import { MissingPaths } from '../../src/static/missing-paths.ts';

const missing = { probes: [{ path: '/x', stat: null }], checkedMs: 0 };
const HALF = MISSING_PATHS_MAX / 2;

it('many paths evict each other; at least half of the bound are the last ones', () => {
  const paths = new MissingPaths();
  for (let index = 0; index < 5 * MISSING_PATHS_MAX; index++) {
    paths.set(`/${index}`, missing);
    assert.ok(paths.size <= MISSING_PATHS_MAX);
    for (const back of [0, 1, HALF - 1]) {
      if (index >= back) assert.equal(paths.get(`/${index - back}`), missing);
    }
  }
  assert.equal(paths.get('/0'), undefined);
});

it('long paths are bounded by their length', () => {
  const paths = new MissingPaths();
  const long = 'x'.repeat(8_000);
  for (let index = 0; index < 500; index++) {
    paths.set(`/${index}/${long}`, missing);
    assert.ok(paths.size * long.length <= MISSING_PATHS_BYTES_MAX, String(paths.size));
  }
  assert.ok(paths.size >= 30);
  assert.equal(paths.get(`/499/${long}`), missing);
});

it('a path that is set again or deleted counts once', () => {
  const paths = new MissingPaths();
  for (let round = 0; round < 3 * MISSING_PATHS_MAX; round++) paths.set('/a', missing);
  assert.equal(paths.size, 1);
  for (let round = 0; round < 3 * MISSING_PATHS_MAX; round++) {
    paths.set('/b', missing);
    paths.delete('/b');
  }
  assert.equal(paths.get('/a'), missing);
  paths.delete('/a');
  paths.delete('/a');
  assert.equal(paths.size, 0);
});
