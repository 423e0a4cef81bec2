// LineWriter at its limits, with a scripted sink and timers: lengths that just fit, the times at
// which a stream is tried again, and what is counted when it ends.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { LOG_FLUSH_MS, LOG_WAITING_CHARACTERS_MAX } from '../../src/base/fixed-limits.ts';
import { type FakeSink, made, nextImmediate } from './fixtures/fake-sink.ts';

const EAGAIN = -ERRNO.EAGAIN;
const ENOSPC = -ERRNO.ENOSPC;
const EPIPE = -ERRNO.EPIPE;
const EINTR = -ERRNO.EINTR;

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** The delay, in milliseconds, until the sink is called again. */
function delayOf(sink: FakeSink): number {
  const { calls } = sink;
  for (let ms = 1; ms <= 2_000; ms++) {
    mock.timers.tick(1);
    if (sink.calls > calls) return ms;
  }
  return assert.fail('it is tried again');
}

describe('a stream that does not take all', () => {
  it('waits 1 ms, then twice as long, up to 64 ms; a success begins anew', async () => {
    const { sink, writer } = made();
    sink.always = EAGAIN;
    writer.write('line\n');
    await nextImmediate();
    const delays = Array.from({ length: 9 }, () => delayOf(sink));
    assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    sink.results = [2];
    // A part of it is written, then it is full again.
    assert.equal(delayOf(sink), 64);
    assert.deepEqual(sink.writes, ['li']);
    assert.equal(delayOf(sink), 1);
    assert.equal(delayOf(sink), 2);
    sink.always = null;
    assert.equal(delayOf(sink), 4);
    assert.equal(sink.text, 'line\n');
  });

  it('that is full without an error is tried again as well', async () => {
    const { sink, writer } = made();
    sink.results = [0, 0];
    writer.write('line\n');
    await nextImmediate();
    assert.deepEqual([delayOf(sink), delayOf(sink)], [1, 2]);
    assert.equal(sink.text, 'line\n');
  });

  it('and fails is tried again each second, and flush() does not wait for it', async () => {
    const { sink, writer } = made();
    sink.always = EAGAIN;
    writer.write('line\n');
    await nextImmediate();
    let isFlushed = false;
    void writer.flush().then(() => {
      isFlushed = true;
    });
    await nextImmediate();
    assert.equal(isFlushed, false);
    sink.always = ENOSPC;
    mock.timers.tick(1);
    await nextImmediate();
    assert.equal(isFlushed, true, 'the failure ends the wait');
    assert.equal(delayOf(sink), 1_000);
    await writer.flush();
    sink.always = null;
    assert.equal(delayOf(sink), 1_000);
    assert.equal(sink.text, 'line\n');
  });

  it('flush() ends after its time, and leaves no timer when it ends before', async () => {
    const { sink, writer } = made();
    sink.isLater = true;
    writer.write('line\n');
    const cleared = mock.method(globalThis, 'clearTimeout');
    const flushed = writer.flush();
    sink.finish();
    await flushed;
    assert.equal(cleared.mock.callCount(), 1);
    cleared.mock.restore();
    writer.write('line\n');
    let isOver = false;
    void writer.flush().then(() => {
      isOver = true;
    });
    mock.timers.tick(LOG_FLUSH_MS - 1);
    await nextImmediate();
    assert.equal(isOver, false);
    mock.timers.tick(1);
    await nextImmediate();
    assert.equal(isOver, true);
  });
});

describe('the length of a write', () => {
  it('is exactly its limit where lines fit into it', async () => {
    for (const [lines, wanted] of [
      [['1234567\n'], ['1234567\n']],
      [['123\n', '456\n'], ['123\n456\n']],
      [
        ['123\n', '4567\n'],
        ['123\n', '4567\n'],
      ],
      [
        ['1234567\n', '1\n'],
        ['1234567\n', '1\n'],
      ],
      [
        ['12345678\n', '1\n'],
        ['12345678\n', '1\n'],
      ],
      [
        ['1\n', '2\n', '3\n', '4\n', '5\n'],
        ['1\n2\n3\n4\n', '5\n'],
      ],
    ] as const) {
      const { sink, writer } = made(8);
      for (const line of lines) writer.write(line);
      await nextImmediate();
      assert.deepEqual(sink.writes, wanted);
    }
  });
});

