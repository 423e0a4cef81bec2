// What a meter counts of turns and responses, at the edges of both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from '../../src/metrics/meter.ts';
import { type Distribution, Reader, type Series } from '../../src/metrics/reader.ts';
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
