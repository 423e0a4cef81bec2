// The memory of metrics: what is counted is read again, by other processes, after growth, after the
// death of the process that counted, and up to its bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { METRICS_SERIES_MAX } from '../../src/base/fixed-limits.ts';
import { bucketOf, RELATIVE_ERROR } from '../../src/metrics/buckets.ts';
import type { Family } from '../../src/metrics/family.ts';
import { Meter } from '../../src/metrics/meter.ts';
import { bucketsOf, Reader } from '../../src/metrics/reader.ts';
import { OVERFLOW } from '../../src/metrics/schema.ts';
import {
  FixedMemory,
  HEADER_BYTES,
  NOWHERE,
  OwnMemory,
  Segment,
  Word,
} from '../../src/metrics/segment.ts';

const DURATION = 'http_server_request_duration_seconds';
const COUNTER: Family = {
  name: 'things_total',
  type: 'counter',
  unit: '',
  help: 'Things.',
  labels: ['kind'],
};
const GAUGE: Family = { ...COUNTER, name: 'level', type: 'gauge' };
const SIZES: Family = { ...COUNTER, name: 'sizes', type: 'histogram', base: 1, labels: [] };
const OF_WORKERS: Family = { ...COUNTER, name: 'works_total', labels: [], perWorker: true };

function readerOf(...segments: Segment[]): Reader {
  const reader = new Reader(() => segments.map(({ buffer }, id) => ({ id, buffer })));
  return reader;
}

/** The values of a family by its labels, as JSON. */
function valuesOf(reader: Reader, name: string): Record<string, number | null> {
  for (const _ of reader.update());
  const found = reader.families().find(({ family }) => family.name === name);
  const values: Record<string, number | null> = {};
  for (const series of found?.series ?? []) {
    const labels = JSON.stringify(Object.fromEntries(series.labels));
    values[labels] = reader.value(found?.family ?? COUNTER, series);
  }
  return values;
}

function distributionOf(reader: Reader): ReturnType<Reader['distribution']> {
  for (const _ of reader.update());
  const found = reader.families().find(({ family }) => family.name === SIZES.name);
  const [series] = found?.series ?? [];
  assert.ok(series !== undefined);
  return reader.distribution(series);
}

function add(segment: Segment, family: Family, labels: string[], count: number): void {
  const cell = segment.cellOf(family, labels);
  segment.cells[cell] += count;
}

function observe(segment: Segment, cell: number, value: number): void {
  segment.observe(cell, bucketOf(value), value);
}

test('histograms of several processes add up: each value is counted once, near its size', () => {
  const values = fc.array(fc.double({ min: 0.02, max: 1e7, noNaN: true }), { maxLength: 50 });
  fc.assert(
    fc.property(values, values, (one, other) => {
      const segments = [one, other].map((given) => {
        // So little that it must grow.
        const segment = new Segment(new OwnMemory(512, 1 << 24));
        const cell = segment.cellOf(SIZES);
        for (const value of given) observe(segment, cell, value);
        return segment;
      });
      const { count, counts, sum } = distributionOf(readerOf(...segments));
      const all = [...one, ...other].sort((first, second) => first - second);
      assert.equal(count, all.length);
      const expected = all.reduce((total, value) => total + value, 0);
      assert.ok(Math.abs(sum - expected) <= 1e-9 * expected);
      const read = bucketsOf(counts, 1).flatMap(([bound, times]) =>
        new Array<number>(times).fill(bound),
      );
      assert.equal(read.length, all.length);
      for (const [index, bound] of read.entries()) {
        assert.ok(bound >= all[index] && bound <= all[index] * (1 + RELATIVE_ERROR));
      }
    }),
  );
});

test('several equal values beyond the last bucket are counted each', () => {
  const segment = new Segment(new OwnMemory(16_384, 16_384));
  const cell = segment.cellOf(SIZES);
  for (const [value, count] of [
    [2 ** 40, 3],
    [4, 5],
    [4, 2],
    [2 ** 40, 4],
  ]) {
    segment.observe(cell, bucketOf(value), value, count);
  }
  const reader = readerOf(segment);
  for (const _ of reader.update());
  const [{ series }] = reader.families();
  const { count, counts, sum } = reader.distribution([...series][0]);
  assert.equal(count, 14);
  assert.equal(sum, 7 * 2 ** 40 + 28);
  assert.deepEqual(bucketsOf(counts, 1), [[4, 7]]);
  assert.equal(segment.isFull, false, 'no room was missing');
});

