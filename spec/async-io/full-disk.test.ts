// A disk that gets full in the middle of a line: lines of all processes that write the file are
// whole when it has room again.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, it, mock } from 'node:test';
import { Appender } from '../../src/async-io/line-sink.ts';
import { appendToLog, flushLogs } from '../../src/async-io/log-files.ts';
import { eventually } from '../../testing/with-server.ts';

const root = fs.mkdtempSync(join(tmpdir(), 'vibing-full-'));
after(() => fs.rmSync(root, { recursive: true }));

afterEach(() => {
  mock.restoreAll();
  syncBuiltinESMExports();
});

type Written = (error: Error | null, count: number) => void;

const FULL = Object.assign(new Error('no space'), { code: 'ENOSPC' });

/** Writes go to a disk that has this much room. */
function limitDisk(bytes: number): { room: number } {
  const disk = { room: bytes };
  const take = (fd: number, chunk: Uint8Array): number => {
    const count = Math.min(disk.room, chunk.length);
    if (count === 0) throw FULL;
    disk.room -= count;
    return writeSync(fd, chunk.subarray(0, count));
  };
  const { writeSync } = fs;
  mock.method(fs, 'write', (fd: number, given: Uint8Array | string, ...rest: unknown[]) => {
    const done = rest.at(-1) as Written;
    const [from, length] = rest as number[];
    const chunk =
      typeof given === 'string' ? Buffer.from(given) : given.subarray(from, from + length);
    let result: number;
    try {
      result = take(fd, chunk);
    } catch (error) {
      return setImmediate(done, error as Error, 0);
    }
    return setImmediate(done, null, result);
  });
  mock.method(fs, 'writeSync', (fd: number, bytes: Uint8Array, from: number, length: number) => {
    return take(fd, bytes.subarray(from, from + length));
  });
  syncBuiltinESMExports();
  return disk;
}

/** Two names of one file, as of two processes. */
function twoNames(): readonly [string, string] {
  const [one, other] = [join(root, 'one.log'), join(root, 'other.log')];
  fs.writeFileSync(one, '');
  fs.linkSync(one, other);
  return [one, other];
}

it('a line that was cut ends, and follows again whole; those of others are whole', async () => {
  const [one, other] = twoNames();
  const disk = limitDisk(18);
  const notices: string[] = [];
  const notice = (text: string) => notices.push(text);
  appendToLog(one, 'one 1 .........\n', notice);
  await eventually('the first line', () => disk.room === 2);
  appendToLog(one, 'one 2 .........\n', notice);
  await eventually('a failure', () => notices.length === 1);
  appendToLog(other, 'other 1 .......\n', notice);
  await eventually('another failure', () => notices.length === 2);
  disk.room = 10_000;
  const all = () => fs.readFileSync(one, 'utf8');
  const isThere = () => /one 2 \.+\n/.test(all()) && all().includes('other 1');
  await eventually('all lines', isThere);
  await flushLogs();
  const lines = all().split('\n');
  assert.deepEqual(lines.slice(0, 2), ['one 1 .........', 'on']);
  // Both may see the half line at once: a second line end is an empty line.
  const rest = lines.slice(2).filter((line) => line !== '');
  assert.deepEqual(rest.sort(), ['one 2 .........', 'other 1 .......']);
  for (const text of notices) assert.match(text, /log file .* cannot be written \(ENOSPC\)/);
});

it('a process that exits ends the line, too; a whole line needs no line end', async () => {
  const path = join(root, 'exit.log');
  const fd = fs.openSync(path, 'a');
  const disk = limitDisk(6);
  const appender = new Appender(fd);
  const bytes = Buffer.from('one\ntwo\n');
  const append = (from: number) => {
    return new Promise<number>((resolve) => {
      appender.append(bytes, from, bytes.length, resolve);
    });
  };
  assert.equal(await append(0), 6);
  assert.ok((await append(6)) < 0);
  disk.room = 100;
  assert.equal(appender.appendNow(bytes, 4, 8), 4);
  assert.equal(fs.readFileSync(path, 'utf8'), 'one\ntw\ntwo\n');
  disk.room = 0;
  assert.ok((await append(0)) < 0);
  assert.ok((await append(0)) < 0, 'nor the line end');
  disk.room = 100;
  assert.equal(await append(0), 8);
  assert.equal(fs.readFileSync(path, 'utf8'), 'one\ntw\ntwo\none\ntwo\n');
  fs.closeSync(fd);
});
