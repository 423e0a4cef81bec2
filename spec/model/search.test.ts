// The long search, for a second: its arguments and its output.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';

leaveOutOfCoverage();

const SCRIPT = fileURLToPath(new URL('search.js', import.meta.url));

function run(...given: string[]): { status: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...given], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, out: stdout, error: stderr };
}

it('finds no disagreement in a second', () => {
  const { status, out, error } = run('--seconds', '1', '--seed', '7');
  assert.equal(status, 0, error);
  assert.match(out, /^seed 7, 1 s; llhttp/);
  assert.match(out, /\d+ streams, no disagreement/);
  assert.match(out, /differences from llhttp\n {2}[\w-]+ \d+\n/);
});

it('prints its usage, and rejects invalid arguments', () => {
  assert.match(run('--help').out, /usage: npm run model/);
  const wrong = run('--seconds', 'x');
  assert.equal(wrong.status, 2);
  assert.match(wrong.error, /^--seconds takes a whole number/);
});
