// Log files whose system calls are those of the test: a file that is opened again in the middle of
// a write, descriptors that are of no use, and the exit of the process in each state of a file.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { appendToLog, flushLogs, onReopen, reopenLogs } from '../../src/async-io/log-files.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { LOG_WAITING_CHARACTERS_MAX } from '../../src/base/fixed-limits.ts';

type Done = (error: Error | null, result: number) => void;

interface Write {
  readonly fd: number;
  readonly text: string;
  readonly done: Done;
}

const RETRY_MS = 1_000;

let files = 0;
let nextFd = 0;
let isFifo = false;
let opens: Done[] = [];
let writes: Write[] = [];
let closed: number[] = [];
let writtenNow: string[] = [];
let faultNow: Error | null = null;
let notices: string[] = [];

function fault(code: 'EBADF' | 'EPIPE' | 'ENXIO' | 'ENOSPC' | 'EAGAIN' | 'ENOENT'): Error {
  return Object.assign(new Error(code), { code, errno: -ERRNO[code as keyof typeof ERRNO] });
}

function append(path: string, text: string): void {
  appendToLog(path, text, (notice) => notices.push(notice));
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The descriptor of the file that waits to be opened. */
function opened(): number {
  const done = opens.shift();
  assert.ok(done !== undefined, 'a file is being opened');
  nextFd += 1;
  done(null, nextFd);
  return nextFd;
}

/** Ends the write in progress. */
function written(error: Error | null = null): Write {
  const write = writes.shift();
  assert.ok(write !== undefined, 'a write is in progress');
  write.done(error, error === null ? Buffer.byteLength(write.text) : 0);
  return write;
}

/** A file with a first line; returns its descriptor. */
async function begun(path: string): Promise<number> {
  append(path, 'first\n');
  await turn();
  const fd = opened();
  written();
  return fd;
}

/** What the module does when the process exits. */
let exiting: (() => void) | null = null;

describe('a log file', () => {
  let path = '';

  beforeEach(async () => {
    files += 1;
    path = `/nowhere/${files}.log`;
    [nextFd, isFifo, faultNow] = [1_000 * files, false, null];
    [opens, writes, closed, writtenNow, notices] = [[], [], [], [], []];
    mock.timers.enable({ apis: ['setTimeout'] });
    const replace = (name: keyof typeof fs, call: unknown) =>
      mock.method(fs, name as 'open', call as never);
    replace('open', (_path: string, _flags: number, _mode: number, done: Done) => opens.push(done));
    replace(
      'write',
      (fd: number, bytes: Uint8Array, from: number, length: number, _at: null, done: Done) => {
        const text = Buffer.from(bytes.subarray(from, from + length)).toString();
        writes.push({ fd, text, done });
      },
    );
    replace('close', (fd: number) => closed.push(fd));
    replace('fstat', (_fd: number, done: (error: null, stat: object) => void) => {
      done(null, { isFile: () => false });
    });
    replace('fstatSync', () => ({ isFIFO: () => isFifo, isFile: () => false }));
    replace('openSync', () => ++nextFd);
    replace('writeSync', (_fd: number, bytes: Uint8Array, from: number, length: number) => {
      if (faultNow !== null) throw faultNow;
      writtenNow.push(Buffer.from(bytes.subarray(from, from + length)).toString());
      return length;
    });
    syncBuiltinESMExports();
    const before = process.listenerCount('exit');
    await begun(path);
    const listeners = process.listeners('exit');
    assert.equal(listeners.length - before, exiting === null ? 1 : 0, 'one for all files');
    exiting ??= listeners.at(-1) as () => void;
    [opens, writes, closed] = [[], [], []];
  });

  afterEach(async () => {
    // Nothing waits in a file of an earlier test.
    while (opens.length > 0) opened();
    while (writes.length > 0) written();
    mock.timers.reset();
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  it('that is opened again in the middle of a write is closed behind it, once', async () => {
    append(path, 'one\n');
    await turn();
    reopenLogs();
    reopenLogs();
    assert.ok(!closed.includes(nextFd), 'the write has the descriptor');
    const { fd } = written();
    assert.deepEqual(
      closed.filter((one) => one === fd),
      [fd],
    );
    append(path, 'two\n');
    await turn();
    const second = opened();
    assert.equal(written().fd, second);
    append(path, 'three\n');
    await turn();
    assert.equal(written().fd, second, 'it is not opened again');
    assert.ok(!closed.includes(second));
  });

  it('is opened again after an error of its descriptor, and keeps it after others', async () => {
    for (const [code, isOpened] of [
      ['EBADF', true],
      ['EPIPE', true],
      ['ENXIO', true],
      ['ENOSPC', false],
    ] as const) {
      notices = [];
      append(path, `${code}\n`);
      await turn();
      const { fd } = written(fault(code));
      assert.equal(closed.includes(fd), isOpened, code);
      assert.equal(notices.length, 1, code);
      assert.match(notices[0], /^log file \/nowhere\/\d+\.log cannot be written \(/);
      mock.timers.tick(RETRY_MS);
      assert.equal(opens.length, isOpened ? 1 : 0, code);
      if (isOpened) opened();
      // A second failure is no news, a success ends that.
      written(fault('ENOSPC'));
      assert.equal(notices.length, 1, code);
      mock.timers.tick(RETRY_MS);
      assert.equal(written().text, `${code}\n`);
    }
  });

  it('that is full for a moment is no failure', async () => {
    append(path, 'one\n');
    await turn();
    written(fault('EAGAIN'));
    mock.timers.tick(1);
    assert.equal(written().text, 'one\n');
    assert.deepEqual(notices, []);
    assert.deepEqual(closed, []);
  });

  it('that cannot be opened is opened again later', async () => {
    reopenLogs();
    append(path, 'one\n');
    await turn();
    opens.shift()?.(fault('ENOENT'), -1);
    assert.equal(notices.length, 1);
    mock.timers.tick(RETRY_MS);
    opened();
    assert.equal(written().text, 'one\n');
  });

  it('says how many lines were dropped', async () => {
    for (const [count, what] of [
      [1, '1 line was dropped'],
      [2, '2 lines were dropped'],
    ] as const) {
      notices = [];
      append(path, `${'x'.repeat(LOG_WAITING_CHARACTERS_MAX - 1)}\n`);
      for (let line = 0; line < count; line++) append(path, 'dropped\n');
      await turn();
      while (writes.length > 0) written();
      assert.equal(notices.length, 1);
      assert.ok(notices[0].endsWith(`could not be written for a while: ${what}`), notices[0]);
    }
  });

  it('gets all lines at once, a FIFO only as many as stay whole', async () => {
    const lines = ['a', 'b', 'c'].map((letter) => `${letter.repeat(2_999)}\n`);
    append(path, lines.join(''));
    await turn();
    assert.equal(written().text, lines.join(''));
    reopenLogs();
    isFifo = true;
    append(path, 'first\n');
    await turn();
    opened();
    written();
    append(path, lines.join(''));
    await turn();
    for (const line of lines) assert.equal(written().text, line);
  });

  it('is closed when its lines are written', async () => {
    append(path, 'one\n');
    const flushed = flushLogs();
    await turn();
    const { fd } = written();
    await flushed;
    assert.ok(closed.includes(fd));
  });

  it('gets its lines when the process exits, whatever is in progress', async () => {
    assert.ok(exiting !== null);
    reopenLogs();
    append(path, 'opening\n');
    await turn();
    assert.equal(opens.length, 1);
    // No thread has these bytes, since the file is not open.
    exiting();
    assert.deepEqual(writtenNow, ['opening\n']);
    opens = [];

    path = `${path}.1`;
    await begun(path);
    writtenNow = [];
    append(path, 'writing\n');
    await turn();
    append(path, 'waiting\n');
    exiting();
    assert.deepEqual(writtenNow, ['waiting\n'], 'a thread writes what it has');
    writes = [];

    path = `${path}.2`;
    await begun(path);
    append(path, 'fails\n');
    faultNow = fault('ENOSPC');
    exiting();
    assert.equal(notices.length, 1);
  });
});

it('calls each listener until it is cancelled', () => {
  const called: string[] = [];
  const cancels = ['a', 'b', 'c'].map((name) => onReopen(() => called.push(name)));
  cancels[0]();
  cancels[0]();
  reopenLogs();
  assert.deepEqual(called, ['b', 'c']);
  cancels[2]();
  reopenLogs();
  assert.deepEqual(called, ['b', 'c', 'b']);
  cancels[1]();
});
