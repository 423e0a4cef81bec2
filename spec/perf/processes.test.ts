// The scripts that measure, as processes: they tell what they take, refuse the rest, and the paced
// load counts what it asked for. No figure of speed is looked at.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { perfScript, startServer } from '../../perf/child.ts';
import { epollProblem } from '../../src/driver/epoll.ts';

const SCRIPTS = [
  'peers',
  'quiet',
  'idle-connections',
  'slow-clients',
  'soak',
  'reload',
  'breakdown',
  'flame',
  'clinic',
];
const TIMEOUT_MS = 60_000;

describe('scripts that measure', { timeout: 4 * TIMEOUT_MS }, () => {
  for (const script of SCRIPTS) {
    it(`${script} helps, and refuses wrong arguments`, () => {
      const help = run(script, '--help');
      assert.equal(help.status, 0, help.stderr);
      assert.match(help.stdout, /^usage: npm run \w+:\w+ -- /);
      const wrong = run(script, '--fast');
      assert.equal(wrong.status, 2);
      assert.match(wrong.stderr, /--fast[\s\S]*usage: /);
    });
  }
});

describe('the paced load', { timeout: TIMEOUT_MS, skip: epollProblem() ?? false }, () => {
  it('asks as often as it was told, and every request is answered', async () => {
    const server = await startServer('servers/vibing.ts', { args: ['--driver', 'net'] });
    const args = [`--port=${server.port}`, '--connections=8', '--rate=50', '--seconds=1'];
    const { stdout, stderr, status } = run('paced-load', ...args);
    await server.stop();
    assert.equal(status, 0, stderr);
    const { sent, answered, errors, unanswered } = JSON.parse(stdout);
    assert.deepEqual([sent, answered, errors, unanswered], [50, 50, 0, 0]);
  });

  it('refuses wrong arguments', () => {
    const { status, stderr } = run('paced-load', '--port', '0');
    assert.equal(status, 2);
    assert.match(stderr, /^--port takes a whole number/);
  });
});

function run(script: string, ...args: string[]) {
  const command = [perfScript(`${script}.ts`), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', timeout: TIMEOUT_MS });
}
