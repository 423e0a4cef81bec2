// Signals of a real server: SIGHUP of a terminal that closes, and SIGUSR1.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../testing/with-server.ts';
import { isAlive } from '../behaviour/fixtures/workers.ts';
import { LINUX_ONLY, ServiceProcess } from '../cluster/fixtures/service-process.ts';
import { BOUND, childrenOf, fresh, site } from '../cluster/fixtures/service-site.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
/** Runs a command in a terminal of its own, which closes when it ends. */
const SCRIPT = 'script';

const hasScript = spawnSync(SCRIPT, ['--version']).status === 0;

test('a server ends when its terminal closes', {
  ...BOUND,
  skip: hasScript ? false : 'there is no script(1) here',
}, async () => {
  const path = fresh('pid');
  const command = `"${process.execPath}" "${MAIN}" serve "${site}" --port 0 --pid-file "${path}"`;
  const terminal = spawn(SCRIPT, ['-qec', command, '/dev/null'], { stdio: 'ignore' });
  await eventually('it listens', () => existsSync(path));
  const pid = Number(readFileSync(path, 'utf8'));
  terminal.kill('SIGKILL');
  await eventually('it has ended', () => !isAlive(pid));
  assert.equal(existsSync(path), false);
});

test('SIGUSR1 does not open the inspector', { ...BOUND, ...LINUX_ONLY }, async () => {
  const service = new ServiceProcess([site, '--port', '0', '--supervise']);
  await service.listening();
  const [worker] = childrenOf(service.pid);
  for (const pid of [service.pid, worker]) process.kill(pid, 'SIGUSR1');
  await eventually('the signal is reported', () => service.err.includes('SIGUSR1'));
  assert.equal(await service.stop(), 0);
  const lines = service.problems.split('\n').filter((line) => line.includes('SIGUSR1'));
  assert.deepEqual(lines, ['vibing: SIGUSR1 has no effect: there are no log files to reopen']);
});
