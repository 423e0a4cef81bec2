// Sends from files: what is asked for, what is sent, and which faults are those of the file.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { IN_MEMORY, NOT_CACHED } from '../../../src/driver/driver.ts';
import { CachedPages } from '../../../src/driver/linux/file-calls.ts';
import {
  FILE_SEND_BYTES_MAX,
  FileSends,
  PROBE_BYTES,
} from '../../../src/driver/linux/file-sends.ts';
import type { Syscalls } from '../../../src/driver/linux/syscalls.ts';
import { ScriptedFiles } from '../scripted/files.ts';

const FD = 20;
const SOCKET = 30;
const REGION = -3;
const BYTES: number = 4 * FILE_SEND_BYTES_MAX;

interface Sent {
  readonly position: number;
  readonly bytes: number;
}

/** A file whose sendfile() sends all that it is asked for, or has another result. */
function fixture(result?: number): { files: ScriptedFiles; sends: FileSends; sent: Sent[] } {
  const files = new ScriptedFiles();
  files.contents.set(FD, new Uint8Array(BYTES));
  const sent: Sent[] = [];
  const calls = {
    sendsFiles: true,
    sendfile: (socket: number, file: number, position: number, bytes: number) => {
      assert.deepEqual([socket, file], [SOCKET, FD]);
      sent.push({ position, bytes });
      return result ?? bytes;
    },
    isCached: (file: number, position: number) => files.isCached(file, position),
    cachedPages: (file: number, position: number, bytes: number) =>
      files.cachedPages(file, position, bytes),
  };
  const sends = new FileSends(calls as unknown as Syscalls);
  assert.equal(sends.map(REGION, FD, 0), true);
  return { files, sends, sent };
}

