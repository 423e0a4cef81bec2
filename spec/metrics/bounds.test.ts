// Memory of metrics at its bounds: what fits exactly, what is kept for the series of overflow, what
// a program may add.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWN_SERIES_MAX, OWN_SERIES_TOTAL_MAX } from '../../src/base/fixed-limits.ts';
import { bucketOf } from '../../src/metrics/buckets.ts';
import type { Family } from '../../src/metrics/family.ts';
import { Reader } from '../../src/metrics/reader.ts';
import { OVERFLOW } from '../../src/metrics/schema.ts';
import {
  FixedMemory,
  HEADER_BYTES,
  NOWHERE,
  OwnMemory,
  Segment,
} from '../../src/metrics/segment.ts';

const COUNTER: Family = {
  name: 'things_total',
  type: 'counter',
  unit: '',
  help: 'Things.',
  labels: ['kind', 'size'],
};
const SIZES: Family = { ...COUNTER, name: 'sizes', type: 'histogram', base: 1 };

function fixed(bytes: number): Segment {
  return new Segment(new FixedMemory(new ArrayBuffer(bytes)));
}

test('what fits exactly is added, and nothing that lacks a byte', () => {
  const wide = fixed(65_536);
  const cell = wide.cellOf(SIZES, ['a', 'b']);
  const seriesBytes = wide.usedBytes;
  wide.observe(cell, bucketOf(5), 5);
  const bankBytes = wide.usedBytes;
  assert.notEqual(fixed(seriesBytes).cellOf(SIZES, ['a', 'b']), NOWHERE);
  assert.equal(fixed(seriesBytes - 8).cellOf(SIZES, ['a', 'b']), NOWHERE);
  for (const [bytes, isFull] of [
    [bankBytes, false],
    [bankBytes - 8, true],
  ] as const) {
    const segment = fixed(bytes);
    segment.observe(segment.cellOf(SIZES, ['a', 'b']), bucketOf(5), 5);
    assert.equal(segment.isFull, isFull, `of ${bytes} bytes`);
  }
});

test('memory of one process grows up to its bound, and not beyond', () => {
  const memory = new OwnMemory(512, 1_000);
  assert.equal(memory.grow(600)?.buffer.byteLength, 1_000, 'twice as much would be more');
  assert.equal(memory.grow(1_000)?.buffer.byteLength, 1_000);
  assert.equal(memory.grow(1_001), null);
});

test('a value beyond the last bucket is no sign of full memory', () => {
  const segment = fixed(65_536);
  segment.observe(segment.cellOf(SIZES, ['a', 'b']), bucketOf(1e300), 1e300);
  assert.equal(segment.isFull, false);
});

test('a cell that there is no memory for is a sign of full memory', () => {
  for (const cellIn of [
    (segment: Segment) => segment.cellOf(COUNTER, ['a', 'b']),
    (segment: Segment) => segment.cellOfMany(COUNTER, ['a', 'b']),
  ]) {
    const segment = fixed(HEADER_BYTES + 8);
    assert.equal(cellIn(segment), NOWHERE);
    assert.ok(segment.isFull);
  }
});

test('the series of overflow may use all of the memory, also one that is made early', () => {
  const segment = fixed(16_384);
  const overflow = segment.cellOfMany(SIZES, [OVERFLOW, OVERFLOW]);
  assert.ok(segment.isReserved(overflow));
  // Others fill the memory up to the part that is kept.
  for (let index = 0; index < 100; index++) {
    const cell = segment.cellOfMany(SIZES, ['a', String(index)]);
    if (cell === overflow) break;
    for (let value = 1; value < 1_000; value *= 2) segment.observe(cell, bucketOf(value), value);
  }
  assert.ok(segment.isFull);
  segment.observe(overflow, bucketOf(5), 5);
  const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
  for (const _ of reader.update());
  const [{ series }] = reader.families();
  const found = [...series].find(({ labels }) => labels[0][1] === OVERFLOW);
  assert.ok(found !== undefined);
  const { counts } = reader.distribution(found);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    1,
    'the value has a bucket',
  );
});

test('a value of a label that is called as the series of overflow passes no bound', () => {
  const segment = new Segment(new OwnMemory(512, 1 << 24));
  const own: Family = { ...COUNTER, isOwn: true };
  const cells = new Set<number>();
  for (let index = 0; index < OWN_SERIES_MAX + 10; index++) {
    cells.add(segment.cellOfMany(own, [OVERFLOW, String(index)]));
  }
  assert.equal(cells.size, OWN_SERIES_MAX + 1);
});

test('series of a program with long labels leave room for those of the server', () => {
  const segment = fixed(1 << 20);
  const own: Family = { ...COUNTER, isOwn: true };
  const long = 'x'.repeat(2_000);
  for (let index = 0; index < OWN_SERIES_MAX; index++) {
    segment.cellOfMany(own, [long, String(index)]);
  }
  assert.ok(segment.usedBytes < segment.buffer.byteLength / 3);
  const cell = segment.cellOfMany(COUNTER, ['a', 'b']);
  assert.equal(segment.isReserved(cell), false, 'a series of its own');
});

test('descriptions and labels have any characters', () => {
  const segment = fixed(65_536);
  const family: Family = { ...COUNTER, help: 'Größe ☃ \u{1f600}' };
  segment.cells[segment.cellOf(family, ['ä☃', 'b'])] = 3;
  segment.cells[segment.cellOf(SIZES, ['after', 'it'])] = 1;
  // Another process reads it, and goes on with it.
  const next = new Segment(new FixedMemory(segment.buffer as ArrayBuffer));
  next.cells[next.cellOf(family, ['ä☃', 'b'])] += 1;
  const reader = new Reader(() => [{ id: 0, buffer: next.buffer }]);
  for (const _ of reader.update());
  const [found] = reader.families();
  assert.equal(found.family.help, family.help);
  const [series, ...others] = found.series;
  assert.deepEqual(others, []);
  assert.deepEqual(series.labels[0], ['kind', 'ä☃']);
  assert.equal(reader.value(found.family, series), 4);
});

test('a program may have so many series, and no more', () => {
  const segment = new Segment(new OwnMemory(1 << 20, 1 << 26));
  for (let index = 0; index < OWN_SERIES_TOTAL_MAX; index++) {
    const name = `of_${Math.floor(index / OWN_SERIES_MAX)}_total`;
    const own: Family = { ...COUNTER, name, labels: ['a'], isOwn: true };
    assert.equal(segment.isReserved(segment.cellOfMany(own, [String(index)])), false, name);
  }
  const last: Family = { ...COUNTER, name: 'last_total', labels: ['a'], isOwn: true };
  assert.ok(segment.isReserved(segment.cellOfMany(last, ['0'])), 'it is in the overflow');
});
