// The two generations of missing paths: what is set again does not count twice, and what is deleted
// is gone from both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MISSING_PATHS_BYTES_MAX, MISSING_PATHS_MAX } from '../../src/base/fixed-limits.ts';
import { type MissingPath, MissingPaths } from '../../src/static/missing-paths.ts';

const HALF = MISSING_PATHS_MAX / 2;

function missing(bytes = 1): MissingPath {
  return { probes: [{ path: 'p'.repeat(bytes), stat: null }], checkedMs: 0 };
}

function filled(count: number): MissingPaths {
  const paths = new MissingPaths();
  for (let index = 0; index < count; index++) paths.set(`${index}`, missing());
  return paths;
}

test('half of the paths are in each generation, and the older half is dropped', () => {
  const paths = filled(HALF);
  assert.equal(paths.size, HALF);
  // A path that is known makes no new generation.
  for (let round = 0; round < 3; round++) paths.set('0', missing());
  assert.equal(paths.size, HALF);
  paths.set('new', missing());
  assert.equal(paths.size, HALF + 1);
  assert.ok(paths.get('0') !== undefined);
  for (let index = 1; index < HALF; index++) paths.set(`new ${index}`, missing());
  assert.equal(paths.size, MISSING_PATHS_MAX);
  paths.set('newest', missing());
  assert.equal(paths.size, HALF + 1);
  assert.equal(paths.get('0'), undefined);
});

test('a path that is deleted is gone, whatever its generation', () => {
  const paths = filled(HALF);
  paths.set('young', missing());
  paths.set('0', missing());
  for (const path of ['0', '1', 'young']) {
    assert.ok(paths.get(path) !== undefined, path);
    paths.delete(path);
    assert.equal(paths.get(path), undefined, path);
  }
});

test('bytes of a path that is set again, or deleted, count once', () => {
  const paths = new MissingPaths();
  const bytes = MISSING_PATHS_BYTES_MAX / 8;
  paths.set('kept', missing());
  for (let round = 0; round < 40; round++) paths.set('long', missing(bytes));
  for (let round = 0; round < 40; round++) {
    paths.set('other', missing(bytes));
    paths.delete('other');
  }
  assert.ok(paths.get('kept') !== undefined, 'nothing was dropped');
  const others = new MissingPaths();
  others.set('kept', missing());
  // Were they counted again, the second round would drop what is in the older generation.
  for (let round = 0; round < 80; round++) {
    for (let time = 0; time < 3; time++) others.set('long', missing(bytes));
    others.set('other', missing(bytes));
    others.delete('other');
  }
  assert.ok(others.get('kept') !== undefined, 'nothing was dropped, however often it is set');
  for (let round = 0; round < 40; round++) paths.set(`long ${round}`, missing(bytes));
  assert.ok(paths.size <= 10, `${paths.size} paths`);
});
