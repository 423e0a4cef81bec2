// LineWriter with a scripted sink: few writes, all lines that fit, in order; lines that do not fit
// are dropped, counted and reported.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { LOG_FLUSH_MS, LOG_WAITING_CHARACTERS_MAX } from '../../src/base/fixed-limits.ts';
import { made, nextImmediate } from './fixtures/fake-sink.ts';

const EPIPE = -ERRNO.EPIPE;
const EAGAIN = -ERRNO.EAGAIN;
const ENOSPC = -ERRNO.ENOSPC;
const EINTR = -ERRNO.EINTR;
const EBADF = -ERRNO.EBADF;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const LINE = `${'x'.repeat(999)}\n`;
const ROOM = Math.floor(LOG_WAITING_CHARACTERS_MAX / LINE.length);

describe('LineWriter', { timeout: 60_000 }, () => {
  it('lines of one turn are one write', async () => {
    const { sink, writer } = made();
    for (let line = 0; line < 100; line++) writer.write(`line ${line}\n`);
    assert.deepEqual(sink.writes, []);
    await nextImmediate();
    const expected = Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join('');
    assert.deepEqual(sink.writes, [expected]);
    writer.write('next turn é€\n');
    await nextImmediate();
    await nextImmediate();
    assert.deepEqual(sink.writes, [expected, 'next turn é€\n']);
    assert.equal(writer.dropped, 0);
  });

  it('a large batch is written before the turn ends', async () => {
    const { sink, writer } = made();
    for (let count = 0; count < 100; count++) writer.write(LINE);
    assert.ok(sink.text.length > 64_000, `${sink.text.length} characters are written`);
    assert.ok(sink.writes.length < 10);
    await nextImmediate();
    assert.equal(sink.text, LINE.repeat(100));
  });

  it('empty text causes no write', async () => {
    const { sink, writer } = made();
    writer.write('');
    await nextImmediate();
    await writer.flush();
    assert.deepEqual(sink.writes, []);
  });

  it('a write ends at the end of a line, unless the line does not fit', async () => {
    const { sink, writer } = made(10);
    writer.write('1234\n6789\n');
    writer.write('123\n567\n9');
    writer.write('012\na line that is longer\nx\n');
    await nextImmediate();
    assert.deepEqual(sink.writes, [
      '1234\n6789\n',
      '123\n567\n',
      '9012\n',
      'a line that is longer\n',
      'x\n',
    ]);
  });

  it('continues after a partial write', async () => {
    const { sink, writer } = made();
    sink.results = [3, EINTR, 1];
    writer.write('one\ntwo\n');
    await nextImmediate();
    assert.deepEqual(sink.writes, ['one', '\n', 'two\n']);
  });

  it('has one write in progress, and collects lines meanwhile', async () => {
    const { sink, writer } = made();
    sink.isLater = true;
    writer.write('one\n');
    await nextImmediate();
    writer.write('two\n');
    writer.write(LINE.repeat(20));
    await nextImmediate();
    assert.deepEqual(sink.writes, []);
    sink.finish();
    assert.deepEqual(sink.writes, ['one\n']);
    sink.finish();
    assert.deepEqual(sink.writes, ['one\n', `two\n${LINE.repeat(20)}`]);
    writer.write('three\n');
    await nextImmediate();
    sink.finish();
    assert.equal(sink.writes.length, 3);
  });

  it('tries a full stream again with growing delays', async () => {
    for (const full of [EAGAIN, 0]) {
      const { sink, writer } = made();
      sink.results = [full, full, full, 2, full];
      writer.write('one\n');
      await nextImmediate();
      writer.write('two\n');
      await until(() => sink.text === 'one\ntwo\n');
      assert.equal(writer.dropped, 0);
    }
  });

  it('drops and counts lines without room, reports them when half is free', async () => {
    const { sink, writer } = made(4_096);
    sink.always = EAGAIN;
    const reported: (number | string | null)[] = [];
    const listener = (lines: number, code: string | null) => {
      reported.push(lines, code);
      writer.write('told\n', listener);
    };
    for (let count = 0; count < ROOM; count++) writer.write(LINE, listener);
    assert.equal(writer.dropped, 0);
    for (let count = 0; count < 70; count++) writer.write(`${'y'.repeat(999)}\nz\n`, listener);
    writer.write('short\n', listener);
    assert.equal(writer.dropped, 141);
    assert.deepEqual(reported, []);
    // Less than half is not enough.
    sink.results = [4_000, 4_000];
    await until(() => sink.results.length === 0);
    writer.write('short\n', listener);
    assert.equal(writer.dropped, 142);
    sink.always = null;
    await until(() => sink.text.endsWith('told\n'));
    assert.equal(sink.text, `${LINE.repeat(ROOM)}told\n`);
    assert.deepEqual(reported, [142, null]);
    writer.write('after\n', listener);
    await nextImmediate();
    assert.ok(sink.text.endsWith('told\nafter\n'));
    assert.equal(writer.dropped, 142);
  });

  it('counts a write in progress as buffered', async () => {
    const { sink, writer } = made();
    sink.isLater = true;
    for (let count = 0; count < 2 * ROOM; count++) writer.write(LINE);
    assert.equal(writer.dropped, ROOM);
    sink.finish();
  });

  it('a line longer than the buffer is accepted while nothing is buffered', async () => {
    const { sink, writer } = made();
    const long = `${'x'.repeat(LOG_WAITING_CHARACTERS_MAX)}\n`;
    sink.always = EAGAIN;
    writer.write(long);
    writer.write('no room\n');
    assert.equal(writer.dropped, 1);
    sink.always = null;
    await until(() => sink.text === long);
  });

  it('a stream without a reader is closed, once', async () => {
    for (const [fault, code] of [
      [EPIPE, 'EPIPE'],
      [EBADF, 'EBADF'],
    ] as const) {
      const { sink, writer } = made();
      const reported: (number | string | null)[] = [];
      const listener = (lines: number, why: string | null) => reported.push(lines, why);
      sink.always = fault;
      writer.write('one\ntwo\n', listener);
      writer.write('three\n', listener);
      await nextImmediate();
      assert.deepEqual(reported, [3, code]);
      assert.equal(writer.dropped, 3);
      sink.always = null;
      writer.write('four\nfive\n', listener);
      await writer.flush();
      writer.flushNow();
      await nextImmediate();
      assert.deepEqual(sink.writes, []);
      assert.equal(writer.dropped, 5);
      assert.equal(reported.length, 2);
    }
  });

  it('a reader that closes its end costs the buffered and the dropped lines', async () => {
    const { sink, writer } = made();
    const reported: (number | string | null)[] = [];
    const listener = (lines: number, why: string | null) => reported.push(lines, why);
    sink.always = EAGAIN;
    for (let count = 0; count < ROOM + 10; count++) writer.write(LINE, listener);
    sink.always = EPIPE;
    await until(() => reported.length > 0);
    assert.deepEqual(reported, [ROOM + 10, 'EPIPE']);
    assert.equal(writer.dropped, ROOM + 10);
  });

  it('after another error it waits, and keeps lines that fit', async () => {
    const { sink, writer } = made();
    sink.results = [ENOSPC];
    writer.write('one\n');
    await nextImmediate();
    writer.write('two\n');
    // flush() does not wait for a disk.
    await writer.flush();
    assert.deepEqual([sink.results.length, sink.text, writer.dropped], [0, '', 0]);
    await until(() => sink.text !== '');
    assert.equal(sink.text, 'one\ntwo\n');
  });

  it('flush() resolves when all is written, or after its timeout', async () => {
    const { sink, writer } = made();
    writer.write('one\n');
    await writer.flush();
    assert.equal(sink.text, 'one\n');
    sink.results = [EAGAIN, EAGAIN];
    writer.write('two\n');
    await writer.flush();
    assert.equal(sink.text, 'one\ntwo\n');
    sink.isLater = true;
    writer.write('three\n');
    const flushed = writer.flush();
    sink.finish();
    await flushed;
    assert.equal(sink.text, 'one\ntwo\nthree\n');
    sink.isLater = false;
    sink.always = EAGAIN;
    writer.write('four\n');
    const beganMs = performance.now();
    await writer.flush();
    assert.ok(performance.now() - beganMs >= LOG_FLUSH_MS - 5);
    sink.always = null;
    await writer.flush();
    assert.ok(sink.writes.join('').endsWith('four\n'));
  });

  it('flushNow() writes synchronously, within its timeout', async () => {
    const { sink, writer } = made(8);
    writer.flushNow();
    writer.write('one\ntwo\nthree\n');
    sink.results = [8, EAGAIN, EINTR, 2, 0];
    writer.flushNow();
    assert.equal(sink.text, 'one\ntwo\nthree\n');
    writer.write('four\n');
    sink.always = EAGAIN;
    writer.flushNow();
    sink.always = ENOSPC;
    const { callsNow } = sink;
    writer.flushNow();
    assert.equal(sink.callsNow, callsNow + 1, 'an error is not tried again');
    assert.equal(sink.text, 'one\ntwo\nthree\n');
  });

  it('flushNow() writes what waits for its file to be opened', async () => {
    const { sink, writer } = made();
    sink.isLater = true;
    sink.isOpening = true;
    writer.write('one\ntwo\n');
    await nextImmediate();
    writer.write('three\n');
    writer.flushNow();
    assert.equal(sink.text, 'one\ntwo\nthree\n');
  });

  it('flushNow() does not repeat a write in progress', async () => {
    const { sink, writer } = made(8);
    sink.isLater = true;
    writer.write('one\ntwo\nthree\n');
    await nextImmediate();
    writer.write('four\n');
    writer.flushNow();
    assert.equal(sink.text, 'three\nfour\n');
  });
});