test('values beyond the last bucket are in the count alone', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 20));
  const cell = segment.cellOf(SIZES);
  observe(segment, cell, 1e300);
  observe(segment, cell, 5);
  const { count, counts } = distributionOf(readerOf(segment));
  assert.equal(count, 2);
  assert.deepEqual(bucketsOf(counts, 1), [[5, 1]]);
});

test('the next process continues counters and histograms, and begins with gauges of 0', () => {
  const memory = new FixedMemory(new ArrayBuffer(8_192));
  const first = new Segment(memory);
  add(first, COUNTER, ['a'], 3);
  add(first, GAUGE, ['a'], 7);
  observe(first, first.cellOf(SIZES), 9);
  const used = first.usedBytes;
  const second = new Segment(memory);
  assert.deepEqual(valuesOf(readerOf(second), 'level'), { '{"kind":"a"}': 0 });
  add(second, COUNTER, ['a'], 2);
  observe(second, second.cellOf(SIZES), 9);
  assert.equal(second.usedBytes, used, 'the same series');
  const reader = readerOf(second);
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"a"}': 5 });
  assert.equal(distributionOf(reader).count, 2);
});

test('what a killed process left of a record is overwritten', () => {
  const buffer = new ArrayBuffer(8_192);
  const first = new Segment(new FixedMemory(buffer));
  add(first, COUNTER, ['a'], 1);
  new Uint8Array(buffer).fill(0xff, first.usedBytes);
  const second = new Segment(new FixedMemory(buffer));
  observe(second, second.cellOf(SIZES), 2);
  add(second, COUNTER, ['b'], 1);
  const reader = readerOf(second);
  assert.equal(distributionOf(reader).count, 1);
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"a"}': 1, '{"kind":"b"}': 1 });
});

test('of a process that has ended counters stay and gauges go', () => {
  const segments = [1, 2].map((worker) => {
    const segment = new Segment(new OwnMemory(512, 1 << 20), worker);
    add(segment, COUNTER, ['a'], worker);
    add(segment, OF_WORKERS, [], worker);
    add(segment, GAUGE, [worker === 1 ? 'first' : 'both'], 5);
    return segment;
  });
  segments[0].words[Word.IsUsed] = 0;
  const reader = readerOf(...segments);
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"a"}': 3 });
  assert.deepEqual(valuesOf(reader, 'works_total'), { '{"worker":"1"}': 1, '{"worker":"2"}': 2 });
  assert.deepEqual(valuesOf(reader, 'level'), { '{"kind":"first"}': null, '{"kind":"both"}': 5 });
});

test('a reader finds what was added since it read last', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 20));
  const reader = readerOf(segment);
  const counted: Record<string, number> = {};
  for (let step = 1; step <= 30; step++) {
    const kind = `kind ${step % 7}`;
    add(segment, COUNTER, [kind], step);
    const key = JSON.stringify({ kind });
    counted[key] = (counted[key] ?? 0) + step;
    assert.deepEqual(valuesOf(reader, 'things_total'), counted);
  }
});

test('two readings at a time add nothing twice', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 24));
  for (let index = 0; index < 1_000; index++) add(segment, COUNTER, [`${index}`], 1);
  const reader = readerOf(segment);
  const [one, other] = [reader.update(), reader.update()];
  for (let step = 0; step < 20; step++) {
    one.next();
    other.next();
  }
  const values = Object.values(valuesOf(reader, 'things_total'));
  assert.deepEqual(values, new Array(1_000).fill(1));
});

test('after a reset a reader knows nothing of what it has read', () => {
  const segments = [
    new Segment(new OwnMemory(512, 1 << 20)),
    new Segment(new OwnMemory(512, 1 << 20)),
  ];
  add(segments[0], COUNTER, ['a'], 1);
  add(segments[1], COUNTER, ['b'], 2);
  let current = segments[0];
  const reader = new Reader(() => [{ id: 0, buffer: current.buffer }]);
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"a"}': 1 });
  current = segments[1];
  reader.reset();
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"b"}': 2 });
});

test('what has no room in a full memory counts in the series of overflow', () => {
  const segment = new Segment(new FixedMemory(new ArrayBuffer(4_096)));
  const kinds = Array.from({ length: 100 }, (_, index) => `${index}`);
  for (let round = 0; round < 2; round++) {
    for (const kind of kinds) segment.cells[segment.cellOfMany(COUNTER, [kind])] += 1;
  }
  const { '{"kind":"_OVERFLOW"}': overflow, ...others } = valuesOf(
    readerOf(segment),
    'things_total',
  );
  const count = Object.keys(others).length;
  assert.ok(count > 10, `${count} have a series of their own`);
  assert.equal(overflow, 2 * (kinds.length - count));
  assert.ok(segment.isFull);
  // The server's own series have room.
  add(segment, GAUGE, ['a'], 1);
  assert.deepEqual(valuesOf(readerOf(segment), 'level'), { '{"kind":"a"}': 1 });
});

