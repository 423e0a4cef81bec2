// What a meter counts of turns and responses, at the edges of both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from '../../src/metrics/meter.ts';
import { type Distribution, Reader, type Series } from '../../src/metrics/reader.ts';
import { FAMILIES } from '../../src/metrics/schema.ts';
import { OwnMemory, Segment } from '../../src/metrics/segment.ts';

class Fixture {
  readonly segment: Segment = new Segment(new OwnMemory(65_536, 1 << 22));
  readonly meter: Meter = new Meter({ segment: this.segment, methods: ['', 'GET', 'HEAD'] });

  series(name: string): Series[] {
    const reader = this.#read();
    const found = reader.families().find(({ family }) => family.name === name);
    return [...(found?.series ?? [])];
  }

  distribution(series: Series): Distribution {
    return this.#read().distribution(series);
  }

  #read(): Reader {
    const reader = new Reader(() => [{ id: 0, buffer: this.segment.buffer }]);
    for (const _ of reader.update());
    return reader;
  }
}

test('a turn without completions is none, and ends the one before', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  meter.polled(0, 0);
  assert.equal(meter.isOpen, false);
  meter.polled(10, 3);
  assert.ok(meter.isOpen);
  meter.polled(14, 0);
  assert.equal(meter.isOpen, false);
  meter.polled(20, 2);
  meter.polled(21, 1);
  meter.polled(30, 0);
  meter.polled(40, 0);
  const [turns] = fixture.series('vibing_turn_seconds');
  const { count, sum } = fixture.distribution(turns);
  assert.equal(count, 3);
  assert.ok(Math.abs(sum - 0.014) < 1e-9, `${sum} s`);
  const [completions] = fixture.series('vibing_turn_completions');
  assert.equal(fixture.distribution(completions).sum, 6);
});

test('a response that waits for the end of its turn keeps the meter open', () => {
  const { meter } = new Fixture();
  meter.began();
  meter.responded(meter.route('/'), 1, 200, 0, 0, 0, false);
  assert.ok(meter.isOpen);
  meter.flush(1);
  assert.equal(meter.isOpen, false);
});

test('a response is active from its request to its end or its abort', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const active = meter.segment.cellOf(FAMILIES.active);
  const seen: number[] = [];
  const note = (): unknown => seen.push(meter.segment.cells[active]);
  meter.began();
  meter.began();
  meter.began();
  note();
  meter.aborted();
  note();
  meter.responded(meter.route('/'), 1, 200, 0, 0, 0, false);
  note();
  meter.responded(meter.route('/'), 1, 200, 0, 0, 0, false);
  note();
  assert.deepEqual(seen, [3, 2, 1, 0]);
  assert.equal(meter.valueOf('aborted'), 1);
});

test('a connection is open until it is closed, and stays accepted', () => {
  const { meter } = new Fixture();
  const { cells } = meter.segment;
  const [open, accepted] = [FAMILIES.open, FAMILIES.accepted].map((family) => {
    return meter.segment.cellOf(family);
  });
  meter.opened();
  meter.opened();
  meter.closed('idle');
  assert.deepEqual([cells[open], cells[accepted]], [1, 2]);
  meter.closed('idle');
  assert.deepEqual([cells[open], cells[accepted]], [0, 2]);
});

test('the head of a response counts for the time of its first byte alone', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  meter.began();
  meter.headSent(meter.route('/'), 1, 200, 0);
  meter.flush(3);
  meter.responded(meter.route('/'), 1, 200, 0, 10, 20, true);
  meter.flush(5);
  for (const part of ['request', 'response']) {
    const [series] = fixture.series(`http_server_${part}_body_size_bytes`);
    const { count, sum } = fixture.distribution(series);
    assert.deepEqual([count, sum], [1, part === 'request' ? 10 : 20], part);
  }
});

test('before it is full, the head and the end of one more response have room', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const route = meter.route('/');
  for (let index = 0; index < 1_500; index++) {
    if (meter.isFull) meter.flush(5);
    meter.began();
    meter.headSent(route, 1, 200, 0);
    meter.responded(route, 1, 200, 0, 0, 0, true);
  }
  // An odd number of entries, too.
  meter.flush(5);
  meter.began();
  meter.responded(route, 1, 200, 0, 0, 0, false);
  for (let index = 0; index < 1_500; index++) {
    if (meter.isFull) meter.flush(5);
    meter.began();
    meter.headSent(route, 1, 200, 0);
    meter.responded(route, 1, 200, 0, 0, 0, true);
  }
  meter.flush(5);
  const [first] = fixture.series('http_server_time_to_first_byte_seconds');
  assert.equal(fixture.distribution(first).count, 3_001, 'the response at once is one of them');
});

