// The metrics of workers where memory is not shared: each writes to a file, which the others read.

import assert from 'node:assert/strict';
import fs, { fstatSync, readdirSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { mock, test } from 'node:test';
import { METRICS_BYTES_MAX, METRICS_PUBLISH_MS } from '../../src/base/fixed-limits.ts';
import { type MetricsAssignment, MetricsFile } from '../../src/cluster/metrics-file.ts';
import { WorkerMetrics } from '../../src/cluster/worker-metrics.ts';
import { ffi } from '../../src/driver/linux/ffi.ts';
import type { Family } from '../../src/metrics/family.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { OwnMemory, Segment, Word } from '../../src/metrics/segment.ts';

const COUNTER: Family = {
  name: 'things_total',
  type: 'counter',
  unit: '',
  help: 'Things.',
  labels: [],
  perWorker: true,
};
const GAUGE: Family = { ...COUNTER, name: 'level', type: 'gauge' };

/** A worker in this process. */
class Worker {
  readonly assignment: MetricsAssignment;
  readonly file: MetricsFile;
  readonly segment: Segment;

  constructor(primary: WorkerMetrics, slot: number, isMapped: boolean) {
    this.assignment = { ...primary.assign(slot, primary.fd), isMapped };
    this.file = new MetricsFile(this.assignment);
    assert.ok(this.file.memory !== null);
    this.segment = new Segment(this.file.memory, this.file.worker);
    this.file.begin(this.segment);
  }

  add(family: Family, count: number): void {
    const cell = this.segment.cellOf(family);
    this.segment.cells[cell] += count;
  }

  /** The values of a family, by worker. */
  shown(name: string): Record<string, number | null> {
    const reader = new Reader(() => this.file.segments(this.segment));
    for (const _ of reader.update());
    const found = reader.families().find(({ family }) => family.name === name);
    const values: Record<string, number | null> = {};
    for (const series of found?.series ?? []) {
      const worker = new Map(series.labels).get('worker') ?? '';
      values[worker] = reader.value(found?.family ?? COUNTER, series);
    }
    return values;
  }
}

for (const isMapped of [false, true]) {
  const how = isMapped ? 'shared memory' : 'a file';
  test(`workers see each other in ${how}, and the next one continues`, () => {
    const primary = new WorkerMetrics(2, { path: '/metrics', hasListener: false });
    // On systems without shared memory there is only the file.
    if (isMapped && !primary.file.isMapped) return;
    const first = new Worker(primary, 0, isMapped);
    const second = new Worker(primary, 1, isMapped);
    first.add(COUNTER, 3);
    first.add(GAUGE, 5);
    second.add(COUNTER, 4);
    second.file.end(second.segment);
    assert.deepEqual(first.shown('things_total'), { '1': 3, '2': 4 });
    assert.deepEqual(second.shown('things_total'), { '1': 3, '2': 4 });
    // The second one has ended, the next process of its slot has not begun.
    primary.release(second.assignment);
    assert.deepEqual(first.shown('things_total'), { '1': 3, '2': 4 });
    const third = new Worker(primary, 1, isMapped);
    third.add(COUNTER, 10);
    third.add(GAUGE, 7);
    assert.deepEqual(third.shown('things_total'), { '1': 3, '2': 14 });
    // During a reload a slot has two processes.
    const fourth = new Worker(primary, 0, isMapped);
    fourth.add(COUNTER, 100);
    fourth.add(GAUGE, 1);
    assert.deepEqual(fourth.shown('things_total'), { '1': 103, '2': 14 });
    assert.deepEqual(fourth.shown('level'), { '1': 6, '2': 7 });
    primary.release(first.assignment);
    assert.deepEqual(fourth.shown('things_total'), { '1': 103, '2': 14 });
    if (isMapped) assert.deepEqual(fourth.shown('level'), { '1': 1, '2': 7 });
    for (const { file, segment } of [first, third, fourth]) file.end(segment);
    primary.file.close();
    assert.deepEqual(primary.file.segments(null), []);
  });
}

test('the next server of a process uses the memory again, and begins with nothing', () => {
  const place = { path: '/metrics', hasListener: true };
  const first = new WorkerMetrics(2, place);
  if (!first.file.isMapped) return;
  const workers = [0, 1].map((slot) => new Worker(first, slot, true));
  for (const worker of workers) worker.add(COUNTER, 3);
  assert.ok(first.file.segments(null).length >= 2, 'they are mapped here, too');
  first.file.close();
  const { size } = fstatSync(first.fd);
  const second = new WorkerMetrics(1, place);
  assert.equal(second.fd, first.fd);
  const worker = new Worker(second, 0, true);
  assert.equal(fstatSync(second.fd).size, size, 'what is mapped stays within it');
  // A process of the first server is reported late.
  for (const { assignment } of workers) first.release(assignment);
  assert.equal(worker.segment.words[Word.IsUsed], 1);
  worker.add(COUNTER, 1);
  assert.deepEqual(worker.shown('things_total'), { '1': 1 });
  // One that is not closed is left alone.
  const third = new WorkerMetrics(1, place);
  assert.notEqual(third.fd, second.fd);
  third.file.close();
  second.file.close();
  second.file.close();
  assert.throws(() => fstatSync(second.fd), { code: 'EBADF' }, 'one is kept, the other closed');
  assert.ok(fstatSync(third.fd).size > 0);
});

test('a process that starts has the segment of its slot that none uses, and a later number', () => {
  const primary = new WorkerMetrics(2, { path: '/metrics', hasListener: false });
  const [one, other, reloaded] = [0, 1, 0].map((slot) => primary.assign(slot, 9));
  assert.deepEqual(
    [one, other, reloaded].map(({ segment }) => segment),
    [0, 1, 2],
  );
  primary.release(other);
  const third = primary.assign(0, 9);
  assert.equal(third.segment, 3, 'not that of another slot');
  primary.release(one);
  primary.release(third);
  const again = [primary.assign(0, 9), primary.assign(0, 9), primary.assign(1, 9)];
  assert.deepEqual(
    again.map(({ segment }) => segment),
    [0, 3, 1],
  );
  const starts = [one, other, reloaded, third, ...again].map(({ start }) => start);
  assert.deepEqual(starts, [1, 2, 3, 4, 5, 6, 7]);
  assert.ok(fstatSync(primary.fd).size >= 4 * METRICS_BYTES_MAX);
  primary.file.close();
});

test('a worker writes its file from its beginning to its end, and not later', (context) => {
  mock.timers.enable({ apis: ['setInterval'] });
  context.after(() => mock.timers.reset());
  const primary = new WorkerMetrics(1, { path: '/metrics', hasListener: false });
  context.after(() => primary.file.close());
  const file = new MetricsFile({
    ...primary.assign(0, primary.fd),
    segment: null,
    isMapped: false,
  });
  const shown = (): number | null | undefined => {
    const reader = new Reader(() => file.segments(null));
    for (const _ of reader.update());
    const found = reader.families().find(({ family }) => family.name === COUNTER.name);
    const [series] = found?.series ?? [];
    return series === undefined ? undefined : reader.value(COUNTER, series);
  };
  primary.release({ ...primary.assign(0, primary.fd), segment: 0 });
  const worker = new Worker(primary, 0, false);
  assert.equal(file.segments(null).length, 1, 'its beginning is written');
  worker.add(COUNTER, 1);
  assert.equal(shown(), undefined);
  mock.timers.tick(METRICS_PUBLISH_MS);
  assert.equal(shown(), 1);
  worker.add(COUNTER, 1);
  worker.file.end(worker.segment);
  assert.equal(shown(), 2);
  worker.add(COUNTER, 1);
  mock.timers.tick(10 * METRICS_PUBLISH_MS);
  worker.file.end(worker.segment);
  assert.equal(shown(), 2, 'the next process of the slot may write there now');
});

test('the next process continues a file of any length', () => {
  const primary = new WorkerMetrics(1, { path: '/metrics', hasListener: false });
  const first = new Worker(primary, 0, false);
  const many: Family = { ...COUNTER, name: 'many_total', labels: ['kind'] };
  for (let kind = 0; kind < 2_000; kind++) {
    first.segment.cells[first.segment.cellOfMany(many, [`kind ${kind}`])] += 1;
  }
  assert.ok(first.segment.usedBytes > 65_536);
  first.file.end(first.segment);
  primary.release(first.assignment);
  const second = new Worker(primary, 0, false);
  second.segment.cells[second.segment.cellOfMany(many, ['kind 7'])] += 1;
  assert.equal(second.segment.cells[second.segment.cellOfMany(many, ['kind 7'])], 2);
  assert.equal(second.segment.cells[second.segment.cellOfMany(many, ['kind 1999'])], 1);
  second.file.end(second.segment);
  primary.file.close();
});

test('a file that is closed twice is released once', () => {
  const primary = new WorkerMetrics(1, { path: '/metrics', hasListener: false });
  let released = 0;
  const file = new MetricsFile(primary.assign(0, primary.fd), [], () => {
    released += 1;
  });
  file.close();
  file.close();
  assert.equal(released, 1);
  primary.file.close();
});

test('the primary reads the file of its workers, and writes none of their segments', () => {
  const primary = new WorkerMetrics(1, { path: '/metrics', hasListener: true });
  const worker = new Worker(primary, 0, false);
  worker.add(COUNTER, 3);
  worker.file.end(worker.segment);
  const file = new MetricsFile({ ...worker.assignment, isMapped: false, segment: null });
  const own = new Segment(new OwnMemory(65_536, 65_536));
  const reader = new Reader(() => file.segments(own));
  for (let scrape = 0; scrape < 2; scrape++) {
    for (const _ of reader.update());
    const found = reader.families().find(({ family }) => family.name === COUNTER.name);
    const values = [...(found?.series ?? [])].map((one) => reader.value(COUNTER, one));
    assert.deepEqual(values, [3]);
  }
  primary.file.close();
});

test('another thread is told where segments are, and how many histograms they have', () => {
  for (const isMapped of [false, true]) {
    const primary = new WorkerMetrics(2, { path: '/metrics', hasListener: true });
    if (isMapped && !primary.file.isMapped) continue;
    const workers = [0, 1].map((slot) => new Worker(primary, slot, isMapped));
    const [first, second] = workers;
    const timing: Family = { ...COUNTER, name: 'time_seconds', type: 'histogram' };
    for (const { segment } of workers) segment.cellOf(timing);
    second.segment.cellOf({ ...timing, name: 'other_seconds' });
    assert.deepEqual(
      workers.map(({ segment }) => segment.words[Word.Histograms]),
      [1, 2],
    );
    const sources = first.file.sources(first.segment);
    assert.equal(sources.length, fstatSync(primary.fd).size / METRICS_BYTES_MAX);
    const { fd } = primary;
    // What the second one counts is in the file when it has written that.
    const known = isMapped ? 2 : 0;
    assert.deepEqual(sources.slice(0, 2), [
      { id: 0, histograms: 1, fd, at: 0 },
      { id: 1, histograms: known, fd, at: METRICS_BYTES_MAX },
    ]);
    second.file.end(second.segment);
    const [, later] = primary.file.sources(null);
    assert.equal(later.histograms, 2);
    assert.equal(first.file.segments(first.segment)[0].buffer, first.segment.buffer);
    assert.equal(first.file.sources(null).length, sources.length, 'without a segment at hand');
    assert.ok(first.file.segments(null).length > 0);
    // The primary has counts of its own, which belong to no segment.
    const own = new Segment(new OwnMemory(65_536, 65_536));
    const asPrimary = { ...first.assignment, isMapped: false, segment: null };
    assert.equal(new MetricsFile(asPrimary).sources(own)[0].histograms, 1);
    first.file.end(first.segment);
    primary.file.close();
    assert.deepEqual(primary.file.sources(null), []);
  }
});

test('a process knows its place in the file', () => {
  const place = { path: '/metrics', hasListener: false };
  const before = Date.now() / 1_000;
  const primary = new WorkerMetrics(3, place);
  const { file } = primary;
  assert.ok(file.startedSeconds >= before && file.startedSeconds <= Date.now() / 1_000);
  assert.deepEqual([file.worker, file.start, file.workers, file.place], [1, 0, 3, place]);
  assert.equal(file.memory, null);
  primary.assign(0, primary.fd);
  const worker = new MetricsFile(primary.assign(2, primary.fd));
  assert.deepEqual([worker.worker, worker.start, worker.workers], [3, 2, 3]);
  assert.equal(worker.startedSeconds, file.startedSeconds);
  assert.equal(worker.isMapped, file.isMapped);
  const unmapped = { ...primary.assign(0, -1), isMapped: true };
  assert.throws(
    () => new MetricsFile(unmapped),
    /^Error: the memory for metrics cannot be mapped$/,
  );
  file.close();
});

test('where no memory is shared there is a file without a name, for this user alone', () => {
  const place = { path: '/metrics', hasListener: false };
  // It takes the memory of an earlier server.
  const taking = new WorkerMetrics(1, place);
  const names = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('vibing-m'));
  const before = names();
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'plan9' });
  let primary: WorkerMetrics;
  try {
    primary = new WorkerMetrics(2, place);
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
  assert.equal(primary.file.isMapped, false);
  assert.deepEqual(names(), before);
  assert.equal(fstatSync(primary.fd).mode & 0o777, 0o600);
  assert.equal(fstatSync(primary.fd).nlink, 0);
  const [first, second] = [0, 1].map((slot) => new Worker(primary, slot, false));
  first.add(COUNTER, 1);
  second.add(COUNTER, 2);
  second.file.end(second.segment);
  assert.deepEqual(first.shown('things_total'), { '1': 1, '2': 2 });
  first.file.end(first.segment);
  primary.release(second.assignment);
  primary.file.close();
  assert.throws(() => fstatSync(primary.fd), { code: 'EBADF' }, 'it is not kept');
  primary.release(first.assignment);
  taking.file.close();
});

