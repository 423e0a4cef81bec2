// The notifications of a real service to its manager, and that its workers do not inherit them.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';
import { listenerPort } from '../../src/driver/linux/open-listener.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { eventually, fewDrivers, oneDriver } from '../../testing/with-server.ts';
import {
  kernel,
  LINUX_ONLY,
  Mailbox,
  openSocket,
  ServiceProcess,
} from './fixtures/service-process.ts';
import { BOUND, childrenOf, environmentOf, fetched, fresh, site } from './fixtures/service-site.ts';

leaveOutOfCoverage();

const slowTest = slowTests();

describe('the service manager is notified', LINUX_ONLY, () => {
  for (const workers of ['1', '2']) {
    for (const driver of workers === '1' ? oneDriver() : fewDrivers()) {
      slowTest(`by ${workers} worker(s), driver ${driver}`, BOUND, async () => {
        const name = fresh('notify');
        const mailbox = new Mailbox(name);
        const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '3000000' };
        const args = [site, '--port', '0', '--workers', workers, '--driver', driver];
        const service = new ServiceProcess(args, { env });
        const address = await service.listening();
        const port = Number(new URL(address).port);
        const ready = await mailbox.has(/^READY=1\n/);
        const many = workers === '1' ? '1 worker' : `${workers} workers`;
        const status = `STATUS=serving on 127.0.0.1 port ${port} with ${many}`;
        assert.equal(ready, `READY=1\n${status}\nMAINPID=${service.pid}\n`);
        assert.equal(await fetched({ port }), 'hello\n');
        for (const pid of childrenOf(service.pid)) {
          const inherited = environmentOf(pid).filter((line) => /^(NOTIFY|WATCHDOG)_/.test(line));
          assert.deepEqual(inherited, []);
        }
        assert.equal(childrenOf(service.pid).length, workers === '1' ? 0 : Number(workers));
        assert.equal(await service.stop(), 0, service.err);
        const states = mailbox.read().filter((message) => message !== 'WATCHDOG=1\n');
        assert.equal(states.length, 2, states.join());
        assert.match(states[1] ?? '', /^STOPPING=1\n/);
        assert.equal(service.problems, '');
        mailbox.close();
      });
    }
  }

  slowTest('of a reload, whether it succeeds or fails', BOUND, async () => {
    const name = fresh('notify');
    const mailbox = new Mailbox(name);
    const crash = fresh('crash');
    const hook = fresh('crash.cjs');
    const isAsked = `require('node:fs').existsSync(${JSON.stringify(crash)})`;
    writeFileSync(hook, `if (process.env.VIBING__WORKER && ${isAsked}) process.exit(7);\n`);
    const env = { NOTIFY_SOCKET: name, NODE_OPTIONS: `--require ${hook}` };
    const service = new ServiceProcess([site, '--port', '0', '--workers', '2'], { env });
    const port = Number(new URL(await service.listening()).port);
    const [ready] = mailbox.read();
    assert.match(ready ?? '', /^READY=1\n/);
    for (const outcome of ['reloaded', 'reload failed', 'reloaded']) {
      const count = mailbox.read().length;
      const workers = childrenOf(service.pid);
      if (outcome === 'reload failed') writeFileSync(crash, '');
      else rmSync(crash, { force: true });
      const beforeUs = process.hrtime.bigint() / 1_000n;
      service.child.kill('SIGHUP');
      await eventually('both notifications came', () => mailbox.read().length >= count + 2);
      const afterUs = process.hrtime.bigint() / 1_000n;
      const [reloading, ...others] = mailbox.read().slice(count);
      const since = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=reloading\n$/.exec(reloading ?? '');
      assert.ok(since !== null, reloading);
      const sinceUs = BigInt(since[1] ?? '');
      assert.ok(beforeUs <= sinceUs && sinceUs <= afterUs, 'it is the time of the reload');
      assert.deepEqual(others, [ready], 'then it is ready as before');
      await eventually(`it logs: ${outcome}`, () => service.err.includes(outcome));
      const stayed = () => childrenOf(service.pid).filter((pid) => workers.includes(pid)).length;
      if (outcome === 'reload failed') assert.equal(stayed(), 2);
      else await eventually('the old workers have exited', () => stayed() === 0);
      assert.equal(await fetched({ port }), 'hello\n');
    }
    assert.equal(await service.stop(), 0, service.err);
    assert.match(mailbox.read().at(-1) ?? '', /^STOPPING=1\n/);
    mailbox.close();
  });

  slowTest('not of READY when it could not listen', BOUND, async () => {
    const name = fresh('notify');
    const mailbox = new Mailbox(name);
    const env = { NOTIFY_SOCKET: name };
    const service = new ServiceProcess([site, '--socket', fresh('no/x')], { env });
    assert.equal(await service.ended, 1);
    assert.deepEqual(mailbox.read(), []);
    mailbox.close();
  });

  slowTest('of nothing without koffi, with one warning', BOUND, async () => {
    const hook = fresh('without-koffi.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module');
const load = Module._load;
Module._load = (name, ...rest) => {
  if (name !== 'koffi') return load(name, ...rest);
  throw Object.assign(new Error(name), { code: 'MODULE_NOT_FOUND' });
};\n`,
    );
    const env = { NODE_OPTIONS: `--require ${hook}`, NOTIFY_SOCKET: fresh('notify') };
    const socket = openSocket({ port: 0 });
    const port = listenerPort(kernel(), socket);
    const service = new ServiceProcess([site], {
      env: { ...env, LISTEN_FDS: '1' },
      sockets: [socket],
      activated: true,
    });
    kernel().close(socket);
    await service.listening();
    assert.match(service.out, /on descriptor 3 \(systemd\) \(driver net, 1 worker\)/);
    assert.equal(await fetched({ port }), 'hello\n');
    assert.equal(await service.stop(), 0);
    const warnings = service.err.split('\n').filter((line) => line.includes('NOTIFY_SOCKET'));
    assert.equal(warnings.length, 1, service.err);
    assert.match(warnings[0] ?? '', /koffi is not installed/);
  });
});
