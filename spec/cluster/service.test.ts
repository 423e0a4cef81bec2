// The command as a service: processes of their own with a pid file, a manager that is told their
// state, sockets that were opened before them, and unix sockets shared by several workers.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { IPPROTO_TCP, SOCK_DGRAM, TCP_NODELAY } from '../../src/driver/linux/layout.ts';
import { listenerPort } from '../../src/driver/linux/listener.ts';
import { chosenDrivers, eventually } from '../server/with-server.ts';
import {
  endAll,
  kernel,
  LINUX_ONLY,
  Mailbox,
  openSocket,
  ServiceProcess,
} from './service-process.ts';

const BOUND = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), 'vibing-service-'));
const site = join(folder, 'site');
after(() => {
  endAll();
  rmSync(folder, { recursive: true });
});
mkdirSync(site);
writeFileSync(join(site, 'hello.txt'), 'hello\n');

let names = 0;
/** A path that nobody has used. */
function fresh(name: string): string {
  names += 1;
  return join(folder, `${names}-${name}`);
}

/** The file of the site, from a new connection. */
function fetched(
  where: { readonly port: number } | { readonly socketPath: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', ...where, path: '/hello.txt', agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve(text);
    }).on('error', reject);
  });
}

/** The processes that `pid` started and that still run. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function environmentOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
}

describe('pid file', { skip: process.platform === 'win32' ? 'needs SIGTERM' : false }, () => {
  for (const workers of ['1', '2']) {
    test(`names the main of ${workers} process(es) while it serves`, BOUND, async () => {
      const path = fresh('pid');
      const args = [site, '--port', '0', '--workers', workers, '--pid-file', path];
      const service = new ServiceProcess(args);
      await service.listening();
      assert.equal(readFileSync(path, 'utf8'), `${service.pid}\n`);
      const second = new ServiceProcess(args);
      assert.equal(await second.ended, 1);
      assert.equal(second.out, '');
      assert.equal(
        second.err,
        `vibing: pid_file: ${path} names process ${service.pid}, which is alive\n`,
      );
      assert.equal(readFileSync(path, 'utf8'), `${service.pid}\n`);
      assert.equal(await service.stop(), 0, service.err);
      assert.equal(existsSync(path), false);
    });
  }

  test('comes from the environment too, and replaces one of a killed server', BOUND, async () => {
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
  });

  test('goes at a second signal too', BOUND, async () => {
    const path = fresh('pid');
    const service = new ServiceProcess([site, '--port', '0', '--pid-file', path]);
    const address = await service.listening();
    const client = connect(Number(new URL(address).port), '127.0.0.1');
    await once(client, 'connect');
    client.on('error', () => {});
    // A request in flight keeps it from ending at the first signal.
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

  for (const workers of ['1', '2']) {
    test(`one that cannot be written starts nothing, ${workers} worker(s)`, BOUND, async () => {
      const path = join(folder, 'no', 'such', 'folder');
      const args = [site, '--port', '0', '--workers', workers, '--pid-file', path];
      const service = new ServiceProcess(args);
      assert.equal(await service.ended, 1);
      assert.equal(service.out, '');
      assert.equal(service.err, `vibing: pid_file: ${path} cannot be written (ENOENT)\n`);
    });

    test(`a taken port leaves no file, ${workers} worker(s)`, BOUND, async () => {
      const holder = createServer().listen(0, '127.0.0.1');
      await once(holder, 'listening');
      const { port } = holder.address() as { port: number };
      const path = fresh('pid');
      const args = [site, '--port', String(port), '--workers', workers, '--pid-file', path];
      assert.equal(await new ServiceProcess(args).ended, 1);
      const left = readdirSync(folder).filter((name) => join(folder, name).startsWith(path));
      assert.deepEqual(left, []);
      holder.close();
    });
  }
});

describe('the service manager is told', LINUX_ONLY, () => {
  for (const workers of ['1', '2']) {
    for (const driver of chosenDrivers()) {
      test(`by ${workers} worker(s), driver ${driver}`, BOUND, async () => {
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
        assert.equal(service.err, '');
        mailbox.close();
      });
    }
  }

  test('not that it is ready when it could not listen', BOUND, async () => {
    const name = fresh('notify');
    const mailbox = new Mailbox(name);
    const env = { NOTIFY_SOCKET: name };
    const service = new ServiceProcess([site, '--socket', fresh('no/x')], { env });
    assert.equal(await service.ended, 1);
    assert.deepEqual(mailbox.read(), []);
    mailbox.close();
  });

  test('nothing without koffi, and one line says so', BOUND, async () => {
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

describe('a socket that was handed over', LINUX_ONLY, () => {
  const one = { LISTEN_FDS: '1' };

  for (const driver of chosenDrivers()) {
    for (const workers of ['1', '2']) {
      const how = `driver ${driver}, ${workers} worker(s)`;
      const asked = ['--driver', driver, '--workers', workers];

      test(`of TCP serves, ${how}`, BOUND, async () => {
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
        assert.equal(service.err, '');
        assert.equal(kernel().getsockopt(socket, IPPROTO_TCP, TCP_NODELAY), 1);
        // The manager holds it still: clients wait for the next server.
        const client = connect(port, '127.0.0.1');
        await once(client, 'connect');
        client.destroy();
        kernel().close(socket);
      });

      test(`of unix serves and keeps its file, ${how}`, BOUND, async () => {
        const path = fresh('activated');
        const socket = openSocket({ path });
        const args = [site, '--shutdown-timeout-ms', '0', ...asked];
        const service = new ServiceProcess(args, { env: one, sockets: [socket], activated: true });
        kernel().close(socket);
        assert.equal(await service.listening(), `unix:${path}`);
        assert.equal(await fetched({ socketPath: path }), 'hello\n');
        // A request that never comes to an end is cut off, which differs from TCP.
        const client = connect(path).on('error', () => {});
        await once(client, 'connect');
        client.write('GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\nGET ');
        await once(client, 'data');
        assert.equal(await service.stop(), 0, service.err);
        assert.equal(service.err, '');
        client.destroy();
        assert.ok(existsSync(path));
      });
    }
  }

  test('all workers killed at once are replaced behind it', BOUND, async () => {
    const socket = openSocket({ port: 0 });
    const port = listenerPort(kernel(), socket);
    const args = [site, '--driver', 'epoll', '--workers', '2'];
    const service = new ServiceProcess(args, { env: one, sockets: [socket], activated: true });
    kernel().close(socket);
    await service.listening();
    for (const pid of childrenOf(service.pid)) process.kill(pid, 'SIGKILL');
    await eventually('both are missed', () => service.err.split('SIGKILL').length === 3);
    assert.equal(await fetched({ port }), 'hello\n');
    assert.equal(await service.stop(), 0);
  });

  test('of several the one called vibing is taken, else the first', BOUND, async () => {
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
        `vibing warn: 2 sockets were handed over: descriptor ${3 + taken} serves, ` +
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
      'no stream socket',
    ],
    ['what is no socket', () => openSync('/dev/null', 'r'), 'no socket'],
  ];
  for (const [what, open, why] of WRONG) {
    test(`${what} is an error`, BOUND, async () => {
      const socket = open();
      const path = fresh('pid');
      const service = new ServiceProcess([site, '--pid-file', path], {
        env: one,
        sockets: [socket],
        activated: true,
      });
      kernel().close(socket);
      assert.equal(await service.ended, 1);
      const line = `descriptor 3 is ${why}, needed: a listening stream socket`;
      assert.equal(service.err, `vibing: LISTEN_FDS: ${line}\n`);
      assert.equal(service.out, '');
      assert.equal(existsSync(path), false);
    });
  }

  test('for another process is left alone, and one line says so', BOUND, async () => {
    const socket = openSocket({ port: 0 });
    const port = listenerPort(kernel(), socket);
    const env = { ...one, LISTEN_PID: '1' };
    const service = new ServiceProcess([site, '--port', '0'], { env, sockets: [socket] });
    assert.notEqual(await service.listening(), `http://127.0.0.1:${port}`);
    assert.doesNotMatch(service.out, /systemd/);
    assert.equal(await service.stop(), 0);
    assert.match(service.err, /^vibing warn: LISTEN_PID names process 1, this is \d+: [^\n]*\n$/);
    kernel().close(socket);
  });
});

describe('a unix socket of several workers', LINUX_ONLY, () => {
  for (const driver of chosenDrivers()) {
    const started = (socket: string) => {
      const asked = ['--driver', driver, '--workers', '2', '--socket-mode', '600'];
      return new ServiceProcess([site, '--socket', socket, ...asked]);
    };

    test(`serves with its mode and goes at the end, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      const service = started(socketPath);
      assert.equal(await service.listening(), `unix:${socketPath}`);
      assert.equal(statSync(socketPath).mode & 0o777, 0o600);
      for (let count = 0; count < 10; count++)
        assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(await service.stop(), 0);
      assert.equal(service.err, '');
      assert.equal(existsSync(socketPath), false);
    });

    test(`is refused where somebody answers, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      const first = started(socketPath);
      await first.listening();
      const second = started(socketPath);
      assert.equal(await second.ended, 1);
      assert.equal(
        second.err,
        `vibing: cannot listen on ${socketPath}: address already in use (EADDRINUSE)\n`,
      );
      assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(await first.stop(), 0);
    });

    test(`replaces one that was left behind, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      kernel().close(openSocket({ path: socketPath }));
      assert.ok(existsSync(socketPath));
      const service = started(socketPath);
      await service.listening();
      assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(statSync(socketPath).mode & 0o777, 0o600);
      assert.equal(await service.stop(), 0);
      assert.equal(existsSync(socketPath), false);
    });

    test(`never replaces an ordinary file, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('file');
      writeFileSync(socketPath, 'precious');
      const service = started(socketPath);
      assert.equal(await service.ended, 1);
      assert.equal(readFileSync(socketPath, 'utf8'), 'precious');
    });
  }
});
