// How Node's loop watches a descriptor, over a scripted libuv and a scripted koffi. Over the real
// ones: loop-watch.test.ts.

import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { setImmediate as nextImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Koffi, loadFfi } from '../../../src/driver/linux/ffi.ts';
import type { Foreign } from '../../../src/driver/linux/foreign.ts';
import { type LoopCalls, loopCalls, watchByLibuv } from '../../../src/driver/linux/loop-watch.ts';

const LOOP = 100;
const HANDLE = 7_000;
const NOTHING = 55;
const FD = 9;

/** libuv, whose calls are noted; those in `failing` fail. */
function libuv(...failing: string[]): {
  calls: LoopCalls;
  made: unknown[][];
  memory: Uint8Array[];
} {
  const made: unknown[][] = [];
  const memory: Uint8Array[] = [];
  const call =
    (name: string): Foreign =>
    (...given) => {
      made.push([name, ...given]);
      return failing.includes(name) ? -22 : 0;
    };
  const calls: LoopCalls = {
    loop: LOOP,
    nothing: NOTHING,
    handleBytes: 300,
    init: call('init'),
    start: call('start'),
    close: call('close'),
    addressOf: (bytes) => {
      memory.push(bytes);
      return HANDLE;
    },
  };
  return { calls, made, memory };
}

describe('a descriptor that libuv watches', () => {
  const STARTED = [
    ['init', LOOP, HANDLE, FD],
    ['start', HANDLE, 1, NOTHING],
  ];

  it('has a handle that does not move, until it is closed', () => {
    for (const handleBytes of [1, 300]) {
      const { calls, made, memory } = libuv();
      const watched = watchByLibuv({ ...calls, handleBytes }, FD, assert.fail);
      assert.ok(watched !== null);
      assert.deepEqual(made, STARTED);
      assert.equal(memory[0].length, Math.max(handleBytes, 256));
      watched.close();
      watched.close();
      assert.deepEqual(made, [...STARTED, ['close', HANDLE, 0]]);
    }
  });

  it('keeps the memory of its handle until libuv no longer uses it, and no longer', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    /** The memory of a handle that nothing else refers to. */
    const begun = (isClosed: boolean): WeakRef<Uint8Array> => {
      let memory: WeakRef<Uint8Array> | null = null;
      const addressOf = (bytes: Uint8Array): number => {
        memory = new WeakRef(bytes);
        return HANDLE;
      };
      const watched = watchByLibuv({ ...libuv().calls, addressOf }, FD, () => {});
      if (isClosed) watched?.close();
      return memory ?? assert.fail();
    };
    const [open, closed] = [begun(false), begun(true)];
    // The references of this round of the loop end with it.
    await nextImmediate();
    collect();
    assert.ok(open.deref() !== undefined && closed.deref() !== undefined);
    for (let round = 0; round < 3; round++) await nextImmediate();
    collect();
    assert.equal(closed.deref(), undefined);
    assert.ok(open.deref() !== undefined);
  });

  it('calls once for each time that it is armed, and never after its close', async () => {
    const { calls } = libuv();
    let calledTimes = 0;
    const watched = watchByLibuv(calls, FD, () => {
      calledTimes += 1;
    });
    assert.ok(watched !== null);
    await nextImmediate();
    assert.equal(calledTimes, 0);
    for (const wanted of [1, 2]) {
      for (let count = 0; count < 3; count++) watched.arm();
      assert.equal(calledTimes, wanted - 1, 'not at once');
      await nextImmediate();
      assert.equal(calledTimes, wanted);
      await nextImmediate();
      assert.equal(calledTimes, wanted);
    }
    watched.arm();
    watched.close();
    watched.arm();
    await nextImmediate();
    await nextImmediate();
    assert.equal(calledTimes, 2);
  });

  it('keeps no process alive', () => {
    const { calls } = libuv();
    let unreferenced = 0;
    const watched = watchByLibuv(calls, FD, assert.fail);
    mock.method(globalThis, 'setImmediate', () => ({
      unref: () => {
        unreferenced += 1;
      },
    }));
    watched?.arm();
    mock.restoreAll();
    assert.equal(unreferenced, 1);
  });

  it('that libuv does not take is not watched, and nothing of it is left', () => {
    const refusing = libuv('init');
    assert.equal(watchByLibuv(refusing.calls, FD, assert.fail), null);
    assert.deepEqual(refusing.made, STARTED.slice(0, 1));
    const failing = libuv('start');
    assert.equal(watchByLibuv(failing.calls, FD, assert.fail), null);
    assert.deepEqual(failing.made, [...STARTED, ['close', HANDLE, 0]]);
  });
});

