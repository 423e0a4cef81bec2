// The portable driver itself: addresses that it cannot connect to, regions, clocks, and a listener
// whose path is in use. The suite of all drivers: net.test.ts.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import fs, { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net, { createServer, type ListenOptions } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { type Address, Op } from '../../../src/driver/driver.ts';
import { NetListener } from '../../../src/driver/net/listener.ts';
import { NetDriver } from '../../../src/driver/net/net.ts';
import { Fixture } from '../suite/fixture.ts';

const LOOPBACK = '127.0.0.1';
const folder = mkdtempSync(join(tmpdir(), 'vibing-net-'));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

describe('the portable driver', () => {
  it('has the clocks of the process, sends from no file, and wakes its owner', () => {
    const driver = new NetDriver({ slab: new Slab(64, 1), slots: 1, backlog: 1 });
    const [beganMs, beganWallMs] = [performance.now(), Date.now()];
    const [nowMs, wallMs] = [driver.now(), driver.wall()];
    assert.ok(nowMs >= beganMs && nowMs <= performance.now());
    assert.ok(wallMs >= beganWallMs && wallMs <= Date.now());
    assert.equal(driver.mapFile(), false);
    const wake = (): void => {};
    driver.wake = wake;
    assert.equal(driver.wake, wake);
    const region = new Uint8Array(9);
    driver.map(1, region);
    assert.throws(() => driver.map(1, region), /a mapped region is new/);
    assert.throws(() => driver.map(0, region), /a mapped region is new/);
    driver.unmap(1);
    assert.throws(() => driver.unmap(1), /an unmapped region was mapped/);
    driver.destroy();
  });

  it('reports what it cannot connect to', async () => {
    const fixture = new Fixture((options) => new NetDriver(options));
    for (const [address, fault] of [
      [{ fd: 3 }, -ERRNO.EINVAL],
      [{ host: LOOPBACK, port: 70_000 }, -ERRNO.EINVAL],
    ] as const) {
      const slot = fixture.connect(address);
      assert.equal((await fixture.wait(Op.Connect, slot)).result, fault);
      await fixture.close(slot);
    }
    await fixture.end();
  });

  it('sends to a server that has ended its stream', async () => {
    const fixture = new Fixture((options) => new NetDriver(options));
    const server = createServer({ allowHalfOpen: true }, (client) => client.end());
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    const heard = once(server, 'connection').then(async ([client]) => {
      let text = '';
      for await (const bytes of client) text += bytes;
      return text;
    });
    const { port } = server.address() as net.AddressInfo;
    const slot = fixture.connect({ host: LOOPBACK, port, from: LOOPBACK });
    assert.equal((await fixture.wait(Op.Connect, slot)).result, 0);
    assert.equal(await fixture.read(slot), 0);
    await fixture.write(slot, 'after the end');
    fixture.driver.shutdownSend(slot);
    assert.equal(await heard, 'after the end');
    await fixture.end();
    server.close();
  });
});

interface Heard {
  readonly listener: NetListener;
  readonly results: number[];
}

function made(address: Address): Heard {
  const results: number[] = [];
  const listener = new NetListener(address, 16, {
    listenDone: (result) => void results.push(result),
    accepted: (socket) => socket.destroy(),
    acceptFault: (fault) => assert.fail(`fault ${fault}`),
  });
  return { listener, results };
}

