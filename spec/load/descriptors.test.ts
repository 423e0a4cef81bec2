// Descriptors that are too few for the connections asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorsMax, maxFrom } from '../../src/driver/linux/descriptors.ts';
import { descriptorProblem } from '../../src/load/run-load.ts';

test('the limit is taken from the text of the system', () => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max processes             7                    7                    processes \n' +
    'Max open files            1024                 4096                 files     \n';
  assert.equal(maxFrom(text), 1_024);
  assert.equal(maxFrom(text.replace('1024', 'unlimited')), Number.POSITIVE_INFINITY);
  assert.equal(maxFrom(''), Number.POSITIVE_INFINITY);
  assert.ok(descriptorsMax() >= 20);
});

test('connections that do not fit are told, with how many would', () => {
  assert.equal(descriptorProblem(960, 1_024), '');
  assert.match(
    descriptorProblem(961, 1_024),
    /^961 connections need 1025 .* may have 1024: ulimit -n 1025 .* 960 connections at most$/,
  );
  assert.equal(descriptorProblem(50_000, Number.POSITIVE_INFINITY), '');
});
