// The meter: what ended in one turn has the times of its own, however much that is, and each status
// is in its class.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS_ROUTES_MAX } from '../../src/base/fixed-limits.ts';
import { Meter } from '../../src/metrics/meter.ts';
import { bucketsOf, Reader } from '../../src/metrics/reader.ts';
import { FAMILIES, OVERFLOW, SECONDS } from '../../src/metrics/schema.ts';
import { OwnMemory, Segment } from '../../src/metrics/segment.ts';

interface Shown {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number;
  /** Upper bounds and counts. */
  readonly buckets: readonly (readonly [number, number])[];
}

const METHODS = ['', 'GET'];
const GET = 1;

function makeMeter(): Meter {
  return new Meter({ segment: new Segment(new OwnMemory(512, 1 << 26)), methods: METHODS });
}

function shownOf({ segment }: Meter, name: string, base: number = SECONDS.base): Shown[] {
  const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
  for (const _ of reader.update());
  const found = reader.families().find(({ family }) => family.name === name);
  return Array.from(found?.series ?? [], (series) => {
    const { count, counts, sum } = reader.distribution(series);
    return {
      labels: Object.fromEntries(series.labels),
      count,
      sum,
      buckets: bucketsOf(counts, base),
    };
  });
}

function gaugeOf({ segment }: Meter, name: string): number | null {
  const reader = new Reader(() => [{ id: 0, buffer: segment.buffer }]);
  for (const _ of reader.update());
  const found = reader.families().find(({ family }) => family.name === name);
  const [series] = found?.series ?? [];
  assert.ok(found !== undefined && series !== undefined, name);
  return reader.value(found.family, series);
}

/** As the transport calls it: a response that fills the meter ends with a flush. */
function flushIfFull(meter: Meter, nowMs: number): void {
  if (meter.isFull) meter.flush(nowMs);
}

test('any number of responses may end in one turn, streamed ones and others', () => {
  for (const before of [0, 1]) {
    const meter = makeMeter();
    const route = meter.route('/');
    for (let count = 0; count < before; count++) {
      meter.began();
      meter.responded(route, GET, 200, 0, 0, 1, false);
    }
    for (let count = 0; count < 3_000; count++) {
      meter.began();
      meter.headSent(route, GET, 200, 0);
      meter.responded(route, GET, 200, 0, 0, 1, true);
      flushIfFull(meter, 1);
    }
    meter.flush(1);
    const [{ count }] = shownOf(meter, FAMILIES.duration.name);
    assert.equal(count, 3_000 + before);
    assert.equal(shownOf(meter, FAMILIES.firstByte.name)[0].count, 3_000 + before);
    assert.equal(gaugeOf(meter, FAMILIES.active.name), 0);
  }
});

test('responses that end together have the times since their own beginnings', () => {
  const meter = makeMeter();
  const route = meter.route('/');
  for (const startedMs of [0, 0, 900, 500, 900]) {
    meter.began();
    meter.responded(route, GET, 200, startedMs, 0, 0, false);
  }
  meter.flush(1_000);
  const [{ buckets, sum }] = shownOf(meter, FAMILIES.duration.name);
  assert.deepEqual(
    buckets.map(([bound, count]) => [Math.round(bound * 10) / 10, count]),
    [
      [0.1, 2],
      [0.5, 1],
      [1, 2],
    ],
  );
  assert.ok(Math.abs(sum - 2.7) < 1e-9, `${sum}`);
});

test('each status is in its class, and one that is in none in another', () => {
  const meter = makeMeter();
  const route = meter.route('/');
  const classes = new Map([
    [99, 'other'],
    [100, '1xx'],
    [199, '1xx'],
    [200, '2xx'],
    [399, '3xx'],
    [400, '4xx'],
    [599, '5xx'],
    [600, 'other'],
    [999, 'other'],
  ]);
  for (const status of classes.keys()) {
    meter.began();
    meter.responded(route, GET, status, 0, 0, 0, false);
  }
  meter.flush(1);
  const shown = shownOf(meter, FAMILIES.duration.name);
  const counts = new Map(
    shown.map(({ count, labels }) => [labels['http_response_status_class'], count]),
  );
  const wanted = new Map<string, number>();
  for (const name of classes.values()) wanted.set(name, (wanted.get(name) ?? 0) + 1);
  assert.deepEqual([...counts].sort(), [...wanted].sort());
});

test('a turn without completions is none, also behind one with some', () => {
  const meter = makeMeter();
  meter.polled(0, 0);
  meter.polled(100, 3);
  assert.ok(meter.isOpen);
  meter.polled(350, 0);
  assert.ok(!meter.isOpen);
  meter.polled(950, 8);
  meter.polled(1_000, 0);
  meter.polled(9_000, 0);
  const [turns] = shownOf(meter, FAMILIES.turns.name);
  assert.equal(turns.count, 2);
  assert.ok(Math.abs(turns.sum - 0.3) < 1e-9);
  const [completions] = shownOf(meter, FAMILIES.completions.name, 8);
  assert.deepEqual(completions.buckets, [
    [3, 1],
    [8, 1],
  ]);
});

test('routes beyond their number count in the series of overflow', () => {
  const meter = makeMeter();
  for (let index = 0; index < METRICS_ROUTES_MAX + 10; index++) {
    meter.began();
    meter.responded(meter.route(`/${index}`), GET, 200, 0, 0, 0, false);
    flushIfFull(meter, 1);
  }
  meter.flush(1);
  const shown = shownOf(meter, FAMILIES.duration.name);
  const overflow = shown.find(({ labels }) => labels['http_route'] === OVERFLOW);
  const own = shown.length - 1;
  assert.ok(own <= METRICS_ROUTES_MAX && own >= METRICS_ROUTES_MAX - 2, `${own} routes`);
  assert.equal(overflow?.count, METRICS_ROUTES_MAX + 10 - own);
});