describe('FileSends', () => {
  it('sends what was asked for, and at most so much at once', () => {
    const { sends, sent } = fixture();
    assert.equal(sends.try(SOCKET, REGION, 0, 1, 0), 1);
    assert.equal(sends.try(SOCKET, REGION, 5, 4096, 0), 4096);
    assert.equal(sends.try(SOCKET, REGION, 1, BYTES - 1, 0), FILE_SEND_BYTES_MAX);
    assert.deepEqual(sent, [
      { position: 0, bytes: 1 },
      { position: 5, bytes: 4096 },
      { position: 1, bytes: FILE_SEND_BYTES_MAX },
    ]);
  });

  it('asks for the last byte where the system counts pages, else for one in each 64 KiB', () => {
    const { files, sends } = fixture();
    sends.try(SOCKET, REGION, 10, 2 * PROBE_BYTES, 0);
    assert.deepEqual(files.probes.splice(0), [2 * PROBE_BYTES + 9]);
    files.isUnknown = true;
    assert.equal(sends.try(SOCKET, REGION, 10, 2 * PROBE_BYTES, 0), 2 * PROBE_BYTES);
    assert.deepEqual(files.probes, [2 * PROBE_BYTES + 9, 10, 10 + PROBE_BYTES]);
  });

  it('asks nothing about a file that is always in memory', () => {
    const { files, sends, sent } = fixture();
    files.isUnknown = true;
    sends.map(REGION, FD, IN_MEMORY);
    assert.equal(sends.try(SOCKET, REGION, 3, 100, 0), 100);
    assert.deepEqual(sent, [{ position: 3, bytes: 100 }]);
    assert.deepEqual(files.probes, []);
  });

  it('sends nothing when a byte is not in memory', () => {
    for (const isUnknown of [false, true]) {
      for (const cachedTo of [0, 1, PROBE_BYTES, 2 * PROBE_BYTES - 1]) {
        const { files, sends, sent } = fixture();
        files.isUnknown = isUnknown;
        files.cachedTo = cachedTo;
        assert.equal(sends.try(SOCKET, REGION, 0, 2 * PROBE_BYTES, 0), NOT_CACHED);
        assert.deepEqual(sent, []);
      }
    }
  });

  it('sends nothing when one of those bytes is not in memory', () => {
    for (const missing of [0, PROBE_BYTES, 2 * PROBE_BYTES, 3 * PROBE_BYTES - 1]) {
      const { files, sends, sent } = fixture();
      files.isUnknown = true;
      files.isCached = (_file, position) => position !== missing;
      assert.equal(sends.try(SOCKET, REGION, 0, 3 * PROBE_BYTES, 0), NOT_CACHED);
      assert.deepEqual(sent, [], `byte ${missing}`);
    }
  });

  it('sends nothing when a page between those that are asked for is not in memory', () => {
    const { files, sends, sent } = fixture();
    files.cachedPages = () => CachedPages.Some;
    assert.equal(sends.try(SOCKET, REGION, 0, 2 * PROBE_BYTES, 0), NOT_CACHED);
    assert.deepEqual(sent, []);
  });

  it('sends nothing of a byte beyond the end', () => {
    const { sends, sent } = fixture();
    assert.equal(sends.try(SOCKET, REGION, BYTES, 1, 0), NOT_CACHED);
    assert.equal(sends.try(SOCKET, REGION, BYTES - 1, 2, 0), NOT_CACHED);
    assert.deepEqual(sent, []);
  });

  it('faults of the file, and its end, are not those of the connection', () => {
    const { EIO, EINVAL, EBADF, EOPNOTSUPP, EOVERFLOW } = ERRNO;
    for (const errno of [0, EIO, EINVAL, EBADF, EOPNOTSUPP, EOVERFLOW]) {
      assert.equal(fixture(-errno).sends.try(SOCKET, REGION, 0, 10, 0), NOT_CACHED, `${errno}`);
    }
    const { EAGAIN, EINTR, EPIPE, ECONNRESET, ENOMEM, ENOBUFS, ETIMEDOUT } = ERRNO;
    for (const errno of [EAGAIN, EINTR, EPIPE, ECONNRESET, ENOMEM, ENOBUFS, ETIMEDOUT]) {
      assert.equal(fixture(-errno).sends.try(SOCKET, REGION, 0, 10, 0), -errno);
    }
  });

  it('what was checked of a file with an identity counts for a while', () => {
    const { files, sends } = fixture();
    const probesOf = (start: number, bytes: number, nowMs: number): number => {
      files.probes.length = 0;
      assert.equal(sends.try(SOCKET, REGION, start, bytes, nowMs), bytes);
      return files.probes.length;
    };
    assert.deepEqual([probesOf(0, 100, 0), probesOf(0, 100, 0)], [1, 1], 'not without an identity');
    sends.map(REGION, FD, 7);
    assert.equal(probesOf(0, 100, 50), 1);
    assert.equal(probesOf(0, 100, 50), 0);
    assert.equal(probesOf(10, 90, 59.9), 0);
    assert.equal(probesOf(10, 91, 59.9), 1, 'more than was checked');
    assert.equal(probesOf(0, 101, 59.9), 0, 'both ranges together');
    assert.equal(probesOf(300, 10, 59.9), 1, 'one that is not adjacent replaces them');
    assert.equal(probesOf(0, 101, 59.9), 1);
    assert.equal(probesOf(150, 10, 59.9), 1, 'what lies between both was not checked');
    assert.equal(probesOf(0, 101, 59.9), 1);
    assert.equal(probesOf(0, 101, 69.9), 1, 'after a while');
    sends.map(REGION, FD, 8);
    assert.equal(probesOf(0, 101, 69.9), 1, 'another file with the same descriptor');
    sends.map(REGION, FD, 9);
    assert.deepEqual([probesOf(0, 100, 70), probesOf(100, 100, 79)], [1, 1]);
    assert.equal(probesOf(0, 200, 79.9), 0);
    assert.equal(probesOf(0, 200, 80), 1, 'what is joined counts no longer than its first part');
    files.cachedTo = 50;
    assert.equal(sends.try(SOCKET, REGION, 0, 101, 89), 101);
    assert.equal(sends.try(SOCKET, REGION, 0, 101, 90), NOT_CACHED);
    assert.equal(sends.try(SOCKET, REGION, 0, 101, 91), NOT_CACHED, 'a failed check is not kept');
  });

  it('maps nothing where the system has no such calls', () => {
    const sends = new FileSends({ sendsFiles: false } as Syscalls);
    assert.equal(sends.map(REGION, FD, 0), false);
  });
});
