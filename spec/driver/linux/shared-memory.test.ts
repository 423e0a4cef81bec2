// Files in memory: what two mappings share, what a descriptor contains, and that a failure leaves
// none open.

import assert from 'node:assert/strict';
import fs, {
  closeSync,
  fstatSync,
  ftruncateSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { ffi } from '../../../src/driver/linux/ffi.ts';
import { linuxMemoryFiles } from '../../../src/driver/linux/memory-files.ts';
import { mapShared, openSharedMemory } from '../../../src/driver/linux/shared-memory.ts';

const PAGE = 4_096;
const isUsable = process.platform === 'linux' && typeof ffi() !== 'string';
const options = isUsable ? {} : { skip: 'needs Linux and koffi' };

afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

function opened(): number {
  return openSharedMemory('vibing-test') ?? assert.fail();
}

function onOtherSystem(body: () => void): void {
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'plan9' });
  try {
    body();
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
}

/** Node's calls fail after `after` of them. */
function failing(error: unknown, after: number): void {
  const real = fs.writeSync as (...given: unknown[]) => number;
  let calls = 0;
  mock.method(fs, 'writeSync', (fd: number, bytes: Uint8Array, at: number) => {
    calls += 1;
    if (calls > after) throw error;
    // A part, as with a full memory.
    return real(fd, bytes, at, Math.min(3, bytes.length - at));
  });
  syncBuiltinESMExports();
}

describe('memory that processes share', options, () => {
  it('is a file without a path, which no child inherits, and which mappings show', () => {
    const fd = opened();
    assert.match(fs.readlinkSync(`/proc/self/fd/${fd}`), /memfd:vibing-test /);
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    assert.equal(Number.parseInt(flags?.[1] ?? '', 8) & 0o2000000, 0o2000000, 'close-on-exec');
    ftruncateSync(fd, 3 * PAGE);
    const whole = new Uint8Array(mapShared(fd, 0, 3 * PAGE) ?? assert.fail());
    const second = new Uint8Array(mapShared(fd, PAGE, PAGE) ?? assert.fail());
    assert.deepEqual([whole.length, second.length], [3 * PAGE, PAGE]);
    second[5] = 77;
    assert.equal(whole[PAGE + 5], 77);
    writeSync(fd, Uint8Array.of(88), 0, 1, PAGE + 6);
    assert.equal(second[6], 88);
    const read = new Uint8Array(1);
    readSync(fd, read, 0, 1, PAGE + 5);
    assert.equal(read[0], 77);
    closeSync(fd);
    assert.equal(whole[PAGE + 5], 77, 'a mapping stays');
  });

  it('that cannot be mapped is null', () => {
    assert.equal(mapShared(-1, 0, PAGE), null);
    const fd = opened();
    // An offset within a page.
    assert.equal(mapShared(fd, 1, PAGE), null);
    closeSync(fd);
  });

  it('is null where the system has none', () => {
    onOtherSystem(() => {
      assert.equal(openSharedMemory('vibing-test'), null);
      assert.equal(mapShared(0, 0, PAGE), null);
    });
    // Longer names are an error of the call.
    assert.equal(openSharedMemory('x'.repeat(300)), null);
  });
});

describe('a file in memory', options, () => {
  const content = new TextEncoder().encode('content of a file');

  it('has its content, also where that is written in parts, and is closed', () => {
    for (const isPartial of [false, true]) {
      if (isPartial) failing(null, Number.POSITIVE_INFINITY);
      const fd = linuxMemoryFiles.create(content);
      assert.ok(fd >= 0);
      assert.deepEqual(readFileSync(`/proc/self/fd/${fd}`), Buffer.from(content));
      linuxMemoryFiles.close(fd);
      assert.throws(() => fstatSync(fd), { code: 'EBADF' });
    }
    const empty = linuxMemoryFiles.create(new Uint8Array(0));
    assert.equal(fstatSync(empty).size, 0);
    linuxMemoryFiles.close(empty);
  });

  it('that cannot be written is an error, and no descriptor is left', () => {
    for (const [error, fault] of [
      [Object.assign(new Error('no space'), { code: 'ENOSPC' }), -ERRNO.ENOSPC],
      [new Error('no code'), -ERRNO.EIO],
    ] as const) {
      for (const after of [0, 1]) {
        const next = opened();
        closeSync(next);
        failing(error, after);
        assert.equal(linuxMemoryFiles.create(content), fault);
        mock.restoreAll();
        syncBuiltinESMExports();
        assert.throws(() => fstatSync(next), { code: 'EBADF' }, 'the same one is free again');
      }
    }
    onOtherSystem(() => assert.equal(linuxMemoryFiles.create(content), -1));
  });
});
