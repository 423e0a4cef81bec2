// What happened between two snapshots: rates, restarts, series that come and go; and random runs of
// a server that restarts, against the list of its requests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { difference } from '../../src/viewer/difference.ts';
import { Stepper } from '../../src/viewer/history.ts';
import { TALLIES_MAX } from '../../src/viewer/limits.ts';
import { type Point, pointOf, statusClass } from '../../src/viewer/point.ts';
import { mergeRoutes, type RouteSum, routeRows } from '../../src/viewer/routes.ts';
import { Random } from '../../testing/random.ts';
import { boundOf, Model, type ModelRequest } from './fixtures/model-server.ts';
import { request, START, snapshotOf } from './fixtures/steps.ts';

const seed = Number(process.env['VIBING_SEED'] ?? Date.now() & 0x7fffffff);
console.log(`seed ${seed}`);

function counters(
  time: number,
  values: Readonly<Record<string, number>>,
  started = START,
): unknown {
  const series = Object.entries(values).map(([worker, value]) => ({ labels: { worker }, value }));
  const families = [{ name: 'vibing_worker_requests_total', type: 'counter', series }];
  return { version: 1, time: START + time, server: { started }, families };
}

function grown(before: unknown, now: unknown): unknown {
  const change = difference(before === null ? null : snapshotOf(before), snapshotOf(now));
  if (change === null) return null;
  const series = change.counter('vibing_worker_requests_total') ?? [];
  const values = series.map(({ labels, value }) => [labels['worker'], value]);
  return { seconds: change.seconds, restarted: change.restarted, ...Object.fromEntries(values) };
}

describe('the difference of two snapshots', () => {
  it('is how much the counters grew', () => {
    const before = counters(10, { 1: 100, 2: 7 });
    assert.deepEqual(grown(before, counters(12, { 1: 150, 2: 7 })), {
      seconds: 2,
      restarted: false,
      1: 50,
      2: 0,
    });
  });

  it('counts a series that is new, or began again, from zero, and none that is gone', () => {
    const before = counters(10, { 1: 100, 2: 7, 4: 9 });
    assert.deepEqual(grown(before, counters(11, { 1: 30, 2: 8, 3: 5 })), {
      seconds: 1,
      restarted: false,
      1: 30,
      2: 1,
      3: 5,
    });
  });

  it('is that since the start of a server that restarted, even with higher counters', () => {
    const before = counters(10, { 1: 100 });
    assert.deepEqual(grown(before, counters(20, { 1: 900 }, START + 16)), {
      seconds: 4,
      restarted: true,
      1: 900,
    });
    assert.deepEqual(grown(null, counters(10, { 1: 100 })), {
      seconds: 10,
      restarted: false,
      1: 100,
    });
  });

  it('knows a restart by another start, of which a snapshot may know nothing', () => {
    const of = (begins: number, started: number, seconds: number) => {
      const now = counters(12, { 1: 150 }, started);
      const restarted = started - begins > 0.5 && begins !== 0;
      const wanted = { seconds, restarted, 1: restarted ? 150 : 50 };
      assert.deepEqual(grown(counters(10, { 1: 100 }, begins), now), wanted);
    };
    // The times of one start are rounded in other ways.
    of(START, START + 0.4, 2);
    of(START, START + 0.6, 2);
    of(0, START, 2);
    of(START, 0, 2);
    // It started before the last snapshot of the one before it.
    of(START, START + 9, 2);
    of(START, START + 11, 1);
  });

  it('of a histogram counts what is new, also where its numbers do not fit together', () => {
    type Figures = readonly [count: number, sum: number, buckets: readonly (readonly number[])[]];
    const of = (time: number, [count, sum, buckets]: Figures) =>
      snapshotOf({
        ...{ version: 1, time: START + time, server: {} },
        families: [{ name: 'h', type: 'histogram', series: [{ count, sum, buckets }] }],
      });
    const grew = (before: Figures, now: Figures) => {
      const series = difference(of(1, before), of(2, now))?.histogram('h') ?? [];
      return series.map(({ buckets, count, sum }) => [count, sum, buckets]);
    };
    const before: Figures = [2, 3, [[2, 2]]];
    assert.deepEqual(grew(before, [3, 5, [[2, 3]]]), [[1, 2, [[2, 1]]]]);
    assert.deepEqual(grew(before, before), []);
    assert.deepEqual(grew(before, [2, 4, [[2, 2]]]), [], 'no value is new');
    const others: Figures = [2, 9, [[5, 2]]];
    assert.deepEqual(grew(before, others), [others], 'it began again with as many values');
    const less: Figures = [1, 3, [[2, 2]]];
    assert.deepEqual(grew(before, less), [less], 'its count went back, its buckets did not');
  });

  it('does not exist without progress of the clock', () => {
    const before = counters(10, { 1: 100 });
    assert.equal(grown(before, counters(10, { 1: 101 })), null);
    assert.equal(grown(before, counters(9, { 1: 101 })), null);
  });

  it('takes a histogram that lost counts as one that began again', () => {
    const of = (buckets: unknown, count: number) => ({
      version: 1,
      time: START + count,
      server: {},
      families: [
        { name: 'vibing_turn_seconds', type: 'histogram', series: [{ count, sum: 1, buckets }] },
      ],
    });
    const change = difference(
      snapshotOf(of([[1, 4]], 4)),
      snapshotOf(
        of(
          [
            [0.5, 3],
            [1, 2],
          ],
          5,
        ),
      ),
    );
    const [series] = change?.histogram('vibing_turn_seconds') ?? [];
    assert.deepEqual(
      [series.count, series.buckets],
      [
        5,
        [
          [0.5, 3],
          [1, 2],
        ],
      ],
    );
    assert.equal(change?.histogram('vibing_gc_pause_seconds'), null);
    assert.equal(change?.counter('vibing_faults_total'), null);
    assert.equal(change?.gauge('process_open_fds'), null);
  });
});

