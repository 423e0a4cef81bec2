// The limit of descriptors, and the problem when it is too low for a load.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorsMax, maxFrom } from '../../src/driver/linux/descriptors.ts';
import { descriptorProblem } from '../../src/load/run-load.ts';

test('the limit is read from the text of the kernel', () => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max processes             7                    7                    processes \n' +
    'Max open files            1024                 4096                 files     \n';
  assert.equal(maxFrom(text), 1_024);
  assert.equal(maxFrom(text.replace('1024', 'unlimited')), Number.POSITIVE_INFINITY);
  assert.equal(maxFrom(''), Number.POSITIVE_INFINITY);
  assert.ok(descriptorsMax() >= 20);
});

test('the problem names the number of connections that fit', () => {
  assert.equal(descriptorProblem(960, 1_024), '');
  assert.match(
    descriptorProblem(961, 1_024),
    /^961 connections need 1025 .* may have 1024: .*ulimit -n 1025 .* at most 960 connections$/,
  );
  assert.equal(descriptorProblem(50_000, Number.POSITIVE_INFINITY), '');
});