test('a memory that is too small for anything loses no process', () => {
  const segment = new Segment(new FixedMemory(new ArrayBuffer(HEADER_BYTES + 8)));
  assert.equal(segment.cellOf(COUNTER, ['a']), NOWHERE);
  assert.equal(segment.cellOfMany(COUNTER, ['a']), NOWHERE);
  observe(segment, segment.cellOf(SIZES), 1);
});

test('all responses of any number of routes are counted, with their times', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 20));
  const meter = new Meter({ segment, methods: ['', 'GET'] });
  const routes = 2_000;
  for (const ms of [1, 3, 9, 27, 81, 243, 729, 2_187]) {
    for (let index = 0; index < routes; index++) {
      meter.began();
      meter.responded(meter.route(`/route${index}`), 1, 200, 0, 0, 10, false);
      meter.flush(ms);
    }
  }
  const reader = readerOf(segment);
  for (const _ of reader.update());
  const { series } = reader.families().find(({ family }) => family.name === DURATION) ?? {};
  let total = 0;
  let overflow = 0;
  for (const one of series ?? []) {
    const { count, counts } = reader.distribution(one);
    total += count;
    if (one.labels[0][1] !== OVERFLOW) continue;
    overflow = count;
    assert.equal(bucketsOf(counts, 1).length, 8, 'one of each time');
    assert.equal(
      counts.reduce((sum, value) => sum + value),
      count,
    );
  }
  assert.equal(total, 8 * routes);
  assert.ok(overflow > 0 && overflow < total);
  assert.ok(segment.isFull);
});

test('the number of series is bounded', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 28));
  for (let index = 0; index < METRICS_SERIES_MAX + 5; index++) {
    segment.cells[segment.cellOfMany(COUNTER, [`${index}`])] += 1;
  }
  segment.cells[segment.cellOfMany(COUNTER, ['7'])] += 1;
  const values = valuesOf(readerOf(segment), 'things_total');
  assert.equal(Object.keys(values).length, METRICS_SERIES_MAX + 1);
  assert.equal(values['{"kind":"_OVERFLOW"}'], 5);
  assert.equal(values['{"kind":"7"}'], 2, 'those before stay');
});

test('a record that needs more than twice the memory, or exactly all of it, has room', () => {
  const long: Family = { ...COUNTER, help: 'x'.repeat(5_000), labels: [] };
  const grown = new Segment(new OwnMemory(512, 1 << 20));
  add(grown, long, [], 3);
  const used = grown.usedBytes;
  for (const [bytes, count] of [
    [used, 1],
    [used - 8, 0],
  ]) {
    const segment = new Segment(new FixedMemory(new ArrayBuffer(bytes)));
    add(segment, long, [], 1);
    const values = valuesOf(readerOf(segment), long.name);
    assert.equal(Object.keys(values).length, count, `${bytes} bytes`);
  }
});

test('of processes of one worker the largest value counts where the family says so', () => {
  const started: Family = { ...GAUGE, name: 'started', labels: [], perWorker: true, largest: true };
  const segments = [5, 7, 6].map((value, index) => {
    const segment = new Segment(new OwnMemory(512, 1 << 20), index === 2 ? 2 : 1);
    add(segment, started, [], value);
    return segment;
  });
  const values = valuesOf(readerOf(...segments), 'started');
  assert.deepEqual(values, { '{"worker":"1"}': 7, '{"worker":"2"}': 6 });
  const backwards = valuesOf(readerOf(segments[1], segments[0]), 'started');
  assert.deepEqual(backwards, { '{"worker":"1"}': 7 }, 'whatever their order');
});

test('a histogram of another base or other bounds is another one: the newer one counts', () => {
  const segments = [SIZES, { ...SIZES, base: 2 }, { ...SIZES, base: 2, bounds: [4] }].map(
    (family, index) => {
      const segment = new Segment(new OwnMemory(512, 1 << 20), 1, 1 + index);
      observe(segment, segment.cellOf(family), 1);
      return segment;
    },
  );
  for (let count = 1; count <= segments.length; count++) {
    const reader = readerOf(...segments.slice(0, count));
    assert.equal(distributionOf(reader).count, 1, `${count} segments`);
    const [{ family }] = reader.families();
    assert.equal(family.base, count === 1 ? 1 : 2);
    assert.equal(family.bounds?.length ?? 0, count === 3 ? 1 : 0);
  }
});

