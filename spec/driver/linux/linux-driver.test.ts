// What both Linux drivers have in common, and the system calls for sends from files, where the
// kernel does not say or does not have what is asked for.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import { allowedCores, pinTo } from '../../../src/driver/linux/affinity.ts';
import { descriptorsMax } from '../../../src/driver/linux/descriptors.ts';
import { EpollDriver } from '../../../src/driver/linux/epoll.ts';
import { type Ffi, ffi } from '../../../src/driver/linux/ffi.ts';
import { CachedPages, FileCalls, fileCalls } from '../../../src/driver/linux/file-calls.ts';
import type { Foreign } from '../../../src/driver/linux/foreign.ts';
import { openSharedMemory } from '../../../src/driver/linux/shared-memory.ts';
import { linuxSyscalls } from '../../../src/driver/linux/syscalls.ts';
import { ScriptedFixture } from '../scripted/driver-fixture.ts';
import { epollFixture } from '../scripted/epoll-fixture.ts';
import { RingFixture } from '../scripted/ring-fixture.ts';

afterEach(() => mock.restoreAll());

describe('a Linux driver', () => {
  it('has the clocks of the process', () => {
    const { driver } = epollFixture();
    const [beganMs, beganWallMs] = [performance.now(), Date.now()];
    const [nowMs, wallMs] = [driver.now(), driver.wall()];
    assert.ok(nowMs >= beganMs && nowMs <= performance.now());
    assert.ok(wallMs >= beganWallMs && wallMs <= Date.now());
    driver.destroy();
  });

  it('knows neither the peer nor what that lacks where the kernel does not say', () => {
    const fixture = epollFixture();
    fixture.adopt(0);
    const { driver, kernel } = fixture;
    assert.ok(driver.peer(0).port > 0);
    assert.equal(driver.unacknowledged(0), 0);
    kernel.getpeername = () => -ERRNO.ENOTCONN;
    kernel.unacknowledged = () => -ERRNO.EINVAL;
    assert.deepEqual(driver.peer(0), { address: '', port: 0 });
    assert.equal(driver.unacknowledged(0), -1);
    fixture.finish(0);
    fixture.end();
  });

  it('watches each socket of a slot anew, once at a time', () => {
    const fixture = epollFixture();
    for (let life = 0; life < 2; life++) {
      fixture.adopt(0);
      for (let time = 0; time < 2; time++) {
        fixture.watch(0);
        assert.throws(() => fixture.driver.watch(0), /one watch in flight a socket/);
        assert.deepEqual(fixture.turn(), []);
        fixture.driver.abort(0, false);
        const [completion] = fixture.turn();
        assert.deepEqual([completion.op, completion.result], [Op.Watch, -ERRNO.ECANCELED]);
      }
      fixture.close(0);
      fixture.turn();
    }
    fixture.end();
  });

  it('watches its epoll from its start to its end', () => {
    const watches: { fd: number; closes: number }[] = [];
    const fixture = new ScriptedFixture((options, calls) => {
      calls.watchOnLoop = (fd) => {
        const watch = { fd, closes: 0 };
        watches.push(watch);
        const close = (): void => {
          watch.closes += 1;
        };
        return { arm: () => {}, close };
      };
      return new EpollDriver(options, calls);
    });
    const [watch] = watches;
    assert.deepEqual([watches.length, watch.closes], [1, 0]);
    fixture.driver.destroy();
    assert.deepEqual([watch.closes, fixture.kernel.openCount], [1, 0]);
  });

  it('that cannot start leaves nothing open', () => {
    const starts = (): ScriptedFixture =>
      new ScriptedFixture((options, calls) => {
        calls.epollCreate = () => -ERRNO.EMFILE;
        return new EpollDriver(options, calls);
      });
    assert.throws(starts, /^Error: epoll_create1 failed: too many open files; .* \(EMFILE\)$/);
  });
});

describe('the uring driver', () => {
  it('takes a block back that comes with the end of a stream, or an error', () => {
    for (const error of [0, ERRNO.ECONNRESET]) {
      const fixture = new RingFixture({ blockCount: 4 });
      const socket = fixture.adopt(0);
      fixture.kernel.endsUseBuffers = true;
      for (let life = 0; life < 9; life++) {
        fixture.driver.receive(0);
        if (error === 0) socket.ended = true;
        else socket.error = error;
        fixture.kernel.changed(socket.fd);
        const [{ block, result }] = fixture.settle();
        assert.deepEqual([result, block], [error === 0 ? 0 : -error, -1], `receive ${life}`);
        socket.error = 0;
      }
      fixture.finish(0);
    }
  });
});

