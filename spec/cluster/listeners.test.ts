// The listeners of a cluster: one for each worker on one port, none on a port of another server,
// and all of them closed when one cannot be opened.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { type Listeners, openListeners, removeStaleSocket } from '../../src/cluster/listeners.ts';
import { socketAddress } from '../../src/driver/linux/sockaddr.ts';
import { linuxSyscalls, type Syscalls } from '../../src/driver/linux/syscalls.ts';

const LOOPBACK = '127.0.0.1';
const found = linuxSyscalls();
const linuxOnly = typeof found === 'string' ? { skip: found } : {};
const folder = mkdtempSync(join(tmpdir(), 'vibing-listeners-'));
after(() => rmSync(folder, { recursive: true }));

function kernel(): Syscalls {
  assert.ok(typeof found !== 'string');
  return found;
}

/** The system calls, with descriptors counted and one call that fails. */
class CountedCalls {
  readonly open = new Set<number>();
  readonly calls: Syscalls;
  sockets = 0;

  constructor(failing: { readonly name?: keyof Syscalls; readonly at?: number } = {}) {
    let count = 0;
    this.calls = new Proxy(kernel(), {
      get: (target, name: keyof Syscalls) => {
        return (...args: never[]): unknown => {
          if (name === failing.name) count += 1;
          if (name === failing.name && count === failing.at) return -ERRNO.EMFILE;
          const result = (target[name] as (...given: never[]) => unknown).apply(target, args);
          if (name === 'socket') this.open.add(Number(result));
          if (name === 'socket') this.sockets += 1;
          if (name === 'close') this.open.delete(Number(args[0]));
          return result;
        };
      },
    });
  }
}

function opened(result: Listeners | number): Listeners {
  assert.ok(typeof result !== 'number', `openListeners returned ${result}`);
  return result;
}

/** Resolves when the kernel has queued a client. */
async function reach(target: { port: number; host: string } | { path: string }): Promise<void> {
  const client = connect(target);
  await once(client, 'connect');
  client.destroy();
}

describe('on a port', linuxOnly, () => {
  it('every worker has its own, all on the same port', async () => {
    const { calls, open } = new CountedCalls();
    const listeners = opened(openListeners(calls, { host: LOOPBACK, port: 0 }, 3, 16));
    const { fds } = listeners;
    assert.equal(new Set(fds).size, 3);
    assert.deepEqual([...open].sort(), [...fds].sort());
    assert.ok(listeners.port > 0);
    for (let count = 0; count < 10; count++) await reach({ host: LOOPBACK, port: listeners.port });
    listeners.close();
    assert.equal(open.size, 0);
    await assert.rejects(reach({ host: LOOPBACK, port: listeners.port }), { code: 'ECONNREFUSED' });
  });

  it('works for IPv6', async (context) => {
    const { calls, open } = new CountedCalls();
    const result = openListeners(calls, { host: '::1', port: 0 }, 2, 16);
    if (result === -ERRNO.EADDRNOTAVAIL) {
      context.skip('there is no IPv6 here');
      return;
    }
    const listeners = opened(result);
    await reach({ host: '::1', port: listeners.port });
    listeners.close();
    assert.equal(open.size, 0);
  });

  it('a port of another server is an error, also with SO_REUSEPORT', () => {
    const { calls, open } = new CountedCalls();
    const first = opened(openListeners(calls, { host: LOOPBACK, port: 0 }, 2, 16));
    const { size } = open;
    const again = openListeners(calls, { host: LOOPBACK, port: first.port }, 2, 16);
    assert.equal(again, -ERRNO.EADDRINUSE);
    assert.equal(open.size, size, 'the probe is closed');
    first.close();
    const later = opened(openListeners(calls, { host: LOOPBACK, port: first.port }, 2, 16));
    assert.equal(later.port, first.port);
    later.close();
    assert.equal(open.size, 0);
  });

  it('a port of a server without SO_REUSEPORT is one too', async () => {
    const { calls, open } = new CountedCalls();
    const server = createServer().listen(0, LOOPBACK);
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    assert.equal(openListeners(calls, { host: LOOPBACK, port }, 2, 16), -ERRNO.EADDRINUSE);
    assert.equal(open.size, 0);
    server.close();
  });

  it('when one cannot be opened, all are closed', () => {
    for (const name of ['socket', 'bind', 'listen'] as const) {
      for (let at = 1; at <= 4; at++) {
        const { calls, open } = new CountedCalls({ name, at });
        const result = openListeners(calls, { host: LOOPBACK, port: 0 }, 3, 16);
        assert.equal(result, -ERRNO.EMFILE, `${name} ${at}`);
        assert.equal(open.size, 0, `${name} ${at}`);
      }
    }
  });

  it('descriptor 0 is one like others, where standard input is closed', () => {
    const open = new Set<number>();
    const calls: Partial<Syscalls> = {
      socket: () => {
        for (let fd = 0; ; fd++) if (!open.has(fd)) return open.add(fd) && fd;
      },
      setsockopt: () => 0,
      bind: () => 0,
      listen: () => 0,
      getsockname: (_fd, name) => {
        const { bytes, length } = socketAddress(LOOPBACK, 8_080) ?? assert.fail();
        name.set(bytes);
        return length;
      },
      close: (fd) => (open.delete(fd) ? 0 : -ERRNO.EBADF),
    };
    for (const target of [{ host: LOOPBACK, port: 8_080 }, { path: join(folder, 'no') }]) {
      const listeners = opened(openListeners(calls as Syscalls, target, 2, 16));
      assert.deepEqual([...listeners.fds], [...open]);
      assert.equal(listeners.port, 8_080);
      listeners.close();
      assert.equal(open.size, 0);
    }
  });

  it('an unknown port is an error', () => {
    const { calls, open } = new CountedCalls({ name: 'getsockname', at: 1 });
    const result = openListeners(calls, { host: LOOPBACK, port: 0 }, 3, 16);
    assert.equal(result, -ERRNO.EINVAL);
    assert.equal(open.size, 0);
  });

  it('an invalid address is an error', () => {
    const { calls, sockets } = new CountedCalls();
    const result = openListeners(calls, { host: 'localhost', port: 0 }, 2, 16);
    assert.equal(result, -ERRNO.EINVAL);
    assert.equal(sockets, 0);
  });
});