describe('what has no room', () => {
  it('begins behind exactly as many characters as may wait', async () => {
    const { sink, writer } = made();
    sink.isLater = true;
    const reports: (readonly [number, string | null])[] = [];
    const listener = (lines: number, code: string | null) => void reports.push([lines, code]);
    writer.write('begins\n', listener);
    await nextImmediate();
    const length = LOG_WAITING_CHARACTERS_MAX - 'begins\n'.length;
    writer.write(`${'x'.repeat(length - 1)}\n`);
    assert.equal(writer.dropped, 0, 'all of it fits');
    writer.write('one\ntwo\n');
    assert.equal(writer.dropped, 2);
    sink.isLater = false;
    sink.finish();
    assert.deepEqual(reports, [[2, null]]);
    // What was reported is not reported again.
    sink.isLater = true;
    writer.write('more\n');
    await nextImmediate();
    writer.write('x\n'.repeat(LOG_WAITING_CHARACTERS_MAX / 2));
    assert.equal(writer.dropped, 2 + LOG_WAITING_CHARACTERS_MAX / 2);
    sink.isLater = false;
    sink.finish();
    assert.deepEqual(reports, [
      [2, null],
      [LOG_WAITING_CHARACTERS_MAX / 2, null],
    ]);
    writer.write('last\n');
    await nextImmediate();
    assert.equal(reports.length, 2);
  });

  it('is taken again when exactly half of the room is free, not before', async () => {
    const { sink, writer } = made(LOG_WAITING_CHARACTERS_MAX / 4);
    sink.isLater = true;
    const line = `${'x'.repeat(LOG_WAITING_CHARACTERS_MAX / 4 - 1)}\n`;
    const reports: number[] = [];
    for (let count = 0; count < 4; count++) writer.write(line, (lines) => reports.push(lines));
    await nextImmediate();
    writer.write('dropped\n');
    assert.equal(writer.dropped, 1);
    sink.finish();
    assert.deepEqual(reports, [], 'three quarters wait');
    writer.write('dropped\n');
    sink.finish();
    assert.deepEqual(reports, [2], 'a half waits');
  });
});

it('a line that a failure cuts is written again, whole; a failure is told once', async () => {
  const { sink, writer } = made();
  const told: (number | string | null)[] = [];
  sink.results = [4, 2, ENOSPC];
  writer.write('one\ntwo\nthree\n', (lines, code) => told.push(lines, code));
  await nextImmediate();
  assert.deepEqual(sink.writes, ['one\n', 'tw']);
  assert.deepEqual(told, [0, 'ENOSPC']);
  sink.results = [ENOSPC];
  assert.equal(delayOf(sink), 1_000);
  assert.equal(delayOf(sink), 1_000);
  assert.deepEqual(sink.writes, ['one\n', 'tw', 'two\nthree\n']);
  assert.deepEqual(told, [0, 'ENOSPC']);
  sink.results = [3, ENOSPC];
  writer.write('four\n');
  await nextImmediate();
  assert.equal(told.length, 4, 'after a success it is news');
  mock.timers.tick(1_000);
  assert.equal(sink.writes.at(-1), 'four\n');
  sink.always = ENOSPC;
  writer.write('five\nsix\n');
  writer.flushNow();
  assert.deepEqual(told.slice(4), [2, 'ENOSPC'], 'what is lost at exit is told');
  assert.equal(writer.dropped, 2);
});

it('a stream that ends costs the lines that it has not taken, and no others', async () => {
  const { sink, writer } = made(4);
  const reports: (readonly [number, string | null])[] = [];
  sink.results = [2, 2, EPIPE];
  writer.write('1\n2\n3\n4\n', (lines, code) => void reports.push([lines, code]));
  await nextImmediate();
  assert.deepEqual(sink.writes, ['1\n', '2\n']);
  assert.deepEqual(reports, [[2, 'EPIPE']]);
  assert.equal(writer.dropped, 2);
  writer.write('5\n');
  assert.equal(writer.dropped, 3);
  assert.equal(reports.length, 1);
});

it('flushNow() leaves no timer, and goes on after an interruption', async () => {
  const { sink, writer } = made();
  sink.results = [EAGAIN];
  writer.write('line\n');
  await nextImmediate();
  sink.results = [EINTR, 2, EINTR];
  const cleared = mock.method(globalThis, 'clearTimeout');
  writer.flushNow();
  assert.equal(cleared.mock.callCount(), 1);
  cleared.mock.restore();
  assert.equal(sink.text, 'line\n');
  const { calls } = sink;
  mock.timers.tick(2_000);
  assert.equal(sink.calls, calls);
  assert.equal(sink.text, 'line\n');
});
