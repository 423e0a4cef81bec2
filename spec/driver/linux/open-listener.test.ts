// A listening socket over a scripted kernel whose calls fail: neither a descriptor nor a file is
// left, and a file is removed only when it is a socket without a server.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs, { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { listenerPort, openListener } from '../../../src/driver/linux/open-listener.ts';
import type { Syscalls } from '../../../src/driver/linux/syscalls.ts';

const { EACCES, EADDRINUSE, EINVAL, EMFILE, ENOENT, ECONNREFUSED } = ERRNO;
const folder = mkdtempSync(join(tmpdir(), 'vibing-open-'));
after(() => rmSync(folder, { recursive: true }));

let path = '';
let count = 0;
beforeEach(() => {
  count += 1;
  path = join(folder, `socket-${count}`);
});
afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

type Results = Partial<Record<'socket' | 'bind' | 'connect' | 'listen', readonly number[]>>;

/** Calls whose results are scripted, one after the other, then 0. */
class Kernel {
  readonly open = new Set<number>();
  readonly made: string[] = [];
  readonly calls: Syscalls;
  #fd = 10;

  constructor(results: Results = {}) {
    const left = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, [...all]]));
    const result = (name: string): number => {
      this.made.push(name);
      return left[name]?.shift() ?? 0;
    };
    const calls: Partial<Syscalls> = {
      socket: () => {
        const fault = result('socket');
        if (fault < 0) return fault;
        this.#fd += 1;
        this.open.add(this.#fd);
        return this.#fd;
      },
      setsockopt: () => 0,
      bind: () => result('bind'),
      connect: () => result('connect'),
      listen: () => result('listen'),
      close: (fd) => {
        assert.ok(this.open.delete(fd), `${fd} is open`);
        return 0;
      },
      getsockname: () => -EINVAL,
    };
    this.calls = calls as Syscalls;
  }

  /** Opens at the path; what is open afterwards is what was returned. */
  unix(mode?: number): number {
    const result = openListener(this.calls, mode === undefined ? { path } : { path, mode }, 16);
    assert.deepEqual([...this.open], result < 0 ? [] : [result]);
    return result;
  }
}

/** A socket file without a server. */
async function leaveStale(): Promise<void> {
  const server = createServer().listen(`${path}.bound`);
  await once(server, 'listening');
  fs.linkSync(`${path}.bound`, path);
  await new Promise((resolve) => server.close(resolve));
}

function failing(name: 'chmodSync' | 'unlinkSync', code: string): void {
  mock.method(fs, name, () => {
    throw Object.assign(new Error(code), { code });
  });
  syncBuiltinESMExports();
}

const linuxOnly = process.platform === 'linux' ? {} : { skip: 'other systems have no such driver' };

describe('a listener on a port', () => {
  const target = { host: '127.0.0.1', port: 80 };

  it('that cannot be opened leaves nothing open', () => {
    for (const name of ['socket', 'bind', 'listen'] as const) {
      const kernel = new Kernel({ [name]: [-EMFILE] });
      assert.equal(openListener(kernel.calls, target, 16), -EMFILE, name);
      assert.equal(kernel.open.size, 0, name);
    }
    const kernel = new Kernel();
    assert.equal(openListener(kernel.calls, { host: 'a.test', port: 80 }, 16), -EINVAL);
    assert.deepEqual(kernel.made, []);
    assert.equal(listenerPort(kernel.calls, 10), 0, 'a port that cannot be read');
  });

  it('that another process opened is closed when it cannot listen', () => {
    const kernel = new Kernel({ listen: [0, -EINVAL] });
    kernel.open.add(3);
    assert.equal(openListener(kernel.calls, { fd: 3 }, 16), 3);
    assert.equal(openListener(kernel.calls, { fd: 3 }, 16), -EINVAL);
    assert.equal(kernel.open.size, 0);
  });
});

describe('a listener on a path', linuxOnly, () => {
  it('whose mode cannot be set is closed, and its file removed', () => {
    for (const [code, fault] of [
      ['EACCES', -EACCES],
      ['', -ERRNO.EPERM],
    ] as const) {
      writeFileSync(path, '');
      failing('chmodSync', code);
      const kernel = new Kernel();
      assert.equal(kernel.unix(0o600), fault);
      assert.deepEqual(kernel.made, ['socket', 'bind'], 'it has not listened');
      assert.equal(existsSync(path), false);
      mock.restoreAll();
      syncBuiltinESMExports();
    }
    // The file that it bound is gone.
    assert.equal(new Kernel().unix(0o600), -ENOENT);
    writeFileSync(path, '');
    assert.ok(new Kernel().unix(0o640) > 0);
    assert.equal(fs.statSync(path).mode & 0o777, 0o640);
  });

  it('that cannot listen leaves no file, and that may be gone already', () => {
    writeFileSync(path, '');
    assert.equal(new Kernel({ listen: [-EACCES] }).unix(), -EACCES);
    assert.equal(existsSync(path), false);
    assert.equal(new Kernel({ listen: [-EACCES] }).unix(), -EACCES);
  });

  it('takes the place of a socket that refuses, once', async () => {
    await leaveStale();
    const kernel = new Kernel({ bind: [-EADDRINUSE], connect: [-ECONNREFUSED] });
    assert.ok(kernel.unix() > 0);
    assert.deepEqual(kernel.made, ['socket', 'bind', 'socket', 'connect', 'bind', 'listen']);
    assert.equal(existsSync(path), false, 'the kernel would have made another one');
    await leaveStale().catch(() => {});
    const again = new Kernel({ bind: [-EADDRINUSE, -EADDRINUSE], connect: [-ECONNREFUSED] });
    assert.equal(again.unix(), -EADDRINUSE);
    assert.equal(again.made.filter((name) => name === 'bind').length, 2);
  });

  it('leaves a socket with a server, another file, and what it cannot ask', async () => {
    await leaveStale();
    for (const results of [
      // It accepts, it is busy, there is no descriptor to ask.
      { connect: [0] },
      { connect: [-ERRNO.EAGAIN] },
      { connect: [-EACCES] },
      { socket: [0, -EMFILE] },
    ]) {
      assert.equal(new Kernel({ bind: [-EADDRINUSE], ...results }).unix(), -EADDRINUSE);
      assert.ok(existsSync(path));
    }
    const refused = { bind: [-EADDRINUSE], connect: [-ECONNREFUSED] };
    failing('unlinkSync', 'EACCES');
    assert.equal(new Kernel(refused).unix(), -EADDRINUSE);
    mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(path);
    assert.equal(new Kernel(refused).unix(), -EADDRINUSE, 'it is gone meanwhile');
    writeFileSync(path, 'precious');
    assert.equal(new Kernel(refused).unix(), -EADDRINUSE);
    assert.equal(fs.readFileSync(path, 'utf8'), 'precious');
    // Only an address in use is a reason to ask.
    const denied = new Kernel({ bind: [-EACCES] });
    assert.equal(denied.unix(), -EACCES);
    assert.deepEqual(denied.made, ['socket', 'bind']);
  });
});
