// The arguments of npm test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRunArguments, RUN_USAGE } from './run-arguments.ts';

const NOTHING = { words: [], drivers: '', coverage: true, all: false, forNode: [], help: false };

test('without arguments everything runs, with coverage', () => {
  assert.deepEqual(parseRunArguments([]), NOTHING);
});

test('words select files, options of node are passed on', () => {
  assert.deepEqual(parseRunArguments(['router', '--test-name-pattern=x y', 'http/']), {
    ...NOTHING,
    words: ['router', 'http/'],
    forNode: ['--test-name-pattern=x y'],
  });
});

test('drivers and coverage', () => {
  assert.deepEqual(parseRunArguments(['--drivers', 'net', '--no-coverage']), {
    ...NOTHING,
    drivers: 'net',
    coverage: false,
  });
});

test('--all runs every part of the slow tests', () => {
  assert.deepEqual(parseRunArguments(['--all']), { ...NOTHING, all: true });
});

test('--help prints every option', () => {
  for (const help of ['--help', '-h']) {
    assert.deepEqual(parseRunArguments([help]), { ...NOTHING, help: true });
  }
  for (const name of ['--all', '--drivers', '--no-coverage', '--test-']) {
    assert.ok(RUN_USAGE.includes(name));
  }
});

test('unknown options are errors', () => {
  assert.match(
    String(parseRunArguments(['--driver'])),
    /^unknown option --driver \(did you mean --drivers\?\)$/,
  );
  assert.match(String(parseRunArguments(['--drivers'])), /needs names/);
});
