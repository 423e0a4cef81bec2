// Log files: whole lines, also of several processes, and what happens when a file is renamed, is
// missing, or cannot be written.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  appendToLog,
  flushLogs,
  logLinesDropped,
  onReopen,
  reopenLogs,
  reopenLogsOnSignal,
} from '../../src/async-io/log-files.ts';
import { LOG_WAITING_CHARACTERS_MAX } from '../../src/base/fixed-limits.ts';
import { eventually, wait } from '../../testing/with-server.ts';

const POSIX = {
  skip: process.platform === 'win32' ? 'Windows has neither modes nor FIFOs' : false,
};
const LINUX = { skip: process.platform === 'linux' ? false : 'only Linux has /dev/full' };

const root = mkdtempSync(join(tmpdir(), 'vibing-logs-'));
after(() => rmSync(root, { recursive: true }));

let files = 0;

function freshPath(): string {
  files += 1;
  return join(root, `${files}.log`);
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

test('lines are added to what a file has, by owner and group only', POSIX, async () => {
  const path = freshPath();
  const notices: string[] = [];
  appendToLog(path, 'one\n', (text) => notices.push(text));
  appendToLog(path, 'two\n', (text) => notices.push(text));
  await flushLogs();
  assert.equal(textOf(path), 'one\ntwo\n');
  assert.equal(statSync(path).mode & 0o777, 0o640 & ~process.umask());
  // flushLogs() has closed the file; the next line opens it.
  appendToLog(path, 'three\n', (text) => notices.push(text));
  await flushLogs();
  assert.equal(textOf(path), 'one\ntwo\nthree\n');
  assert.deepEqual(notices, []);
});

test(
  'a renamed file gets the lines until it is opened again, and none is lost',
  POSIX,
  async () => {
    const path = freshPath();
    const old = `${path}.1`;
    const write = async (line: string): Promise<void> => {
      appendToLog(path, `${line}\n`, assert.fail);
      await eventually('the line', () => `${textOf(path)}${textOf(old)}`.includes(line));
    };
    await write('first');
    renameSync(path, old);
    await write('second');
    assert.equal(existsSync(path), false);
    let calls = 0;
    const cancel = onReopen(() => {
      calls += 1;
    });
    reopenLogs();
    cancel();
    await write('third');
    reopenLogs();
    await write('fourth');
    assert.equal(textOf(old), 'first\nsecond\n');
    assert.equal(textOf(path), 'third\nfourth\n');
    assert.equal(calls, 1);
    await flushLogs();
  },
);

test('a file that is opened again while a write is in progress', async () => {
  const path = freshPath();
  let wanted = '';
  for (let line = 0; line < 2_000; line++) {
    appendToLog(path, `${line}\n`, assert.fail);
    wanted += `${line}\n`;
    if (line % 10 === 0) reopenLogs();
    if (line % 40 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await flushLogs();
  assert.equal(textOf(path), wanted);
});

test('SIGUSR1 opens files again', POSIX, async () => {
  const path = freshPath();
  reopenLogsOnSignal();
  reopenLogsOnSignal();
  assert.equal(process.listenerCount('SIGUSR1'), 1);
  appendToLog(path, 'before\n', assert.fail);
  await eventually('a line', () => textOf(path) !== '');
  renameSync(path, `${path}.1`);
  let isReopened = false;
  const cancel = onReopen(() => {
    isReopened = true;
  });
  process.kill(process.pid, 'SIGUSR1');
  await eventually('the signal', () => isReopened);
  cancel();
  appendToLog(path, 'after\n', assert.fail);
  await flushLogs();
  assert.equal(textOf(path), 'after\n');
});

test('a folder that is missing is reported once, and its lines are written later', async () => {
  const folder = join(root, 'missing');
  const path = join(folder, 'a.log');
  const notices: string[] = [];
  appendToLog(path, 'one\n', (text) => notices.push(text));
  await eventually('a notice', () => notices.length > 0);
  appendToLog(path, 'two\n', (text) => notices.push(text));
  mkdirSync(folder);
  await eventually('the lines', () => textOf(path) === 'one\ntwo\n');
  assert.equal(notices.length, 1);
  assert.match(notices[0], /^log file .*a\.log cannot be written \(ENOENT\): it is tried again/);
  await flushLogs();
});

test('a full disk is no reason to stop or to buffer without bound', LINUX, async () => {
  const notices: string[] = [];
  const before = logLinesDropped();
  const line = `${'x'.repeat(9_999)}\n`;
  const count = Math.ceil((3 * LOG_WAITING_CHARACTERS_MAX) / line.length);
  for (let index = 0; index < count; index++) {
    appendToLog('/dev/full', line, (text) => notices.push(text));
  }
  await eventually('a notice', () => notices.length > 0);
  // It is tried again, and reported once.
  await wait(1_200);
  const refusals = notices.filter((text) => text.includes('cannot be written (ENOSPC)'));
  assert.equal(refusals.length, 1, String(notices));
  const dropped = logLinesDropped() - before;
  assert.ok(dropped > count / 2 && dropped < count, `${dropped} of ${count}`);
});

test('a FIFO without a reader blocks nothing, and gets lines when it has one', POSIX, async () => {
  const path = freshPath();
  execFileSync('mkfifo', [path]);
  const notices: string[] = [];
  appendToLog(path, 'one\n', (text) => notices.push(text));
  await eventually('a notice', () => notices.length > 0);
  assert.match(notices[0], /cannot be written \(ENXIO\)/);
  const reader = await open(path, 'r+');
  const { buffer, bytesRead } = await reader.read(Buffer.alloc(100), 0, 100);
  assert.equal(buffer.toString('utf8', 0, bytesRead), 'one\n');
  await flushLogs();
  await reader.close();
});

test('lines of several processes are whole, also when these exit at once', async () => {
  const path = freshPath();
  writeFileSync(path, '');
  const script = fileURLToPath(new URL('programs/append-lines.js', import.meta.url));
  const children = ['a', 'b', 'c'].map((name) => {
    return spawn(process.execPath, [script, path, name, '600'], { stdio: 'inherit' });
  });
  await Promise.all(children.map((child) => once(child, 'close')));
  const lines = textOf(path).split('\n');
  assert.equal(lines.pop(), '');
  for (const line of lines) assert.match(line, /^[abc] \d+ x* end$/);
  for (const name of ['a', 'b', 'c']) {
    const own = lines.filter((line) => line.startsWith(`${name} `));
    // What a thread of the pool writes at exit may come behind later lines.
    assert.deepEqual(
      own.map((line) => Number(line.split(' ')[1])).sort((one, other) => one - other),
      Array.from({ length: 600 }, (_, index) => index),
    );
  }
});
