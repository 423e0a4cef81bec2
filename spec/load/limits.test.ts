// The figures of a load at their limits: where a text changes its unit, where a sample, a second or
// a response just belongs to something, and what is no longer counted.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Client } from '../../src/load/client.ts';
import type { ConnectionPool } from '../../src/load/connection-pool.ts';
import * as format from '../../src/load/format.ts';
import { HeadMemory } from '../../src/load/head-memory.ts';
import { Histogram } from '../../src/load/histogram.ts';
import { LoadError, Recorder } from '../../src/load/recorder.ts';
import { reportText } from '../../src/load/report-text.ts';
import { ResponseFault } from '../../src/load/response-fault.ts';
import { ResponseReader } from '../../src/load/response-reader.ts';
import { waitingIn } from '../../src/load/waiting.ts';
import { CLOSED } from './fixtures/reports.ts';

describe('the text of a figure', () => {
  it('of a time has three digits, and the next unit from its first whole one on', () => {
    const texts = [0.0099, 0.01, 0.999, 1, 9.99, 10, 99.9, 100, 999, 1_000].map(format.timeText);
    assert.deepEqual(texts, [
      ...['9.9 us', '10 us', '999 us', '1.00 ms', '9.99 ms'],
      ...['10.0 ms', '99.9 ms', '100 ms', '999 ms', '1.00 s'],
    ]);
  });

  it('of bytes has a digit behind the point below 100, and no unit above TB', () => {
    const texts = [999, 1_000, 99_900, 100_000, 999e9, 1e12, 5e15].map(format.bytesText);
    assert.deepEqual(texts, [
      ...['999 B', '1.0 kB', '99.9 kB', '100 kB', '999 GB', '1.0 TB', '5000 TB'],
    ]);
  });

  it('of a bar is never longer than its columns', () => {
    assert.deepEqual(
      [-1, 0, 0.5, 1, 7].map((share) => format.barText(share, 4)),
      ['', '', '██', '████', '████'],
    );
  });

  it('of a drain is there from 100 ms on', () => {
    const drained = (drainSeconds: number): boolean =>
      / after it, until the last response/.test(reportText({ ...CLOSED, drainSeconds }));
    assert.deepEqual([0.099, 0.1].map(drained), [false, true]);
  });

  it('of joined seconds has the highest P99, wherever it is', () => {
    const series = Array.from({ length: 40 }, (_, index) => ({
      ...CLOSED.series[0],
      endMs: 1_000 * (index + 1),
      lengthMs: 1_000,
      p99Ms: index % 2 === 0 ? 700 : 3,
    }));
    const text = reportText({ ...CLOSED, seconds: 40, series });
    assert.equal(text.match(/ 700 ms$/gm)?.length, 20);
  });
});

describe('a histogram', () => {
  it('of a share that is not exact asks for no sample too many', () => {
    const histogram = new Histogram();
    histogram.add(1, 999);
    histogram.add(1_000);
    assert.ok(histogram.at(99.9 / 100) < 1.01);
    assert.equal(histogram.at(1), 1_000, 'not the end of its bucket');
  });

  it('has no percentile above its longest sample', () => {
    for (const ms of [3.337, 1_000.3, 9_999.9]) {
      const histogram = new Histogram();
      histogram.add(ms);
      assert.equal(histogram.at(1), ms);
    }
  });

  it('has all that is longer than 429 s in its last bucket', () => {
    for (const ms of [429_496.729_45, 429_496.729_5, 429_496.729_55, 429_496.73, 1e9]) {
      const histogram = new Histogram();
      histogram.add(ms);
      assert.equal(histogram.countTo(400_000), 0, String(ms));
      assert.equal(histogram.countTo(ms), 1);
    }
  });
});

