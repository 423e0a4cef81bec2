// The real command with worker processes: signals, replacement, and that no worker outlives it.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { slowTests } from '../../testing/slow-tests.ts';
import { eventually } from '../../testing/with-server.ts';
import { isAlive } from '../behaviour/fixtures/workers.ts';

const slowTest = slowTests();

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const linuxOnly = process.platform === 'linux' ? false : 'it reads /proc';
const BOUND = { timeout: 90_000, skip: linuxOnly };
const SITE = mkdtempSync(join(tmpdir(), 'vibing-site-'));
const CONFIG = join(SITE, 'config.json');
writeFileSync(join(SITE, 'hello.txt'), 'hello\n');
/** More than all buffers between server and client. */
writeFileSync(join(SITE, 'large.bin'), Buffer.alloc(32 * 1024 * 1024));

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(SITE, { recursive: true });
});

class Command {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(...args: string[]) {
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('VIBING_'));
    this.child = spawn(process.execPath, [MAIN, 'serve', SITE, '--port', '0', ...args], {
      env: Object.fromEntries(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(this.child);
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.ended = once(this.child, 'close').then(([code]) => code);
  }

  async address(): Promise<string> {
    const found = () => /listening on (\S+)/.exec(this.out)?.[1];
    await eventually('it listens', () => found() !== undefined || this.child.exitCode !== null);
    return found() ?? assert.fail(this.err);
  }

  workers(): number[] {
    const { pid } = this.child;
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  }
}

function config(values: object): void {
  writeFileSync(CONFIG, JSON.stringify(values));
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}

/** A worker that was replaced may accept a last client. */
async function becomes(url: string, status: number): Promise<void> {
  let last = 0;
  while (last !== status) last = await statusOf(url);
}

slowTest(
  'SIGHUP reads the configuration again, and a wrong one changes nothing',
  BOUND,
  async () => {
    config({ workers: 2 });
    const command = new Command('--config', CONFIG);
    const address = await command.address();
    assert.equal(await statusOf(`${address}/`), 404);
    config({ workers: 3, listing: true, backlog: 100 });
    command.child.kill('SIGHUP');
    await eventually('it has reloaded', () =>
      command.err.includes('reloaded: 2 new workers serve'),
    );
    await becomes(`${address}/`, 200);
    assert.equal(
      command.err.match(/vibing warn: workers: a reload cannot change it, restart/g)?.length,
      1,
    );
    assert.equal(
      command.err.match(/vibing warn: backlog: a reload cannot change it, restart/g)?.length,
      1,
    );
    config({ wrokers: 2 });
    command.child.kill('SIGHUP');
    await eventually('the reload fails', () => command.err.includes('reload failed'));
    assert.match(command.err, /wrokers: .*did you mean/);
    assert.match(command.err, /vibing: reload failed, workers .* keep serving: .*exit code 2/);
    assert.equal(await statusOf(`${address}/`), 200);
    command.child.kill('SIGTERM');
    assert.equal(await command.ended, 0, command.err);
  },
);

slowTest(
  'a worker that dies is replaced with the configuration that was last accepted',
  BOUND,
  async () => {
    config({ supervise: true, listing: true });
    const command = new Command('--config', CONFIG);
    const address = await command.address();
    const dies = async () => {
      const [worker] = command.workers();
      process.kill(worker, 'SIGKILL');
      await eventually('it has exited', () => !isAlive(worker));
    };
    config({ wrokers: 1 });
    await dies();
    assert.equal(await statusOf(`${address}/`), 200, 'a wrong file is not read');
    config({ listing: false });
    await dies();
    assert.equal(await statusOf(`${address}/`), 200, 'only a reload reads a valid one');
    command.child.kill('SIGHUP');
    await eventually('it has reloaded', () =>
      command.err.includes('reloaded: 1 new worker serves'),
    );
    await becomes(`${address}/`, 404);
    rmSync(CONFIG);
    await dies();
    assert.equal(await statusOf(`${address}/`), 404, 'the configuration of the reload is used');
    command.child.kill('SIGTERM');
    assert.equal(await command.ended, 0, command.err);
  },
);

slowTest('workers have a young generation that suits a server', BOUND, async () => {
  const command = new Command('--workers', '2');
  await command.address();
  for (const pid of command.workers()) {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    assert.ok(words.includes('--min-semi-space-size=10'), words.join(' '));
  }
  command.child.kill('SIGTERM');
  assert.equal(await command.ended, 0, command.err);
});

slowTest('a single worker under supervision is restarted and reloaded', BOUND, async () => {
  const command = new Command('--supervise');
  const address = await command.address();
  assert.match(command.out, /1 worker\)/);
  const [first] = command.workers();
  process.kill(first, 'SIGKILL');
  await eventually('it has exited', () => !isAlive(first));
  assert.equal(await statusOf(`${address}/hello.txt`), 200);
  command.child.kill('SIGHUP');
  await eventually('it has reloaded', () => command.err.includes('reloaded: 1 new worker serves'));
  assert.equal(await statusOf(`${address}/hello.txt`), 200);
  command.child.kill('SIGINT');
  assert.equal(await command.ended, 0, command.err);
});

slowTest(
  'SIGHUP without supervision is one line, and the server keeps serving',
  BOUND,
  async () => {
    const command = new Command();
    const address = await command.address();
    command.child.kill('SIGHUP');
    await eventually('it says so', () => command.err.includes('SIGHUP'));
    assert.match(command.err, /^vibing: SIGHUP has no effect: [^\n]*--supervise\n$/m);
    assert.equal(await statusOf(`${address}/hello.txt`), 200);
    command.child.kill('SIGTERM');
    assert.equal(await command.ended, 0);
  },
);

slowTest('SIGTERM while a new worker starts ends that too', BOUND, async () => {
  // Longer than the timeout of this test: nothing may wait for it.
  const command = new Command('--workers', '2', '--shutdown-timeout-ms', '600000');
  await command.address();
  command.child.kill('SIGHUP');
  await eventually('a new worker starts', () => command.workers().length > 2);
  command.child.kill('SIGTERM');
  assert.equal(await command.ended, 0);
});

slowTest('a second signal ends it at once, and the workers with it', BOUND, async () => {
  const command = new Command('--workers', '2');
  const { port } = new URL(await command.address());
  const workers = command.workers();
  assert.equal(workers.length, 2);
  // The client reads nothing, so its worker cannot finish.
  const client = createConnection(Number(port), '127.0.0.1').pause();
  client.on('error', () => {});
  client.write('GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(client, 'readable');
  command.child.kill('SIGTERM');
  await eventually('the other one has exited', () => workers.filter(isAlive).length === 1);
  assert.equal(command.child.exitCode, null, 'it waits for the busy one');
  command.child.kill('SIGINT');
  assert.equal(await command.ended, 130);
  await eventually('no worker is left', () => !workers.some(isAlive));
  client.destroy();
});