describe('the functions of libuv', () => {
  /** A C library with these results, by the name in the prototype. */
  function library(results: Readonly<Record<string, number>>): {
    func: (prototype: string) => Foreign;
    given: unknown[][];
  } {
    const given: unknown[][] = [];
    const func = (prototype: string): Foreign => {
      const name = / (\w+)\(/.exec(prototype)?.[1] ?? '';
      if (!(name in results)) throw new Error(`undefined symbol: ${name}`);
      return (...args) => {
        given.push([name, ...args]);
        return results[name];
      };
    };
    return { func, given };
  }

  const ALL = {
    dlsym: NOTHING,
    uv_default_loop: LOOP,
    uv_handle_size: 160,
    uv_poll_init: 1,
    uv_poll_start: 2,
    uv_close: 3,
  };
  const addressOf = (): number => HANDLE;

  it('are those of the loop of this process', () => {
    const { func, given } = library(ALL);
    const calls = loopCalls(func, addressOf);
    assert.ok(calls !== null);
    const { loop, nothing, handleBytes, init, start, close } = calls;
    assert.deepEqual({ loop, nothing, handleBytes }, { loop: 100, nothing: 55, handleBytes: 160 });
    assert.deepEqual(
      [init(), start(), close(), calls.addressOf(new Uint8Array(1))],
      [1, 2, 3, 7_000],
    );
    const [, defaultLoop, name] = given[0];
    assert.equal(defaultLoop, 0);
    assert.equal(
      Buffer.from(name as Uint8Array)
        .toString()
        .replace(/\0+$/, ''),
      'uv_version',
    );
    assert.deepEqual(given[2], ['uv_handle_size', 8]);
  });

  it('are none where one of them is missing', () => {
    for (const name of Object.keys(ALL)) {
      const { [name as keyof typeof ALL]: _, ...others } = ALL;
      assert.equal(loopCalls(library(others).func, addressOf), null, name);
    }
    assert.equal(loopCalls(library({ ...ALL, dlsym: 0 }).func, addressOf), null);
  });
});

describe('a library of foreign functions', () => {
  function without(code: string | undefined): unknown {
    const message = 'Cannot find the native module\nRequire stack';
    return loadFfi(() => {
      throw Object.assign(new Error(message), code === undefined ? {} : { code });
    });
  }

  it('that is missing, or does not load, says so in one line', () => {
    const install = 'koffi is not installed (npm install koffi)';
    assert.equal(without('MODULE_NOT_FOUND'), install);
    assert.equal(without('ERR_DLOPEN_FAILED'), 'koffi does not load: ERR_DLOPEN_FAILED');
    assert.equal(without(undefined), 'koffi does not load: Cannot find the native module');
  });

  interface Polled {
    readonly fd: number;
    readonly options: object;
    readonly called: () => void;
    closes: number;
  }

  /** koffi, with a C library that has nothing of libuv. */
  function koffi(): { koffi: Koffi; polls: Polled[] } {
    const polls: Polled[] = [];
    const func = (prototype: string): Foreign => {
      if (prototype.includes('uv_') || prototype.includes('dlsym')) throw new Error(prototype);
      return () => prototype.length;
    };
    const library: Koffi = {
      load: (path) => {
        assert.equal(path, null);
        return { func };
      },
      errno: () => 7,
      address: (bytes) => BigInt(bytes.length),
      view: (address, bytes) => new ArrayBuffer(address + bytes),
      node: {
        poll: (fd, options, called) => {
          const polled = { fd, options, called, closes: 0 };
          polls.push(polled);
          return {
            close: () => {
              polled.closes += 1;
            },
          };
        },
      },
    };
    return { koffi: library, polls };
  }

  it('passes calls on, and watches by itself where libuv cannot', () => {
    const { koffi: library, polls } = koffi();
    const ffi = loadFfi(() => library, false);
    assert.ok(typeof ffi !== 'string');
    assert.equal(ffi.func('int f()')(), 7);
    assert.equal(ffi.errno(), 7);
    assert.equal(ffi.addressOf(new Uint8Array(9)), 9);
    assert.equal(ffi.view(2, 3).byteLength, 5);
    let calledTimes = 0;
    const watched = ffi.watchOnLoop(FD, () => {
      calledTimes += 1;
    });
    watched.arm();
    const [polled] = polls;
    assert.deepEqual([polled.fd, polled.options], [FD, { readable: true }]);
    polled.called();
    assert.deepEqual([calledTimes, polls.length], [1, 1]);
    assert.equal(polled.closes, 0);
    watched.close();
    assert.equal(polled.closes, 1);
  });

  it('has Node run promises after a callback, where it does not by itself', async () => {
    const { koffi: library, polls } = koffi();
    const ffi = loadFfi(() => library, true);
    assert.ok(typeof ffi !== 'string');
    let calledTimes = 0;
    ffi.watchOnLoop(FD, () => {
      calledTimes += 1;
      if (calledTimes === 3) throw new Error('a handler');
    });
    const [{ called }] = polls;
    const immediates = mock.method(globalThis, 'setImmediate');
    called();
    called();
    assert.deepEqual([calledTimes, immediates.mock.callCount()], [2, 1], 'one serves both');
    await nextImmediate();
    const before = immediates.mock.callCount();
    // It is queued before the callback throws.
    assert.throws(called, /a handler/);
    assert.equal(immediates.mock.callCount(), before + 1);
    await nextImmediate();
    mock.restoreAll();
  });
});