describe('a point', () => {
  it('has the figures of all workers and of each', () => {
    const model = new Model({ workers: 2, started: START - 50 });
    const before = snapshotOf(model.snapshot(START));
    model.add(request({ duration: 0.002, worker: 1 }));
    model.add(request({ status: 404, duration: 0.5, worker: 2 }));
    model.add(request({ status: 503, duration: 0.001, worker: 2 }));
    model.cpu[1] += 0.75;
    model.turns[0].push(0.003);
    model.pauses[1].push(0.004);
    model.open = 3;
    model.active = 1;
    model.accepted = 8;
    model.closed['client'] = 5;
    model.faults['bad request line'] = 2;
    model.timeouts['head'] = 0;
    const change = difference(before, snapshotOf(model.snapshot(START + 2)));
    assert.ok(change !== null);
    const point = pointOf(change, false);
    assert.deepEqual([point.requests, point.statuses], [3, [0, 1, 0, 1, 1]]);
    assert.deepEqual(
      point.latency,
      [0.001, 0.002, 0.5].map((value) => [boundOf(value), 1]),
    );
    assert.deepEqual([point.open, point.active, point.accepted], [3, 1, 8]);
    assert.deepEqual(
      [point.closed, point.faults, point.timeouts],
      [[['client', 5]], [['bad request line', 2]], []],
    );
    assert.deepEqual(
      point.workers.map(({ worker, requests, cpuSeconds, longestTurn }) => [
        worker,
        requests,
        cpuSeconds,
        longestTurn,
      ]),
      [
        ['1', 1, 0, boundOf(0.003)],
        ['2', 2, 0.75, null],
      ],
    );
    assert.equal(point.pauseSeconds, 0.004);
  });

  it('sums what several workers count, the largest and then the first name first', () => {
    const series = (kinds: readonly (readonly [string, string, number])[]) =>
      kinds.map(([worker, kind, value]) => ({ labels: { worker, kind }, value }));
    const faultsOf = (kinds: readonly (readonly [string, string, number])[]) => {
      const snapshot = snapshotOf({
        ...{ version: 1, time: START + 1, server: { started: START } },
        families: [
          { name: 'vibing_faults_total', type: 'counter', series: series(kinds) },
          { name: 'vibing_worker_requests_total', type: 'counter', series: series(kinds) },
        ],
      });
      const change = difference(null, snapshot);
      assert.ok(change !== null);
      return pointOf(change, false);
    };
    const { faults, workers } = faultsOf([
      ['10', 'b', 2],
      ['9', 'a', 1],
      ['9', 'c', 3],
      ['x', 'a', 1],
      ['10', 'd', 0],
    ]);
    assert.deepEqual(faults, [
      ['c', 3],
      ['a', 2],
      ['b', 2],
    ]);
    assert.deepEqual(
      workers.map(({ worker }) => worker),
      ['9', '10', 'x'],
    );
    const kinds = Array.from({ length: TALLIES_MAX }, (_, index) => ['1', `${index}`, 1] as const);
    const all = faultsOf(kinds).faults;
    assert.deepEqual(new Set(all.map(([kind]) => kind)), new Set(kinds.map(([, kind]) => kind)));
  });

  it('has statuses by class, or by code', () => {
    const classes = ['1xx', '2xx', '5xx'].map((http_response_status_class) =>
      statusClass({ http_response_status_class }),
    );
    const codes = ['100', '404', '599', '600', ''].map((http_response_status_code) =>
      statusClass({ http_response_status_code }),
    );
    assert.deepEqual([...classes, ...codes], [0, 1, 4, 0, 3, 4, -1, -1]);
    assert.equal(statusClass({}), -1);
  });

  it('knows nothing that a server does not report', () => {
    const empty = { version: 1, time: START, server: { started: START - 1 }, families: [] };
    const change = difference(null, snapshotOf(empty));
    assert.ok(change !== null);
    const { accepted, active, latency, open, receivedBytes, requests, workers } = pointOf(
      change,
      false,
    );
    assert.deepEqual([accepted, active, open, receivedBytes], [null, null, null, null]);
    assert.deepEqual([requests, latency, workers], [0, [], []]);
  });
});

