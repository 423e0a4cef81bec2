// Descriptors that requests share: how many there are, and when each is closed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileKind, type FileStat, type OpenFile } from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { Services } from '../../src/exchange/exchange.ts';
import { FRESH_MS } from '../../src/static/freshness.ts';
import { OpenFiles, type SharedFile } from '../../src/static/open-files.ts';

const STAT: FileStat = {
  kind: FileKind.File,
  bytes: 1_000_000,
  modifiedMs: 1,
  changedMs: 1,
  inode: 7,
  device: 1,
};

/** Time passes when `pass` is called; files that are closed are in `closed`. */
class Clock {
  nowMs = 0;
  stat: FileStat | number = STAT;
  looks = 0;
  readonly closed: number[] = [];
  #waiting: (() => void)[] = [];

  get services(): Services {
    const asyncIo = {
      openStat: () => {
        this.looks += 1;
        return this.stat;
      },
      close: (file: number) => {
        this.closed.push(file);
        return Promise.resolve();
      },
    };
    const pause = () => new Promise<void>((resolve) => this.#waiting.push(resolve));
    return { asyncIo, nowMs: () => this.nowMs, pause } as unknown as Services;
  }

  async pass(): Promise<void> {
    this.nowMs += 100;
    for (const resolve of this.#waiting.splice(0)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const opened = (file: number): OpenFile => ({ file, stat: STAT });

function shared(files: OpenFiles, clock: Clock, key: object, file: number): SharedFile {
  return files.add(clock.services, key as never, opened(file)) ?? assert.fail('it is shared');
}

test('a busy file is closed a while after its last use, and not before', async () => {
  const clock = new Clock();
  const files = new OpenFiles();
  const key = {};
  const file = shared(files, clock, key, 3);
  file.released();
  assert.equal(files.acquire(key as never), file, 'used again while its close is due');
  await clock.pass();
  assert.deepEqual(clock.closed, []);
  file.released();
  assert.equal(files.acquire(key as never), file);
  file.released();
  await clock.pass();
  assert.deepEqual(clock.closed, [], 'it was used meanwhile');
  await clock.pass();
  assert.deepEqual(clock.closed, [3]);
  assert.equal(files.acquire(key as never), null);
});

test('a file that changed is not shared any more', () => {
  const clock = new Clock();
  const files = new OpenFiles();
  const key = {};
  shared(files, clock, key, 3);
  assert.equal(files.add(clock.services, key as never, opened(4)), null, 'one file for a key');
  clock.nowMs += 50;
  clock.stat = { ...STAT, changedMs: 2 };
  assert.equal(files.acquire(key as never), null);
  clock.stat = -ERRNO.EIO;
  assert.equal(files.acquire(key as never), null, 'nor one that cannot be looked at');
});

test('a file is looked at again a millisecond after the last look', () => {
  const clock = new Clock();
  clock.nowMs = 1_000;
  const files = new OpenFiles();
  const key = {};
  const file = shared(files, clock, key, 3);
  for (const [afterMs, looks] of [
    [FRESH_MS, 0],
    [0.5, 1],
    [FRESH_MS, 1],
    [0.5, 2],
  ]) {
    clock.nowMs += afterMs;
    assert.equal(files.acquire(key as never), file);
    assert.equal(clock.looks, looks);
  }
});

test('no more than 64 files are shared; one that is closed makes room', async () => {
  const clock = new Clock();
  const files = new OpenFiles();
  const all = Array.from({ length: 64 }, (_, index) => shared(files, clock, { index }, index));
  const key = {};
  assert.equal(files.add(clock.services, key as never, opened(64)), null);
  all[5].released();
  await clock.pass();
  await clock.pass();
  assert.deepEqual(clock.closed, [5]);
  assert.notEqual(files.add(clock.services, key as never, opened(64)), null);
  assert.equal(files.add(clock.services, key as never, opened(65)), null, 'it has one already');
});