describe('on a unix socket', linuxOnly, () => {
  const path = join(folder, 'socket');

  it('when a call fails, neither descriptor nor file is left', () => {
    for (const name of ['socket', 'bind', 'listen'] as const) {
      const { calls, open } = new CountedCalls({ name, at: 1 });
      assert.equal(openListeners(calls, { path, mode: 0o600 }, 3, 16), -ERRNO.EMFILE, name);
      assert.equal(open.size, 0, name);
      assert.equal(existsSync(path), false, name);
    }
  });

  it('keeps the file of another server, and has its mode from the beginning', () => {
    const modes: number[] = [];
    const calls = new Proxy(kernel(), {
      get: (target, name: keyof Syscalls) => {
        return (...args: never[]): unknown => {
          const result = (target[name] as (...given: never[]) => unknown).apply(target, args);
          if (name === 'bind') modes.push(statSync(path).mode & 0o777);
          return result;
        };
      },
    });
    const first = opened(openListeners(calls, { path, mode: 0o640 }, 1, 16));
    assert.deepEqual(modes, [0o640]);
    rmSync(path);
    const second = opened(openListeners(calls, { path }, 1, 16));
    first.close();
    assert.ok(existsSync(path));
    second.close();
    assert.equal(existsSync(path), false);
  });

  it('one is for all workers, and its file is removed with it', async () => {
    const { calls, open } = new CountedCalls();
    const listeners = opened(openListeners(calls, { path, mode: 0o600 }, 3, 16));
    assert.equal(listeners.port, 0);
    assert.equal(listeners.fds.length, 1);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await reach({ path });
    listeners.close();
    assert.equal(open.size, 0);
    assert.equal(existsSync(path), false);
  });

  it('one with a listener is an error, one that a dead server left behind is replaced', () => {
    const { calls, open } = new CountedCalls();
    const first = opened(openListeners(calls, { path }, 1, 16));
    assert.equal(openListeners(calls, { path }, 1, 16), -ERRNO.EADDRINUSE);
    // As after the death of its process.
    calls.close(first.fds[0]);
    assert.ok(existsSync(path));
    const second = opened(openListeners(calls, { path }, 1, 16));
    second.close();
    assert.equal(open.size, 0);
    assert.equal(existsSync(path), false);
  });
});

describe('a stale unix socket', linuxOnly, () => {
  it('is removed; one with a listener and another file stay, and no client is left', async () => {
    const path = join(folder, 'stale');
    await removeStaleSocket(path);
    writeFileSync(path, 'precious');
    await removeStaleSocket(path);
    assert.equal(readFileSync(path, 'utf8'), 'precious');
    rmSync(path);
    const server = createServer().listen(path);
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    await removeStaleSocket(path);
    assert.ok(existsSync(path));
    const [client] = await accepted;
    client.resume();
    await once(client, 'close');
    await new Promise((resolve) => server.close(resolve));
    const { calls } = new CountedCalls();
    const [fd] = opened(openListeners(calls, { path }, 1, 16)).fds;
    // As after the death of its process.
    calls.close(fd);
    assert.ok(existsSync(path));
    await removeStaleSocket(path);
    assert.equal(existsSync(path), false);
  });

  it('is none while its queue is full: its server is only slow', async () => {
    const path = join(folder, 'full');
    const { calls } = new CountedCalls();
    const listeners = opened(openListeners(calls, { path }, 1, 1));
    // Nothing accepts them.
    const clients = Array.from({ length: 8 }, () => connect(path).on('error', () => {}));
    const refused = clients.map((client) => new Promise((done) => client.on('close', done)));
    await Promise.race(refused);
    await removeStaleSocket(path);
    const isKept = existsSync(path);
    for (const client of clients) client.destroy();
    await Promise.all(refused);
    listeners.close();
    assert.ok(isKept);
    assert.equal(existsSync(path), false);
  });
});