describe('steps of a server that restarts now and then', () => {
  it('add up to its requests, but for what came between a snapshot and its end', () => {
    const random = new Random(seed, 'steps');
    for (let run = 0; run < 20; run++) steps(random);
  });
});

const ROUTES = ['/', '/users/:id', '/a"\\b', ''];

function steps(random: Random): void {
  const stepper = new Stepper();
  const seen: ModelRequest[] = [];
  let model = new Model({ workers: 3, started: START - 10 });
  let counted: ModelRequest[] = [];
  let first = true;
  const points: Point[] = [];
  const sums: (readonly RouteSum[])[] = [];
  for (let second = 0; second < 30; second++) {
    if (random.chance(0.1)) {
      model = new Model({ workers: 3, started: START + second - 0.5 });
      counted = [];
    }
    for (let count = random.below(20); count > 0; count--) model.add(drawn(random));
    const step = stepper.next(snapshotOf(model.snapshot(START + second)));
    if (!first) seen.push(...model.requests.slice(counted.length));
    first = false;
    counted = [...model.requests];
    if (step === null) continue;
    points.push(step.point);
    sums.push(step.routes);
  }
  const total = points.reduce((sum, point) => sum + point.requests, 0);
  assert.equal(total, seen.length);
  const rows = routeRows(mergeRoutes(sums, 100), 1);
  for (const { method, rate, route, serverErrors } of rows) {
    const own = seen.filter((one) => one.route === route && one.method === method);
    assert.equal(rate, own.length);
    const errors = own.filter(({ status }) => status >= 500).length;
    assert.ok(Math.abs(serverErrors - errors / own.length) < 1e-9);
  }
  for (const [index, status] of [100, 200, 300, 400, 500].entries()) {
    const own = seen.filter((one) => Math.floor(one.status / 100) * 100 === status).length;
    assert.equal(
      points.reduce((sum, point) => sum + point.statuses[index], 0),
      own,
    );
  }
  for (const worker of [1, 2, 3]) {
    const own = seen.filter((one) => one.worker === worker).length;
    const counts = points.map(({ workers }) => workers[worker - 1].requests ?? 0);
    const ran = counts.reduce((sum, count) => sum + count, 0);
    assert.equal(ran, own);
  }
}

function drawn(random: Random): ModelRequest {
  return {
    route: ROUTES[random.below(ROUTES.length)],
    method: random.chance(0.8) ? 'GET' : 'POST',
    status: [200, 200, 304, 404, 500][random.below(5)],
    duration: 10 ** (-5 + 5 * random.unit()),
    worker: random.between(1, 3),
  };
}