describe('a C library', () => {
  /** The real one, in which some functions are others. */
  function without(name: string, other: () => Foreign, body: () => void): void {
    const real = ffi();
    if (process.platform !== 'linux' || typeof real === 'string') return;
    const { func } = real;
    mock.method(real, 'func', (prototype: string) =>
      prototype.includes(` ${name}(`) ? other() : func(prototype),
    );
    body();
    mock.restoreAll();
  }

  const missing = (): never => {
    throw new Error('undefined symbol');
  };

  it('may lack files in memory, or fail', () => {
    without('memfd_create', missing, () => assert.equal(openSharedMemory('a'), null));
    const fails = (): Foreign => () => -1;
    without('memfd_create', fails, () => assert.equal(openSharedMemory('a'), null));
    without('sched_getaffinity', fails, () => assert.deepEqual(allowedCores(), []));
    without('sched_setaffinity', fails, () => assert.equal(pinTo(0), false));
    without('poll', fails, () => {
      const calls = linuxSyscalls();
      assert.ok(typeof calls !== 'string');
      // It sets the errno that is read then.
      assert.equal(calls.close(-1), -ERRNO.EBADF);
      assert.equal(calls.broken(0), -ERRNO.EBADF);
    });
  });

  it('has as many descriptors as it says, or any number', () => {
    const read = mock.method(fs, 'readFileSync', () => {
      throw new Error('ENOENT');
    });
    syncBuiltinESMExports();
    try {
      assert.equal(descriptorsMax(), Number.POSITIVE_INFINITY);
      assert.equal(read.mock.calls[0].arguments[0], '/proc/self/limits');
    } finally {
      mock.restoreAll();
      syncBuiltinESMExports();
    }
  });
});

describe('the calls for sends from files', () => {
  /** A C library whose calls are noted; `results` by name, else 0. */
  function library(results: Readonly<Record<string, number>> = {}): {
    ffi: Ffi;
    made: unknown[][];
    words: () => BigUint64Array;
  } {
    const made: unknown[][] = [];
    let memory: Uint8Array = new Uint8Array(0);
    const func = (prototype: string): Foreign => {
      const name = / (\w+)\(/.exec(prototype)?.[1] ?? '';
      return (...given) => {
        if (name !== 'getpagesize') made.push([name, ...given]);
        return results[name] ?? 0;
      };
    };
    const addressOf = (bytes: Uint8Array): number => {
      memory = bytes;
      return 1_000;
    };
    const fake: Partial<Ffi> = { func, addressOf };
    return { ffi: fake as Ffi, made, words: () => new BigUint64Array(memory.buffer) };
  }

  it('pass positions and ranges by address', () => {
    const { ffi: fake, made, words } = library({ sendfile: 5, preadv2: 1, getpagesize: 4_096 });
    const calls = new FileCalls(fake);
    assert.equal(calls.sendfile(3, 4, 2 ** 40, 6), 5);
    assert.deepEqual(made.pop(), ['sendfile', 3, 4, 1_000 + 8 * 3, 6]);
    assert.equal(words()[3], 2n ** 40n);
    assert.equal(calls.isCached(4, 77), true);
    assert.deepEqual(made.pop(), ['preadv2', 4, 1_000, 1, 77, 8]);
    // One byte, in the same memory.
    assert.deepEqual([words()[0], words()[1]], [1_016n, 1n]);
    assert.equal(calls.cachedPages(4, 8, 9), CachedPages.Some);
    assert.deepEqual(made.pop(), ['syscall', 451, 4, 1_000 + 8 * 4, 1_000 + 8 * 6, 0]);
    assert.deepEqual([words()[4], words()[5]], [8n, 9n]);
  });

  it('count the pages that a range touches', () => {
    const { ffi: fake, words } = library({ getpagesize: 4_096 });
    const calls = new FileCalls(fake);
    for (const [position, bytes, pages] of [
      [0, 1, 1],
      [0, 4_096, 1],
      [0, 4_097, 2],
      [4_095, 1, 1],
      [4_095, 2, 2],
      [4_096, 4_096, 1],
      [8_191, 4_098, 3],
    ] as const) {
      words()[6] = BigInt(pages);
      assert.equal(calls.cachedPages(4, position, bytes), CachedPages.All, `${position}, ${bytes}`);
      words()[6] = BigInt(pages - 1);
      assert.equal(calls.cachedPages(4, position, bytes), CachedPages.Some);
    }
  });

  it('say so where the system does not count, and where a byte cannot be read', () => {
    for (const [preadv2, isCached] of [
      [1, true],
      [0, false],
      [-1, false],
    ] as const) {
      const calls = new FileCalls(library({ preadv2, syscall: -1, getpagesize: 4_096 }).ffi);
      assert.equal(calls.isCached(4, 0), isCached);
      assert.equal(calls.cachedPages(4, 0, 1), CachedPages.Unknown);
    }
  });

  it('are none on other architectures, or where the C library lacks one', () => {
    assert.ok(fileCalls(library().ffi) instanceof FileCalls);
    const { arch } = process;
    Object.defineProperty(process, 'arch', { value: 'ia32' });
    try {
      assert.equal(fileCalls(library().ffi), null);
    } finally {
      Object.defineProperty(process, 'arch', { value: arch });
    }
    const lacking: Partial<Ffi> = {
      func: () => {
        throw new Error('undefined symbol');
      },
    };
    assert.equal(fileCalls(lacking as Ffi), null);
  });

  it('without them no file is sent, and nothing is known to be in memory', () => {
    const real = ffi();
    if (process.platform !== 'linux' || typeof real === 'string') return;
    const { func } = real;
    mock.method(real, 'func', (prototype: string) => {
      if (prototype.includes('preadv2')) throw new Error('undefined symbol');
      return func(prototype);
    });
    const calls = linuxSyscalls();
    assert.ok(typeof calls !== 'string');
    assert.equal(calls.sendsFiles, false);
    assert.equal(calls.isCached(0, 0), false);
    assert.equal(calls.cachedPages(0, 0, 1), CachedPages.Unknown);
    assert.ok(calls.sendfile(0, 0, 0, 1) < 0 || real.errno() === 0);
  });
});
