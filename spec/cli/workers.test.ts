// The real command with worker processes: what signals do to it, and that it leaves nobody behind.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../testing/with-server.ts';
import { isAlive } from '../behaviour/fixtures/workers.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const linuxOnly = process.platform === 'linux' ? false : 'it reads /proc';
const BOUND = { timeout: 90_000, skip: linuxOnly };
const SITE = mkdtempSync(join(tmpdir(), 'vibing-site-'));
const CONFIG = join(SITE, 'config.json');
writeFileSync(join(SITE, 'hello.txt'), 'hello\n');
/** More than all buffers between here and there. */
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

test(
  'SIGHUP reads the configuration anew, and a wrong one leaves all as it was',
  BOUND,
  async () => {
    config({ workers: 2 });
    const command = new Command('--config', CONFIG);
    const address = await command.address();
    assert.equal(await statusOf(`${address}/`), 404);
    config({ workers: 3, listing: true, backlog: 100 });
    command.child.kill('SIGHUP');
    await eventually('it reloaded', () => command.err.includes('reloaded: 2 fresh workers serve'));
    assert.equal(await statusOf(`${address}/`), 200);
    assert.equal(command.err.match(/vibing warn: workers: a restart is needed\n/g)?.length, 1);
    assert.equal(command.err.match(/vibing warn: backlog: a restart is needed\n/g)?.length, 1);
    config({ wrokers: 2 });
    command.child.kill('SIGHUP');
    await eventually('it did not', () => command.err.includes('reload stopped'));
    assert.match(command.err, /wrokers: .*did you mean/);
    assert.match(command.err, /vibing: reload stopped, the workers of before go on: .*exit code 2/);
    assert.equal(await statusOf(`${address}/`), 200);
    command.child.kill('SIGTERM');
    assert.equal(await command.ended, 0, command.err);
  },
);

test(
  'a worker that dies is replaced with the configuration that was last accepted',
  BOUND,
  async () => {
    config({ supervise: true, listing: true });
    const command = new Command('--config', CONFIG);
    const address = await command.address();
    const dies = async () => {
      const [worker] = command.workers();
      process.kill(worker, 'SIGKILL');
      await eventually('it is gone', () => !isAlive(worker));
    };
    config({ wrokers: 1 });
    await dies();
    assert.equal(await statusOf(`${address}/`), 200, 'a wrong file is not read');
    config({ listing: false });
    await dies();
    assert.equal(await statusOf(`${address}/`), 200, 'a right one is read by a reload only');
    command.child.kill('SIGHUP');
    await eventually('it reloaded', () => command.err.includes('reloaded: 1 fresh worker serves'));
    assert.equal(await statusOf(`${address}/`), 404);
    rmSync(CONFIG);
    await dies();
    assert.equal(await statusOf(`${address}/`), 404, 'what the reload has read counts');
    command.child.kill('SIGTERM');
    assert.equal(await command.ended, 0, command.err);
  },
);

test('workers have a young generation that suits a server', BOUND, async () => {
  const command = new Command('--workers', '2');
  await command.address();
  for (const pid of command.workers()) {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    assert.ok(words.includes('--min-semi-space-size=16'), words.join(' '));
  }
  command.child.kill('SIGTERM');
  assert.equal(await command.ended, 0, command.err);
});

test('a single worker under supervision is restarted and reloaded', BOUND, async () => {
  const command = new Command('--supervise');
  const address = await command.address();
  assert.match(command.out, /1 worker\)/);
  const [first] = command.workers();
  process.kill(first, 'SIGKILL');
  await eventually('it is gone', () => !isAlive(first));
  assert.equal(await statusOf(`${address}/hello.txt`), 200);
  command.child.kill('SIGHUP');
  await eventually('it reloaded', () => command.err.includes('reloaded: 1 fresh worker serves'));
  assert.equal(await statusOf(`${address}/hello.txt`), 200);
  command.child.kill('SIGINT');
  assert.equal(await command.ended, 0, command.err);
});

test('SIGHUP without supervision is one line, and it serves on', BOUND, async () => {
  const command = new Command();
  const address = await command.address();
  command.child.kill('SIGHUP');
  await eventually('it says so', () => command.err !== '');
  assert.match(command.err, /^vibing: SIGHUP does nothing here: [^\n]*--supervise\n$/);
  assert.equal(await statusOf(`${address}/hello.txt`), 200);
  command.child.kill('SIGTERM');
  assert.equal(await command.ended, 0);
});

test('SIGTERM while a fresh worker starts ends it too', BOUND, async () => {
  // Far beyond the bound of this test: nobody may wait for it.
  const command = new Command('--workers', '2', '--shutdown-timeout-ms', '600000');
  await command.address();
  command.child.kill('SIGHUP');
  await eventually('a fresh worker starts', () => command.workers().length > 2);
  command.child.kill('SIGTERM');
  assert.equal(await command.ended, 0);
});

test('a second signal ends it at once, and the workers with it', BOUND, async () => {
  const command = new Command('--workers', '2');
  const { port } = new URL(await command.address());
  const workers = command.workers();
  assert.equal(workers.length, 2);
  // It reads nothing, so its worker cannot finish.
  const client = createConnection(Number(port), '127.0.0.1').pause();
  client.on('error', () => {});
  client.write('GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(client, 'readable');
  command.child.kill('SIGTERM');
  await eventually('the other one has gone', () => workers.filter(isAlive).length === 1);
  assert.equal(command.child.exitCode, null, 'it waits for the one that is busy');
  command.child.kill('SIGINT');
  assert.equal(await command.ended, 130);
  await eventually('nobody is left', () => !workers.some(isAlive));
  client.destroy();
});