test('a reader that is reset knows nothing of the segments before', () => {
  const segments = ['before', 'after'].map((kind) => {
    const segment = new Segment(new OwnMemory(512, 1 << 20));
    add(segment, COUNTER, [kind], 1);
    return segment;
  });
  let current = 0;
  const reader = new Reader(() => [{ id: 0, buffer: segments[current].buffer }]);
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"before"}': 1 });
  current = 1;
  reader.reset();
  assert.deepEqual(valuesOf(reader, 'things_total'), { '{"kind":"after"}': 1 });
});

const OWN: Family = { ...COUNTER, name: 'own_total', isOwn: true };

test('series of the program have a quarter of the memory, and leave room for the server', () => {
  const segment = new Segment(new FixedMemory(new ArrayBuffer(65_536)));
  for (let index = 0; index < 300; index++) {
    segment.cells[segment.cellOfMany(OWN, [`${index} ${'x'.repeat(500)}`])] += 1;
  }
  const { '{"kind":"_OVERFLOW"}': overflow, ...own } = valuesOf(readerOf(segment), OWN.name);
  const count = Object.keys(own).length;
  assert.equal(Number(overflow) + count, 300);
  assert.ok(segment.usedBytes > 65_536 / 4 && segment.usedBytes < 65_536 / 3, `${count} series`);
  assert.ok(segment.isFull, 'as some have no room');
  assert.ok(segment.hasRoom, 'those of the server have');
  assert.notEqual(segment.cellOfMany(COUNTER, ['a']), segment.cellOfMany(COUNTER, ['b']));
});

test('families of the program leave the end of the memory to those of the server', () => {
  const segment = new Segment(new FixedMemory(new ArrayBuffer(8_192)));
  let made = 0;
  while (segment.family({ ...OWN, name: `own${made}_total` }) !== null) made += 1;
  assert.ok(made > 5, `${made} families`);
  assert.ok(segment.usedBytes <= 8_192 - 8_192 / 8);
  add(segment, GAUGE, ['a'], 7);
  assert.deepEqual(valuesOf(readerOf(segment), 'level'), { '{"kind":"a"}': 7 });
});

test('banks of histograms leave the end of the memory to the series of overflow', () => {
  const bytes = 16_384;
  const segment = new Segment(new FixedMemory(new ArrayBuffer(bytes)));
  const many: Family = { ...SIZES, name: 'many', labels: ['kind'] };
  for (let index = 0; segment.hasRoom && index < 1_000; index++) {
    const cell = segment.cellOfMany(many, [`${index}`]);
    for (let value = 1; value < 2 ** 20; value *= 2) observe(segment, cell, value);
  }
  assert.ok(segment.usedBytes <= bytes - bytes / 8, `${segment.usedBytes} bytes`);
  const overflow = segment.cellOfMany(many, ['further']);
  assert.ok(segment.isReserved(overflow));
  for (let value = 1; value < 2 ** 20; value *= 2) observe(segment, overflow, value);
  assert.ok(segment.usedBytes > bytes - bytes / 8, 'these may use all of it');
});

test('memory that is not that of metrics is not read, and a copy may lack its end', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 20));
  const cell = segment.cellOf(SIZES);
  observe(segment, cell, 5);
  observe(segment, cell, 1e6);
  observe(segment, cell, 1e6);
  const { buffer } = segment;
  const read = (bytes: ArrayBufferLike): ReturnType<Reader['distribution']> =>
    distributionOf(new Reader(() => [{ id: 0, buffer: bytes }]));
  assert.equal(read(buffer).count, 3);
  // The bank of the last values begins behind the end of such a copy.
  const cut = read(buffer.slice(0, segment.usedBytes - 32 * 8));
  assert.deepEqual([cut.count, bucketsOf(cut.counts, 1).length], [1, 1]);
  const other = buffer.slice(0);
  new Uint32Array(other)[Word.Magic] += 1;
  const reader = new Reader(() => [{ id: 0, buffer: other }]);
  for (const _ of reader.update());
  assert.deepEqual(reader.families(), []);
});

test('many series are read in steps, between which another reading may begin', () => {
  const segment = new Segment(new OwnMemory(16_384, 1 << 20));
  for (let index = 0; index < 450; index++) add(segment, COUNTER, [`${index}`], 1);
  const reader = readerOf(segment);
  const steps = reader.update();
  assert.equal(steps.next().done, false);
  assert.ok([...(reader.families()[0]?.series ?? [])].length < 450);
  for (const _ of reader.update());
  assert.equal([...steps].length, 0, 'the other reading has read all');
  assert.equal([...(reader.families()[0]?.series ?? [])].length, 450);
});