describe('a recorder', () => {
  it('leaves out what is beyond its count in each figure', () => {
    const recorder = new Recorder(2, 3);
    recorder.responded(1, 200, 1, 2);
    recorder.responded(1, 500, 0, 5);
    recorder.responded(1, 503, 0);
    assert.deepEqual(recorder.statuses(), { 200: 2, 500: 1 });
    assert.deepEqual([...recorder.responsesByKind], [1, 2]);
    assert.deepEqual([recorder.responses, recorder.histogram.count], [3, 3]);
  });

  it('has a row for a remainder of a millisecond, or one with results', () => {
    const endsOf = (act: (recorder: Recorder) => void, atMs: number): readonly number[] => {
      const recorder = new Recorder(1);
      recorder.endSecond(1_000);
      act(recorder);
      recorder.endSecond(atMs);
      return recorder.seconds.map(({ endMs }) => endMs);
    };
    const nothing = (): void => {};
    assert.deepEqual(endsOf(nothing, 1_000.9), [1_000]);
    assert.deepEqual(endsOf(nothing, 1_001), [1_000, 1_001]);
    const responds = (recorder: Recorder): void => recorder.responded(1, 200, 0);
    assert.deepEqual(endsOf(responds, 1_000.9), [1_000, 1_000.9]);
    const fails = (recorder: Recorder): void => recorder.failed(LoadError.Reset, 1);
    assert.deepEqual(endsOf(fails, 1_000.9), [1_000, 1_000.9]);
    assert.deepEqual(endsOf(responds, 1_000), [1_000], 'no time has passed');
  });

  it('has the percentiles of all of a second that was extended, and of no other', () => {
    const recorder = new Recorder(1);
    recorder.responded(100, 200, 0, 50);
    recorder.endSecond(1_000);
    recorder.responded(5, 200, 0, 9);
    recorder.bytes = 90;
    recorder.endSecond(2_000);
    recorder.responded(500, 200, 0);
    recorder.bytes = 100;
    recorder.extendSecond(2_100);
    const [, last, ...others] = recorder.seconds;
    assert.equal(others.length, 0);
    assert.ok(last.p50Ms > 4.9 && last.p50Ms < 5.1, `${last.p50Ms} ms`);
    assert.ok(last.p99Ms > 490 && last.p99Ms < 510, `${last.p99Ms} ms`);
    assert.deepEqual([last.lengthMs, last.responses, last.bytes], [1_100, 10, 100]);
  });

  it('keeps the first invalid bytes, and no more than a few', () => {
    const recorder = new Recorder(1);
    recorder.keepBad(Buffer.from(`first${'x'.repeat(100)}`));
    recorder.keepBad(Buffer.from('second'));
    assert.equal(recorder.badBytes, `first${'x'.repeat(55)}`);
  });
});

describe('a response', () => {
  const begun = (): ResponseReader => {
    const reader = new ResponseReader();
    reader.begin({ isHead: false, memory: new HeadMemory(), expected: null });
    return reader;
  };
  const read = (reader: ResponseReader, text: string): number => {
    const bytes = new Uint8Array(Buffer.from(text));
    return reader.read(bytes, new DataView(bytes.buffer), 0, bytes.length);
  };

  it('may have a head of 256 KiB, and not a byte more', () => {
    const begin = 'HTTP/1.1 200 OK\r\nX: ';
    const most = begin + 'x'.repeat(256 * 1_024 - begin.length);
    const reader = begun();
    assert.equal(read(reader, most), most.length);
    assert.equal(read(reader, 'x'), ResponseFault.HeadTooLong);
  });

  it('is not cut by an end of the stream before it or behind it', () => {
    const reader = begun();
    assert.equal(reader.end(), true);
    read(reader, 'HTTP/1.1 204 No');
    assert.equal(reader.end(), false);
    read(reader, ' Content\r\n\r\n');
    assert.equal(reader.isComplete && reader.end(), true);
  });
});

describe('requests without a response at the end', () => {
  it('are those that have waited for longer than any response took', () => {
    const client = new Client(0, 4, 0);
    client.inFlight = 3;
    const dues = Float64Array.from([100, 200, 300, 0]);
    const waiting = (longestMs: number) =>
      waitingIn({ clients: [client], dues, nowMs: 1_000 } as unknown as ConnectionPool, longestMs);
    assert.deepEqual(waiting(700), { count: 2, mostMs: 900 });
    assert.deepEqual(waiting(800), { count: 1, mostMs: 900 });
    assert.deepEqual(waiting(900), { count: 0, mostMs: 0 });
  });
});
