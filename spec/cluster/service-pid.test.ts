// The pid file of a real service: who writes it, when it is removed, what prevents a start.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { ServiceProcess } from './fixtures/service-process.ts';
import { BOUND, fetched, folder, fresh, site } from './fixtures/service-site.ts';

leaveOutOfCoverage();

const slowTest = slowTests();

describe('pid file', { skip: process.platform === 'win32' ? 'needs SIGTERM' : false }, () => {
  slowTest('names the main process while it serves', BOUND, async () => {
    const path = fresh('pid');
    const args = [site, '--port', '0', '--workers', '2', '--pid-file', path];
    const service = new ServiceProcess(args);
    await service.listening();
    assert.equal(readFileSync(path, 'utf8'), `${service.pid}\n`);
    const second = new ServiceProcess(args);
    assert.equal(await second.ended, 1);
    assert.equal(second.out, '');
    assert.equal(
      second.err,
      `vibing: pid_file: ${path} names process ${service.pid}, which is running; ` +
        'stop it, or choose another path\n',
    );
    assert.equal(readFileSync(path, 'utf8'), `${service.pid}\n`);
    assert.equal(await service.stop(), 0, service.err);
    assert.equal(existsSync(path), false);
  });

  slowTest(
    'is set by the environment too, and replaces that of a killed server',
    BOUND,
    async () => {
      const path = fresh('pid');
      const env = { VIBING_PID_FILE: path };
      const killed = new ServiceProcess([site, '--port', '0'], { env });
      await killed.listening();
      await killed.stop('SIGKILL');
      assert.equal(readFileSync(path, 'utf8'), `${killed.pid}\n`);
      const service = new ServiceProcess([site, '--port', '0'], { env });
      await service.listening();
      assert.equal(readFileSync(path, 'utf8'), `${service.pid}\n`);
      assert.equal(await service.stop('SIGINT'), 0);
      assert.equal(existsSync(path), false);
    },
  );

  slowTest('is removed at a second signal too', BOUND, async () => {
    const path = fresh('pid');
    const service = new ServiceProcess([site, '--port', '0', '--pid-file', path]);
    const address = await service.listening();
    const client = connect(Number(new URL(address).port), '127.0.0.1');
    await once(client, 'connect');
    client.on('error', () => {});
    // A request in flight keeps it from exiting at the first signal.
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    client.write('a');
    await fetched({ port: Number(new URL(address).port) });
    service.child.kill('SIGTERM');
    const listens = () => fetched({ port: Number(new URL(address).port) }).then(() => true);
    while (await listens().catch(() => false));
    service.child.kill('SIGTERM');
    const code = await service.ended;
    assert.ok(code === 143 || code === 0, `exit code ${code}`);
    client.destroy();
    assert.equal(existsSync(path), false);
  });

  slowTest('one that cannot be written starts nothing', BOUND, async () => {
    const path = join(folder, 'no', 'such', 'folder');
    const service = new ServiceProcess([site, '--port', '0', '--pid-file', path]);
    assert.equal(await service.ended, 1);
    assert.equal(service.out, '');
    assert.equal(
      service.err,
      `vibing: pid_file: ${path} cannot be written: no such folder; create it (ENOENT)\n`,
    );
  });

  slowTest('a taken port leaves no file', BOUND, async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const path = fresh('pid');
    const args = [site, '--port', String(port), '--workers', '2', '--pid-file', path];
    assert.equal(await new ServiceProcess(args).ended, 1);
    const left = readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
    assert.deepEqual(left, []);
    holder.close();
  });
});
