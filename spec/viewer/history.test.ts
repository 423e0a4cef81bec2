// The history of a viewer: its limits, its columns and tables, and the copy that a page gets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnOf, columnsOf, timesOf } from '../../src/viewer/columns.ts';
import { History, Stepper } from '../../src/viewer/history.ts';
import {
  HISTORY_SECONDS_MAX,
  LABEL_CHARACTERS_MAX,
  POINT_BUCKETS_MAX,
  POINT_WORKERS_MAX,
  SLICE_BUCKETS_MAX,
  SLICE_ROUTES_MAX,
  TALLIES_MAX,
  TALLY_OTHER,
} from '../../src/viewer/limits.ts';
import { mergeTallies } from '../../src/viewer/point.ts';
import {
  BUSIEST_FIRST,
  mergeRoutes,
  nextOrder,
  OTHER_ROUTES,
  type RouteOrder,
  type RouteSum,
  routeRows,
  sortRoutes,
} from '../../src/viewer/routes.ts';
import { boundOf, Model } from './fixtures/model-server.ts';
import { pointWith, request, START, snapshotOf, stepsOf } from './fixtures/steps.ts';

const one = (model: Model): void => model.add(request());

function filled(count: number, fill: (model: Model, second: number) => void = one): History {
  const history = new History();
  for (const step of stepsOf(count, fill)) history.add(step);
  return history;
}