test('a status has its class, and none beyond', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const statuses = { 0: 'other', 99: 'other', 100: '1xx', 199: '1xx', 200: '2xx', 299: '2xx' };
  const others = { 300: '3xx', 499: '4xx', 500: '5xx', 599: '5xx', 600: 'other', 999: 'other' };
  const expected: Record<string, number> = {};
  for (const [status, name] of Object.entries({ ...statuses, ...others })) {
    meter.began();
    meter.responded(meter.route('/'), 1, Number(status), 0, 0, 0, false);
    expected[name] = (expected[name] ?? 0) + 1;
  }
  meter.flush(1);
  const counted: Record<string, number> = {};
  for (const series of fixture.series('http_server_request_duration_seconds')) {
    const labels = Object.fromEntries(series.labels);
    assert.equal(labels['method'] ?? Object.values(labels)[1], 'GET');
    const name = String(Object.values(labels)[2]);
    counted[name] = fixture.distribution(series).count;
  }
  assert.deepEqual(counted, expected);
});

test('a request at the start of the clock has its time', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  meter.began();
  meter.responded(meter.route('/'), 1, 200, 0, 0, 0, false);
  meter.flush(250);
  const [series] = fixture.series('http_server_request_duration_seconds');
  const { counts, sum } = fixture.distribution(series);
  assert.equal(sum, 0.25);
  assert.equal(counts[0], 0, 'it is not in the first bucket');
});

test('each response has the bucket of its own size and time, whatever the one before had', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const given = [
    [10, 100],
    [0, 50],
    [10, 50],
    [0, 190],
    [1_000, 100],
  ];
  for (const [bytes, startedMs] of given) {
    meter.began();
    meter.responded(meter.route('/'), 1, 200, startedMs, 0, bytes, false);
  }
  meter.flush(200);
  const bucketsOf = (name: string): number[] => {
    const [series] = fixture.series(name);
    return [...fixture.distribution(series).counts].filter((count) => count > 0);
  };
  // 0 twice, 10 twice, 1,000 once; 10 ms once, 100 ms twice, 150 ms twice.
  assert.deepEqual(bucketsOf('http_server_response_body_size_bytes'), [2, 2, 1]);
  assert.deepEqual(bucketsOf('http_server_request_duration_seconds'), [1, 2, 2]);
});

test('responses of one turn are one entry only when all of them is equal', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const route = meter.route('/');
  const given: readonly (readonly [startedMs: number, requestBytes: number, bytes: number])[] = [
    [0, 10, 5],
    [0, 10, 5],
    [0, 300, 5],
    [0, 300, 7_000],
    [2, 300, 7_000],
  ];
  for (const [startedMs, requestBytes, responseBytes] of given) {
    meter.began();
    meter.responded(route, 1, 200, startedMs, requestBytes, responseBytes, false);
  }
  meter.flush(10);
  const sums = [
    ['http_server_request_body_size_bytes', 920],
    ['http_server_response_body_size_bytes', 14_015],
    ['http_server_request_duration_seconds', 0.048],
  ] as const;
  for (const [name, sum] of sums) {
    const [series] = fixture.series(name);
    const found = fixture.distribution(series);
    assert.equal(found.count, given.length, name);
    assert.ok(Math.abs(found.sum - sum) < 1e-9, `${name}: ${found.sum}`);
  }
});

test('the only response of a turn ends with it', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  meter.polled(0, 1);
  meter.began();
  meter.responded(meter.route('/'), 1, 200, 0, 0, 0, false);
  meter.polled(20, 0);
  meter.polled(5_000, 0);
  meter.flush(9_000);
  const [series] = fixture.series('http_server_request_duration_seconds');
  assert.deepEqual(fixture.distribution(series).sum, 0.02);
});

test('many routes, methods and classes are series of their own', () => {
  const fixture = new Fixture();
  const { meter } = fixture;
  const routes = 40;
  for (let index = 0; index < routes; index++) {
    for (const method of [0, 1, 2]) {
      for (const status of [0, 99, 100, 599, 600]) {
        meter.began();
        meter.responded(meter.route(`/${index}`), method, status, 0, 0, index, false);
      }
    }
  }
  meter.flush(1);
  const all = fixture.series('http_server_response_body_size_bytes');
  assert.equal(all.length, routes * 3 * 3);
  for (const series of all) {
    const found = Object.fromEntries(series.labels) as Record<string, string>;
    const { count, sum } = fixture.distribution(series);
    const [method, statusClass] = series.labels.slice(1).map(([, value]) => value);
    assert.ok(['_OTHER', 'GET', 'HEAD'].includes(method), JSON.stringify(found));
    assert.equal(count, statusClass === 'other' ? 3 : 1, JSON.stringify(found));
    const route = series.labels[0][1];
    assert.equal(sum, count * Number(route.slice(1)), JSON.stringify(found));
  }
});

test('a family that is counted together with another one has its own description', () => {
  const fixture = new Fixture();
  const reader = new Reader(() => [{ id: 0, buffer: fixture.segment.buffer }]);
  fixture.meter.began();
  fixture.meter.responded(fixture.meter.route('/'), 1, 200, 0, 0, 0, false);
  fixture.meter.flush(1);
  for (const _ of reader.update());
  const helps = new Map(reader.families().map(({ family }) => [family.name, family.help]));
  assert.match(helps.get('http_server_time_to_first_byte_seconds') ?? '', /to the head of its/);
  assert.match(helps.get('http_server_request_duration_seconds') ?? '', /to the end of its/);
});
