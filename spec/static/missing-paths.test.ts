// Paths without a file are remembered in bounded memory, the last one the longest.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MISSING_PATHS_BYTES_MAX, MISSING_PATHS_MAX } from '../../src/base/fixed-limits.ts';
import { MissingPaths } from '../../src/static/missing-paths.ts';

const missing = { probes: [{ path: '/top/x', stat: null }], checkedMs: 0 };

it('many paths evict each other, the least recently set first', () => {
  const paths = new MissingPaths();
  for (let index = 0; index < MISSING_PATHS_MAX; index++) paths.set(`/${index}`, missing);
  assert.equal(paths.size, MISSING_PATHS_MAX);
  paths.set('/0', missing);
  paths.set('/new', missing);
  assert.equal(paths.size, MISSING_PATHS_MAX);
  assert.equal(paths.get('/1'), undefined);
  assert.equal(paths.get('/0'), missing);
  assert.equal(paths.get('/new'), missing);
});

it('long paths are bounded by their length', () => {
  const paths = new MissingPaths();
  const long = 'x'.repeat(8_000);
  for (let index = 0; index < 500; index++) {
    paths.set(`/${index}/${long}`, missing);
    assert.ok(paths.bytes <= MISSING_PATHS_BYTES_MAX, String(paths.bytes));
  }
  assert.ok(paths.size >= 60);
});

it('the lengths add up', () => {
  const paths = new MissingPaths();
  paths.set('/a', missing);
  const { bytes } = paths;
  assert.ok(bytes > 0);
  paths.set('/a', missing);
  assert.equal(paths.bytes, bytes);
  paths.set('/b', { probes: [], checkedMs: 0 });
  paths.delete('/a');
  assert.equal(paths.bytes, '/b'.length);
  paths.delete('/b');
  paths.delete('/b');
  assert.deepEqual([paths.bytes, paths.size], [0, 0]);
});