describe('a history', () => {
  it('keeps what it shows at most, and no more', () => {
    const [step] = stepsOf(1, one);
    const history = new History();
    for (let second = 0; second < 3_000; second++) {
      const point = { ...step.point, time: START + second };
      history.add({ ...step, point });
    }
    const { points, slices } = history.record;
    assert.equal(points.length, HISTORY_SECONDS_MAX);
    assert.equal(points[0].time, START + 3_000 - HISTORY_SECONDS_MAX);
    const covered = slices.reduce((sum, { seconds }) => sum + seconds, 0);
    assert.ok(covered >= HISTORY_SECONDS_MAX && covered <= HISTORY_SECONDS_MAX + 60);
    assert.ok(slices.length <= 22, String(slices.length));
    for (let half = 0; half < 3_000; half++) {
      history.add({ ...step, point: { ...step.point, time: START + 3_000 + half / 5 } });
    }
    assert.ok(history.record.points.length <= 1_000);
  });

  it('keeps little of each interval, whatever a server sends', () => {
    const each = <T>(length: number, make: (index: number) => T): readonly T[] =>
      Array.from({ length }, (_, index) => make(index));
    const history = new History();
    const stepper = new Stepper();
    for (let second = 0; second < 3; second++) {
      const counted = (label: string, length: number) =>
        each(length, (index) => ({ labels: { [label]: `${index}` }, value: second + 1 }));
      const buckets = each(4_000, (index) => [1e-6 * 1.01 ** index, second + 1]);
      const timed = (labels: unknown) => ({ labels, count: 4_000 * (second + 1), sum: 1, buckets });
      const long = { kind: 'x'.repeat(10_000) };
      const step = stepper.next(
        snapshotOf({
          version: 1,
          time: START + second,
          server: { name: 'y'.repeat(10_000), started: START - 5 },
          families: [
            {
              name: 'vibing_worker_requests_total',
              type: 'counter',
              series: counted('worker', 1_000),
            },
            { name: 'vibing_faults_total', type: 'counter', series: counted('kind', 1_000) },
            {
              name: 'vibing_timeouts_total',
              type: 'counter',
              series: [{ labels: long, value: second + 1 }],
            },
            { name: 'vibing_turn_seconds', type: 'histogram', series: [timed({ worker: '1' })] },
            {
              name: 'http_server_request_duration_seconds',
              type: 'histogram',
              series: each(400, (index) => timed({ http_route: `/${index}` })),
            },
          ],
        }),
      );
      if (step !== null) history.add(step);
    }
    const { points, server, slices } = history.record;
    assert.equal(points.length, 2);
    for (const { faults, timeouts, turns, workers } of points) {
      assert.equal(workers.length, POINT_WORKERS_MAX);
      assert.equal(faults.length, TALLIES_MAX);
      assert.deepEqual(faults[TALLIES_MAX - 1], [TALLY_OTHER, 1_000 - TALLIES_MAX + 1]);
      assert.equal(timeouts[0][0].length, LABEL_CHARACTERS_MAX);
      assert.ok(turns.length <= POINT_BUCKETS_MAX);
    }
    assert.equal(mergeTallies(points.map(({ faults }) => faults)).length, TALLIES_MAX);
    assert.equal(server?.name.length, LABEL_CHARACTERS_MAX);
    for (const { routes } of slices) {
      assert.ok(routes.length === 400 && routes.length <= SLICE_ROUTES_MAX);
      const kept = routes.reduce((sum, { latency }) => sum + latency.length, 0);
      assert.ok(kept > 0 && kept <= SLICE_BUCKETS_MAX, String(kept));
    }
  });

  it('is the same as its copy, and apart from it', () => {
    const steps = stepsOf(40, (model, second) => model.add(request({ route: `/${second % 3}` })));
    const [history, whole] = [new History(), new History()];
    for (const step of steps.slice(0, 25)) history.add(step);
    const copy = History.from(JSON.parse(JSON.stringify(history.record)));
    for (const step of steps.slice(25)) copy.add(step);
    for (const step of steps) whole.add(step);
    assert.deepEqual(copy.record, whole.record);
    assert.deepEqual(copy.routesOf(60), whole.routesOf(60));
    assert.equal(history.record.points.length, 25);
  });

  it('drops what a clock that was set back makes wrong', () => {
    const history = filled(20);
    const [step] = stepsOf(1, one);
    history.add({ ...step, point: { ...step.point, time: START + 5.5 } });
    history.add({ ...step, point: { ...step.point, time: START + 5 } });
    const times = history.record.points.map(({ time }) => time - START);
    assert.deepEqual(times, [1, 2, 3, 4, 5]);
  });

  it('shows the routes of a time that came twice', () => {
    const history = new History();
    const add = (second: number, path: string): void => {
      const [step] = stepsOf(1, (model) => model.add(request({ route: path })));
      history.add({ ...step, point: { ...step.point, time: START + second } });
    };
    const shown = () => history.routesOf(900).map(({ rate, route }) => [route, rate > 0]);
    for (const second of [0, 15, 30]) add(second, '/first');
    assert.deepEqual(shown(), [['/first', true]]);
    // The clock of the server was set back, and the third slice begins again.
    add(16, '/second');
    add(30, '/third');
    const names = shown().map(([name]) => name);
    assert.deepEqual(names, ['/first', '/second', '/third']);
  });

  it('joins slices that are no longer fine, four to one, and no others', () => {
    const history = new History();
    const [step] = stepsOf(1, one);
    // A slice has 15 seconds, and the first has a number that four divide.
    const first = Math.ceil(START / 60) * 60;
    const spans: (readonly number[])[] = [];
    for (let slice = 0; slice < 12; slice++) {
      history.add({ ...step, point: { ...step.point, time: first + 15 * slice } });
      spans.push(history.record.slices.map(({ from, to }) => to - from + 1));
    }
    assert.deepEqual(spans[5], [1, 1, 1, 1, 1, 1]);
    assert.deepEqual(spans[6], [2, 1, 1, 1, 1, 1]);
    assert.deepEqual(spans[8], [4, 1, 1, 1, 1, 1]);
    assert.deepEqual(spans[10], [4, 2, 1, 1, 1, 1, 1]);
    const requests = history.record.slices.flatMap(({ routes }) =>
      routes.map((each) => each.count),
    );
    assert.deepEqual(requests, [4, 3, 1, 1, 1, 1, 1]);
  });

  it('has a copy that stays as it is, and its points by time and by number', () => {
    const history = filled(3);
    const copy = History.from(history.record);
    const before = JSON.stringify(copy.record);
    for (const step of stepsOf(5, one)) {
      history.add({ ...step, point: { ...step.point, time: step.point.time + 3 } });
    }
    assert.equal(JSON.stringify(copy.record), before);
    const times = (points: readonly { readonly time: number }[]) =>
      points.map(({ time }) => time - START);
    assert.deepEqual(times(history.lastPoints(3)), [6, 7, 8]);
    assert.deepEqual(times(history.pointsOf(3)), [6, 7, 8]);
    assert.deepEqual(times(history.pointsOf(2, START + 4)), [3, 4]);
  });

  it('sums routes over the range, and a little more', () => {
    const history = filled(300, (model, second) => {
      model.add(request({ route: second <= 200 ? '/old' : '/new' }));
    });
    const routes = history.routesOf(60);
    assert.deepEqual(
      routes.map(({ route, rate }) => [route, rate]),
      [['/new', 1]],
    );
    const all = history.routesOf(900);
    assert.deepEqual(
      all.map(({ route, share }) => [route, Math.round(share * 300)]),
      [
        ['/old', 200],
        ['/new', 100],
      ],
    );
  });

  it('has a gap where a snapshot was missing, and where the server restarted', () => {
    const stepper = new Stepper();
    const model = new Model({ workers: 1, started: START - 5 });
    const next = (from: Model, time: number) =>
      stepper.next(snapshotOf(from.snapshot(START + time)))?.point;
    next(model, 0);
    assert.equal(next(model, 1)?.gap, false);
    stepper.interrupt();
    assert.equal(next(model, 5)?.gap, true);
    assert.equal(next(model, 6)?.gap, false);
    const other = new Model({ workers: 1, started: START + 7 });
    const after = next(other, 8);
    assert.deepEqual([after?.gap, after?.restarted, after?.seconds], [true, true, 1]);
  });
});

