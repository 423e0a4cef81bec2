// Snapshots from the network: what is not a snapshot is a problem, what is wrong in one is left
// out.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LABEL_CHARACTERS_MAX, SERIES_MAX } from '../../src/viewer/limits.ts';
import { parseSnapshot } from '../../src/viewer/snapshot.ts';

const WHOLE = { version: 1, time: 5, server: {}, families: [] };

function families(...list: unknown[]) {
  const snapshot = parseSnapshot(JSON.stringify({ ...WHOLE, families: list }));
  assert.ok(typeof snapshot !== 'string');
  return snapshot;
}

describe('a text that is no snapshot', () => {
  for (const [text, problem] of [
    ['', 'the response is not JSON'],
    ['# HELP a\n', 'the response is not JSON'],
    ['[]', 'the response is not a snapshot of metrics'],
    ['null', 'the response is not a snapshot of metrics'],
    ['{}', 'the response has no version of the snapshot format; this viewer reads version 1'],
    [
      '{"version":"\\u001b[2J"}',
      'the response has version "\\u001b[2J" of the snapshot format; this viewer reads version 1',
    ],
    ['{"version":1,"time":null}', 'the response has no time of the snapshot, but null'],
    ['{"version":1,"time":-1}', 'the response has no time of the snapshot, but -1'],
    ['{"version":1,"time":1e300}', 'the response has no time of the snapshot, but 1e+300'],
    ['{"version":1,"time":5,"families":{}}', 'the response has no list of families'],
  ]) {
    it(JSON.stringify(text), () => assert.equal(parseSnapshot(text), problem));
  }
});

describe('in a snapshot', () => {
  it('facts of another type are empty', () => {
    const text = JSON.stringify({ ...WHOLE, server: { name: 5, started: 'x', workers: -1 } });
    const snapshot = parseSnapshot(text);
    assert.ok(typeof snapshot !== 'string');
    const empty = { name: '', version: '', node: '', driver: '', started: 0, workers: 0 };
    assert.deepEqual(snapshot.server, empty);
  });

  it('families and series of another form are left out', () => {
    const { counters, gauges, histograms } = families(
      null,
      5,
      { name: 5, type: 'counter', series: [] },
      { name: 'a', type: 'summary', series: [{ value: 1 }] },
      { name: 'b', type: 'counter', series: 'no' },
      {
        name: 'c',
        type: 'counter',
        series: [{ value: '1' }, null, { value: 3, labels: { a: 5 } }],
      },
      {
        name: 'd',
        type: 'gauge',
        series: [
          { value: -2, labels: {} },
          { value: 4, labels: [] },
        ],
      },
      {
        name: 'e',
        type: 'histogram',
        series: [
          {
            labels: { a: '1' },
            count: 1,
            sum: 1,
            buckets: [
              [2, 1],
              [1, 1],
            ],
          },
          { labels: { a: '2' }, count: 1, sum: 1, buckets: [[1, -1]] },
          { labels: { a: '3' }, count: 1, sum: 1, buckets: [1] },
          { labels: { a: '4' }, count: 1, sum: 1 },
          {
            labels: { a: '6' },
            count: 2,
            sum: 1,
            buckets: [
              [1, 1],
              [1, 1],
            ],
          },
          {
            labels: { a: '5' },
            count: 1,
            sum: 1,
            buckets: [
              [1, 0],
              [2, 1],
            ],
          },
        ],
      },
    );
    assert.deepEqual([...counters.keys()], ['c']);
    assert.equal(counters.get('c')?.size, 0);
    assert.deepEqual(
      [...(gauges.get('d')?.values() ?? [])].map(({ value }) => value),
      [-2],
    );
    const kept = [...(histograms.get('e')?.values() ?? [])];
    assert.deepEqual(
      kept.map(({ labels, buckets }) => [labels['a'], buckets]),
      [['5', [[2, 1]]]],
    );
  });

  it('the key of a series does not depend on the order of its labels', () => {
    const { counters } = families({
      name: 'a',
      type: 'counter',
      series: [
        { labels: { x: '1', y: '2' }, value: 1 },
        { labels: { y: '2', x: '1' }, value: 2 },
        { labels: { x: '1","y":"2' }, value: 3 },
        JSON.parse('{"labels":{"__proto__":"1"},"value":4}'),
        JSON.parse('{"labels":{"__proto__":"2"},"value":5}'),
      ],
    });
    assert.deepEqual(
      [...(counters.get('a')?.values() ?? [])].map(({ value }) => value),
      [2, 3, 4, 5],
    );
  });

  it('a family that comes in two parts has the series of both', () => {
    const part = (worker: string) => ({
      name: 'a',
      type: 'counter',
      series: [{ labels: { worker }, value: 1 }],
    });
    assert.equal(families(part('1'), part('2')).counters.get('a')?.size, 2);
  });

  it('a label is kept as it is up to its limit, then it is cut', () => {
    const kept = (length: number): string => {
      const series = [{ labels: { a: 'x'.repeat(length) }, value: 1 }];
      const [first] = families({ name: 'a', type: 'counter', series }).counters.get('a') ?? [];
      return first?.[1].labels['a'] ?? '';
    };
    const most = 'x'.repeat(LABEL_CHARACTERS_MAX);
    assert.equal(kept(LABEL_CHARACTERS_MAX), most);
    assert.equal(kept(LABEL_CHARACTERS_MAX + 1), `${most.slice(1)}…`);
  });

  it('there is a limit of series', () => {
    const series = Array.from({ length: SERIES_MAX + 5 }, (_, index) => ({
      labels: { a: String(index) },
      value: 1,
    }));
    assert.equal(
      families({ name: 'a', type: 'counter', series }).counters.get('a')?.size,
      SERIES_MAX,
    );
  });
});
