// Ctrl-C in long searches: they report what was done, and how to continue.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';

leaveOutOfCoverage();

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a script, and sends SIGINT as soon as it has printed its seed. */
function interrupted(script: string, ...given: readonly string[]): Promise<Ended> {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...given], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  let isAsked = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (isAsked || !/^seeds? \d+.*\n/.test(out)) return;
    isAsked = true;
    child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out }));
  });
}

describe('Ctrl-C', { timeout: 120_000 }, () => {
  it('in npm run fuzz', async () => {
    const args = ['--seconds', '600', '--seed', '3', '--target', 'chunked,target'];
    const { code, out } = await interrupted('fuzz/commands/fuzz.js', ...args);
    assert.equal(code, 130, out);
    assert.match(out, /^seed 3, 600 s, chunked, target\nchunked: [\d,]+ executions in .*seed 3\n/);
    assert.match(out, /\nINTERRUPTED in chunked, 1 of 2; nothing was found\n/);
    assert.match(out, /\ncontinue with: npm run fuzz -- --target chunked,target --seconds 600\n$/);
  });

  it('in npm run sim', async () => {
    const { code, out } = await interrupted(
      'harness/commands/sim.js',
      '--seed',
      '5',
      '--seeds',
      '100000',
    );
    assert.equal(code, 130, out);
    const [, runs = '', left = ''] =
      /\n(\d+) runs, .*\n.*\nINTERRUPTED, (\d+) runs are left\n/.exec(out) ?? [];
    assert.equal(Number(runs) + Number(left), 100_000, out);
    const next = 5 + Number(runs);
    assert.ok(
      out.endsWith(`\ncontinue with: npm run sim -- --seed ${next} --seeds ${left}\n`),
      out,
    );
  });

  it('in npm run model', async () => {
    const { code, out } = await interrupted('spec/model/search.js', '--seed', '9');
    assert.equal(code, 130, out);
    assert.match(out, /\n\d+ streams, no disagreement\n/);
    assert.match(out, /\ncontinue with: npm run model -- --seed \d+ --seconds \d+\n$/);
  });
});
