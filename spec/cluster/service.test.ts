// The interface to the service manager over its ports: what one life of a server leaves for the
// next one, and reloads that overlap or outlast the server.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Service, type ServicePorts } from '../../src/cluster/service.ts';
import { ServiceError } from '../../src/cluster/service-error.ts';
import { linuxSyscalls } from '../../src/driver/linux/syscalls.ts';
import { configFrom } from '../../src/server/config/config.ts';
import type { Log } from '../../src/server/log.ts';

const log = { warn: assert.fail } as unknown as Log;
const WITH_FILE = configFrom({ pidFile: '/run/a.pid' });
const PLAIN = configFrom({});
const LISTENING = { host: 'a.test', port: 80, driver: 'epoll', workers: 2 };

/** What the service did with its ports, in order. */
class Ports implements ServicePorts {
  readonly done: string[] = [];
  readonly exits = new Set<() => void>();
  isActivated = true;

  pidFile(path: string): ReturnType<ServicePorts['pidFile']> {
    const note = (what: string) => () => void this.done.push(`${what} ${path}`);
    return { claim: note('claim'), publish: note('publish'), remove: note('remove') };
  }

  activated(): ReturnType<ServicePorts['activated']> {
    return this.isActivated ? { fd: 3, address: 'unix:/run/a' } : null;
  }

  notifier(): ReturnType<ServicePorts['notifier']> {
    return {
      ready: (status) => void this.done.push(`ready: ${status}`),
      reloading: () => void this.done.push('reloading'),
      stopping: () => void this.done.push('stopping'),
      close: () => void this.done.push('close'),
    };
  }

  onExit(listener: () => void): () => void {
    this.exits.add(listener);
    return () => this.exits.delete(listener);
  }

  taken(): string[] {
    return this.done.splice(0);
  }
}

test('a life leaves nothing for the next one, which may have another configuration', async () => {
  const ports = new Ports();
  const service = new Service(ports);
  service.begins(WITH_FILE, log);
  assert.deepEqual(service.address, { fd: 3 });
  assert.equal(ports.exits.size, 1);
  const listening = service.listens(LISTENING);
  assert.equal(listening.activated, 'unix:/run/a');
  service.closes();
  service.ended();
  const status = 'serving on unix:/run/a with 2 workers';
  const life = ['claim /run/a.pid', 'publish /run/a.pid', `ready: ${status}`, 'stopping'];
  assert.deepEqual(ports.taken(), [...life, 'close', 'remove /run/a.pid']);
  assert.equal(service.address, null);
  assert.equal(ports.exits.size, 0, 'a file of another server stays when the process exits');
  ports.isActivated = false;
  service.begins(PLAIN, log);
  // Before it listens a reload is none of the manager's business.
  await service.reloads(Promise.resolve());
  assert.deepEqual(ports.taken(), []);
  assert.equal(service.listens({ ...LISTENING, workers: 1 }).activated, undefined);
  const second = 'ready: serving on a.test port 80 with 1 worker';
  assert.deepEqual(ports.taken(), [second]);
  await service.reloads(Promise.resolve());
  assert.deepEqual(ports.taken(), ['reloading', second], 'it does not close any more');
  service.closes();
  service.ended();
  assert.deepEqual(ports.taken(), ['stopping', 'close']);
  service.begins(PLAIN, log);
  service.listens({ ...LISTENING, port: 0 });
  assert.deepEqual(ports.taken(), ['ready: serving on a unix socket with 2 workers']);
});

test('without a manager only the pid file is kept', async () => {
  const ports = new Ports();
  ports.notifier = () => null as never;
  ports.isActivated = false;
  const service = new Service(ports);
  service.begins(WITH_FILE, log);
  service.listens(LISTENING);
  await service.reloads(Promise.resolve());
  await assert.rejects(service.reloads(Promise.reject(new Error('no root'))), /no root/);
  service.closes();
  service.ended();
  assert.deepEqual(ports.taken(), ['claim /run/a.pid', 'publish /run/a.pid', 'remove /run/a.pid']);
});

test('reloads that overlap are one; none is reported after the server', async () => {
  const ports = new Ports();
  const service = new Service(ports);
  service.begins(PLAIN, log);
  service.listens(LISTENING);
  const [ready] = ports.taken();
  const ends: (() => void)[] = [];
  const begin = (isFailing = false): Promise<void> => {
    const reloaded = new Promise<void>((resolve, reject) => {
      ends.push(isFailing ? () => reject(new Error('failed')) : resolve);
    });
    return service.reloads(reloaded);
  };
  const [first, second] = [begin(), begin(true)];
  assert.deepEqual(ports.taken(), ['reloading']);
  ends[0]();
  await first;
  assert.deepEqual(ports.taken(), []);
  ends[1]();
  await assert.rejects(second, /failed/);
  assert.deepEqual(ports.taken(), [ready], 'as before the reload');
  const third = begin();
  service.closes();
  ends[2]();
  await third;
  assert.deepEqual(ports.taken(), ['reloading', 'stopping']);
});

/** Variables that a service manager sets, for the length of a test. */
function withEnvironment(given: Readonly<Record<string, string>>, body: () => void): void {
  const { env } = process;
  process.env = { ...env, ...given };
  try {
    body();
    for (const name of Object.keys(given)) assert.equal(process.env[name], undefined, name);
  } finally {
    process.env = env;
  }
}

test('the real process has a pid file, which is removed at its exit', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pid');
  const before = process.listeners('exit');
  const service = new Service();
  service.begins(configFrom({ pidFile: path }), log);
  assert.equal(service.address, null);
  service.listens(LISTENING);
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  const [added, ...others] = process.rawListeners('exit').slice(before.length);
  assert.deepEqual(others, []);
  (added as () => void)();
  assert.equal(existsSync(path), false);
  service.closes();
  service.ended();
  assert.deepEqual(process.listeners('exit'), before);
});

test('the real process takes the variables of the manager out of its environment', () => {
  const warnings: string[] = [];
  const kept = { warn: (line: string) => warnings.push(line) } as unknown as Log;
  withEnvironment({ LISTEN_PID: '1', LISTEN_FDS: '1', NOTIFY_SOCKET: 'relative' }, () => {
    const service = new Service();
    service.begins(PLAIN, kept);
    service.ended();
  });
  assert.equal(warnings.length, 2);
  assert.match(warnings[0], new RegExp(`^LISTEN_PID is 1, this process is ${process.pid}: `));
  assert.match(warnings[1], /^NOTIFY_SOCKET is not the path of a unix socket: "relative"$/);
  if (typeof linuxSyscalls() === 'string') return;
  // Descriptor 3 does not listen, whatever it is.
  withEnvironment({ LISTEN_PID: String(process.pid), LISTEN_FDS: '1' }, () => {
    assert.throws(() => new Service().begins(PLAIN, kept), ServiceError);
  });
});