describe('columns', () => {
  it('of several seconds have the percentiles of all their requests', () => {
    const history = filled(30, (model, second) => {
      for (let count = 0; count < second; count++) model.add(request({ duration: second / 1000 }));
    });
    const columns = columnsOf(history.pointsOf(60), 10);
    for (const column of columns) {
      const all: number[] = [];
      const last = Math.round(column.time - START);
      const count = Math.round(column.seconds);
      for (let second = last - count + 1; second <= last; second++) {
        for (let each = 0; each < second; each++) all.push(second / 1000);
      }
      all.sort((a, b) => a - b);
      assert.equal(column.rate, all.length / count);
      assert.equal(column.percentiles[0], boundOf(all[Math.ceil(all.length / 2) - 1]));
    }
    assert.equal(
      columns.reduce((sum, { seconds }) => sum + seconds, 0),
      30,
    );
    assert.equal(columns.length, 4);
  });

  it('break at a gap', () => {
    const [step] = stepsOf(1, one);
    const at = (time: number, gap: boolean) => ({ ...step.point, time: START + time, gap });
    const points = [at(1, true), at(2, false), at(8, true), at(9, false)];
    const times = timesOf(columnsOf(points, 1));
    const shown = times.map(([time, column]) => [time - START, column !== null]);
    assert.deepEqual(shown, [
      [1, true],
      [2, true],
      [5, false],
      [8, true],
      [9, true],
    ]);
    const joined = columnsOf(points, 100);
    assert.deepEqual(
      joined.map(({ gap, seconds }) => [gap, seconds]),
      [
        [true, 2],
        [true, 2],
      ],
    );
  });

  it('show no figure that no point knows, and the sum of those that some know', () => {
    const unknown = columnOf([pointWith(), pointWith()]);
    assert.deepEqual([unknown.receivedRate, unknown.sentRate], [null, null]);
    assert.deepEqual([unknown.residentBytes, unknown.turnP99], [null, null]);
    const some = columnOf([pointWith(), pointWith({ receivedBytes: 8, sentBytes: 0 })]);
    assert.deepEqual([some.receivedRate, some.sentRate], [4, 0]);
  });
});

describe('routes', () => {
  const sum = (route: string, count: number, more: Partial<RouteSum> = {}): RouteSum => ({
    route,
    method: 'GET',
    count,
    clientErrors: 0,
    serverErrors: 0,
    latency: [[count / 1000, count]],
    ...more,
  });

  it('are sorted by each column, in a fixed order where they are equal', () => {
    const rows = routeRows(
      [
        sum('/b', 5, { serverErrors: 1 }),
        sum('/a', 5),
        sum('/c', 9, { clientErrors: 3 }),
        sum('/d', 0, { latency: [] }),
      ],
      10,
    );
    const order = (column: RouteOrder['column'], isDescending: boolean) =>
      sortRoutes(rows, { column, isDescending })
        .map(({ route }) => route[1])
        .join('');
    assert.equal(order('route', false), 'abcd');
    assert.equal(order('route', true), 'dcba');
    assert.equal(order('rate', true), 'cabd');
    assert.equal(order('rate', false), 'dabc');
    assert.equal(order('p99', true), 'cabd');
    assert.equal(order('p50', true), 'cabd');
    assert.equal(order('p50', false), 'dabc');
    assert.equal(order('client', true), 'cabd');
    assert.equal(order('server', true), 'bacd');
    assert.deepEqual(nextOrder(BUSIEST_FIRST, 'rate'), { column: 'rate', isDescending: false });
    assert.deepEqual(nextOrder(BUSIEST_FIRST, 'route'), { column: 'route', isDescending: false });
    assert.deepEqual(nextOrder(BUSIEST_FIRST, 'p50'), { column: 'p50', isDescending: true });
  });

  it('beyond a limit are summed in one row', () => {
    const lists = [
      [sum('/a', 1), sum('/b', 2)],
      [sum('/c', 3), sum('/a', 4), sum('/d', 5)],
    ];
    const merged = mergeRoutes(lists, 2).map(({ route, count }) => [route, count]);
    assert.deepEqual(merged, [
      ['/a', 5],
      ['/b', 2],
      [OTHER_ROUTES, 8],
    ]);
  });
});