test('where memory cannot be mapped there is a file, and the memory is given back', () => {
  const library = ffi();
  if (process.platform !== 'linux' || typeof library === 'string') return;
  const place = { path: '/metrics', hasListener: false };
  // It takes the memory of an earlier server.
  const taking = new WorkerMetrics(1, place);
  assert.equal(taking.file.isMapped, true, 'memory can be shared here');
  const { func } = library;
  mock.method(library, 'func', (prototype: string) =>
    // MAP_FAILED
    prototype.includes('mmap') ? () => 2 ** 64 : func(prototype),
  );
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  let primary: WorkerMetrics;
  try {
    primary = new WorkerMetrics(1, place);
  } finally {
    mock.restoreAll();
  }
  assert.equal(primary.file.isMapped, false);
  assert.equal(descriptors(), before + 1);
  primary.file.close();
  taking.file.close();
  assert.ok(descriptors() <= before);
});

test('a full disk loses nothing that a later write can bring', (context) => {
  const primary = new WorkerMetrics(2, { path: '/metrics', hasListener: false });
  const [first, second] = [0, 1].map((slot) => new Worker(primary, slot, false));
  context.after(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
  const real = fs.writeSync as (...given: unknown[]) => number;
  let isFull = true;
  mock.method(fs, 'writeSync', (fd: number, bytes: Uint8Array, at: number, ...rest: number[]) => {
    if (isFull) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    // Parts, as a disk that is nearly full takes them.
    return real(fd, bytes, at, Math.min(100, rest[0]), rest[1]);
  });
  syncBuiltinESMExports();
  first.add(COUNTER, 3);
  first.file.end(first.segment);
  assert.deepEqual(second.shown('things_total'), {});
  isFull = false;
  first.file.begin(first.segment);
  first.file.end(first.segment);
  assert.deepEqual(second.shown('things_total'), { '1': 3 });
  second.file.end(second.segment);
  primary.file.close();
});