describe('a listener of the portable driver', () => {
  it('asks Node for its address, and for nothing that was not given', () => {
    const long = join(folder, 'x'.repeat(300));
    for (const [address, wanted] of [
      [
        { host: LOOPBACK, port: 80 },
        { host: LOOPBACK, port: 80, backlog: 16 },
      ],
      [
        { host: LOOPBACK, port: 80, reusePort: false },
        { host: LOOPBACK, port: 80, backlog: 16 },
      ],
      [
        { host: '::1', port: 80, reusePort: true },
        { host: '::1', port: 80, backlog: 16, reusePort: true },
      ],
      [{ path: '/run/a' }, { path: '/run/a', backlog: 16 }],
      [{ fd: 3 }, { fd: 3, backlog: 16 }],
      [{ host: 'a.test', port: 80 }, null],
      [{ path: long }, null],
    ] as const) {
      const { listener, results } = made(address);
      const asked: ListenOptions[] = [];
      Object.assign(listener.server, { listen: (options: ListenOptions) => asked.push(options) });
      listener.listen();
      assert.deepEqual(asked, wanted === null ? [] : [wanted]);
      assert.deepEqual(results, wanted === null ? [-ERRNO.EINVAL] : []);
      assert.equal(listener.isClosed, wanted === null);
    }
  });

  const unixOnly = process.platform === 'win32' ? { skip: 'Windows has named pipes' } : {};

  it('takes a path of at most the bytes that a socket can have', unixOnly, () => {
    const most = process.platform === 'linux' ? 107 : 103;
    for (const [bytes, fits] of [
      [most, true],
      [most + 1, false],
    ] as const) {
      const { listener, results } = made({ path: `/run/${'ü'.repeat(9)}`.padEnd(bytes - 9, 'x') });
      listener.server.listen = () => listener.server;
      listener.listen();
      assert.deepEqual(results, fits ? [] : [-ERRNO.EINVAL]);
    }
  });

  /** A probe of a path in use, whose end a test decides. */
  async function inUse(path: string): Promise<Heard & { probe: EventEmitter; ends: string[] }> {
    const ends: string[] = [];
    const probe = Object.assign(new EventEmitter(), { destroy: () => ends.push('destroy') });
    mock.method(net, 'connect', (given: string) => {
      ends.push(given);
      return probe;
    });
    syncBuiltinESMExports();
    const heard = made({ path });
    heard.listener.listen();
    await once(heard.listener.server, 'error');
    return { ...heard, probe, ends };
  }

  async function withServer(path: string, body: () => Promise<void>): Promise<void> {
    const server = createServer().listen(path);
    await once(server, 'listening');
    try {
      await body();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('leaves a path that another server uses, or that it cannot ask', unixOnly, async () => {
    const path = join(folder, 'used');
    await withServer(path, async () => {
      for (const [event, error, ends] of [
        ['connect', undefined, [path, 'destroy']],
        ['error', Object.assign(new Error(), { code: 'EACCES' }), [path]],
        ['error', Object.assign(new Error(), { code: 'EAGAIN' }), [path]],
        ['error', new Error('unknown'), [path]],
      ] as const) {
        const { listener, probe, results, ends: found } = await inUse(path);
        assert.deepEqual(results, []);
        probe.emit(event, error);
        assert.deepEqual([results, found], [[-ERRNO.EADDRINUSE], ends]);
        assert.ok(listener.isClosed && existsSync(path));
      }
    });
    writeFileSync(path, 'precious');
    const { ends, results } = await inUse(path);
    assert.deepEqual([results, ends], [[-ERRNO.EADDRINUSE], []], 'no socket: not even asked');
    rmSync(path);
  });

  it('removes a socket that refuses, once', unixOnly, async () => {
    const path = join(folder, 'stale');
    await withServer(path, async () => {
      const refused = Object.assign(new Error(), { code: 'ECONNREFUSED' });
      const first = await inUse(path);
      mock.method(fs, 'unlinkSync', () => {
        throw Object.assign(new Error(), { code: 'EACCES' });
      });
      syncBuiltinESMExports();
      first.probe.emit('error', refused);
      assert.deepEqual(first.results, [-ERRNO.EACCES]);
      assert.ok(existsSync(path));
      mock.restoreAll();
      const second = await inUse(path);
      second.probe.emit('error', refused);
      await once(second.listener.server, 'listening');
      assert.deepEqual(second.results, [0]);
      second.listener.close();
      mock.restoreAll();
      // Another server binds between the removal and the listen.
      await withServer(path, async () => {
        const third = await inUse(path);
        third.listener.server.listen = () => third.listener.server;
        third.probe.emit('error', refused);
        await withServer(path, async () => {
          third.listener.server.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' }));
          assert.deepEqual(third.results, [-ERRNO.EADDRINUSE]);
          assert.ok(existsSync(path));
        });
      });
    });
  });

  it('fails where the file in use is gone by then', unixOnly, async () => {
    const path = join(folder, 'gone');
    await withServer(path, async () => {
      const { listener, results } = made({ path });
      listener.server.prependListener('error', () => rmSync(path));
      listener.listen();
      await once(listener.server, 'error');
      assert.deepEqual(results, [-ERRNO.EADDRINUSE]);
    });
  });
});
