// Sockets that the service manager opened: TCP and unix, one and several, valid and invalid ones.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { describe } from 'node:test';
import { IPPROTO_TCP, SOCK_DGRAM, TCP_NODELAY } from '../../src/driver/linux/layout.ts';
import { listenerPort } from '../../src/driver/linux/open-listener.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { eventually, fewDrivers } from '../../testing/with-server.ts';
import { kernel, LINUX_ONLY, openSocket, ServiceProcess } from './fixtures/service-process.ts';
import { BOUND, childrenOf, environmentOf, fetched, fresh, site } from './fixtures/service-site.ts';

const slowTest = slowTests();

describe('an activated socket', LINUX_ONLY, () => {
  const one = { LISTEN_FDS: '1' };

  for (const driver of fewDrivers()) {
    for (const workers of ['1', '2']) {
      const how = `driver ${driver}, ${workers} worker(s)`;
      const asked = ['--driver', driver, '--workers', workers];

      slowTest(`of TCP serves, ${how}`, BOUND, async () => {
        const socket = openSocket({ port: 0 });
        const port = listenerPort(kernel(), socket);
        const args = [site, '--port', '1', ...asked];
        const service = new ServiceProcess(args, { env: one, sockets: [socket], activated: true });
        const many = workers === '1' ? '1 worker' : '2 workers';
        assert.equal(await service.listening(), `http://127.0.0.1:${port}`);
        assert.match(service.out, new RegExp(`\\(systemd\\) \\(driver ${driver}, ${many}\\)`));
        for (let count = 0; count < 20; count++) assert.equal(await fetched({ port }), 'hello\n');
        for (const pid of childrenOf(service.pid)) {
          assert.deepEqual(
            environmentOf(pid).filter((line) => /^LISTEN_/.test(line)),
            [],
          );
        }
        assert.equal(await service.stop(), 0);
        assert.equal(service.problems, '');
        assert.equal(kernel().getsockopt(socket, IPPROTO_TCP, TCP_NODELAY), 1);
        // The manager keeps it open: clients wait for the next server.
        const client = connect(port, '127.0.0.1');
        await once(client, 'connect');
        client.destroy();
        kernel().close(socket);
      });

      slowTest(`of unix serves and keeps its file, ${how}`, BOUND, async () => {
        const path = fresh('activated');
        const socket = openSocket({ path });
        const args = [site, '--shutdown-timeout-ms', '0', ...asked];
        const service = new ServiceProcess(args, { env: one, sockets: [socket], activated: true });
        kernel().close(socket);
        assert.equal(await service.listening(), `unix:${path}`);
        assert.equal(await fetched({ socketPath: path }), 'hello\n');
        // A request that is never completed is aborted, unlike with TCP.
        const client = connect(path).on('error', () => {});
        await once(client, 'connect');
        client.write('GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\nGET ');
        await once(client, 'data');
        assert.equal(await service.stop(), 0, service.err);
        assert.equal(service.problems, '');
        client.destroy();
        assert.ok(existsSync(path));
      });
    }
  }

  slowTest('is kept when all workers are killed at once and replaced', BOUND, async () => {
    const socket = openSocket({ port: 0 });
    const port = listenerPort(kernel(), socket);
    const args = [site, '--driver', 'epoll', '--workers', '2'];
    const service = new ServiceProcess(args, { env: one, sockets: [socket], activated: true });
    kernel().close(socket);
    await service.listening();
    for (const pid of childrenOf(service.pid)) process.kill(pid, 'SIGKILL');
    await eventually('both exits are logged', () => service.err.split('SIGKILL').length === 3);
    assert.equal(await fetched({ port }), 'hello\n');
    assert.equal(await service.stop(), 0);
  });

  slowTest('of several the one named vibing is used, else the first', BOUND, async () => {
    for (const [given, taken] of [
      ['other:vibing', 1],
      ['other:more', 0],
      ['', 0],
    ] as const) {
      const sockets = [openSocket({ port: 0 }), openSocket({ port: 0 })];
      const ports = sockets.map((socket) => listenerPort(kernel(), socket));
      const env = { LISTEN_FDS: '2', ...(given === '' ? {} : { LISTEN_FDNAMES: given }) };
      const service = new ServiceProcess([site], { env, sockets, activated: true });
      for (const socket of sockets) kernel().close(socket);
      assert.equal(await service.listening(), `http://127.0.0.1:${ports[taken]}`);
      assert.equal(await fetched({ port: ports[taken] ?? 0 }), 'hello\n');
      await assert.rejects(fetched({ port: ports[1 - taken] ?? 0 }), { code: 'ECONNREFUSED' });
      assert.equal(await service.stop(), 0);
      assert.equal(
        service.err,
        `vibing warn: LISTEN_FDS passes 2 sockets: descriptor ${3 + taken} is used, ` +
          'the others are closed\n',
      );
    }
  });

  const WRONG: readonly (readonly [what: string, open: () => number, why: string])[] = [
    [
      'a socket that does not listen',
      () => openSocket({ port: 0 }, { listening: false }),
      'not listening',
    ],
    [
      'a datagram socket',
      () => openSocket({ port: 0 }, { type: SOCK_DGRAM, listening: false }),
      'not a stream socket',
    ],
    ['a file', () => openSync('/dev/null', 'r'), 'not a socket'],
  ];
  for (const [what, open, why] of WRONG) {
    slowTest(`${what} is an error`, BOUND, async () => {
      const socket = open();
      const path = fresh('pid');
      const service = new ServiceProcess([site, '--pid-file', path], {
        env: one,
        sockets: [socket],
        activated: true,
      });
      kernel().close(socket);
      assert.equal(await service.ended, 1);
      const line = `descriptor 3 is ${why}; a listening stream socket is needed`;
      assert.equal(service.err, `vibing: LISTEN_FDS: ${line}\n`);
      assert.equal(service.out, '');
      assert.equal(existsSync(path), false);
    });
  }

  slowTest('for another process is not used, with one warning', BOUND, async () => {
    const socket = openSocket({ port: 0 });
    const port = listenerPort(kernel(), socket);
    const env = { ...one, LISTEN_PID: '1' };
    const service = new ServiceProcess([site, '--port', '0'], { env, sockets: [socket] });
    assert.notEqual(await service.listening(), `http://127.0.0.1:${port}`);
    assert.doesNotMatch(service.out, /systemd/);
    assert.equal(await service.stop(), 0);
    assert.match(service.err, /^vibing warn: LISTEN_PID is 1, this process is \d+: [^\n]*\n$/);
    kernel().close(socket);
  });
});
