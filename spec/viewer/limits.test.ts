// Where the viewers change what they say: each rule exactly at its limit and just below it, and
// each text of a figure where another number of digits begins.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPrivate, isThisMachine, metricsUrl } from '../../src/viewer/address.ts';
import { HOT_CORE, healthOf } from '../../src/viewer/health.ts';
import type { Point } from '../../src/viewer/point.ts';
import * as text from '../../src/viewer/text.ts';
import { pointWith, START, workerWith } from './fixtures/steps.ts';

function sentence(...points: readonly Point[]): string {
  const { level, reasons } = healthOf(points, null);
  return `${level}: ${reasons.join('; ')}`;
}

/** `each` are the figures of the workers 1, 2 and so on. */
function withWorkers(...each: readonly { cpuSeconds?: number; requests?: number }[]): Point {
  const workers = each.map((figures, index) => workerWith(String(index + 1), figures));
  return pointWith({ requests: 1, workers });
}

const GOOD = 'good: no 5xx, no hot core, no long pause in the last minute';

describe('the health of a server at a limit', () => {
  it('is bad from 1 % of 5xx on', () => {
    const errors = (count: number) => pointWith({ requests: 1_000, statuses: [0, 0, 0, 0, count] });
    assert.equal(sentence(errors(10)), 'bad: 1.0 % of the responses are 5xx');
    assert.equal(sentence(errors(9)), 'watch: 9 of 1,000 responses were 5xx');
    assert.equal(sentence(errors(5), errors(15)), 'bad: 1.0 % of the responses are 5xx');
  });

  it('names up to three hot cores, or says that all are hot', () => {
    const hot = { cpuSeconds: HOT_CORE };
    assert.equal(sentence(withWorkers(hot)), 'watch: worker 1 uses 90 % of a core');
    assert.equal(sentence(withWorkers({ cpuSeconds: 0.89 })), GOOD);
    assert.equal(sentence(withWorkers(hot, hot)), 'watch: every worker uses a whole core');
    const most = sentence(withWorkers(hot, hot, hot, hot, { cpuSeconds: 0 }));
    assert.deepEqual(most.match(/worker \d/g), ['worker 1', 'worker 2', 'worker 3']);
  });

  it('compares three workers or more, from 10 requests a second on, at twice a share', () => {
    const of = (...requests: readonly number[]) =>
      sentence(withWorkers(...requests.map((each) => ({ requests: each }))));
    assert.equal(of(8, 1, 1), 'watch: worker 1 gets 80 % of the requests');
    assert.equal(of(7, 1, 1), GOOD);
    assert.equal(of(8, 2, 2), GOOD);
    assert.equal(of(100, 0), GOOD);
  });

  it('looks at turns and pauses from 50 ms on', () => {
    assert.match(sentence(pointWith({ requests: 1, turns: [[0.05, 1]] })), /turns take up to 50/);
    assert.match(sentence(pointWith({ requests: 1, pauses: [[0.05, 1]] })), /paused for 50/);
    const turns = [[0.049, 1]] as const;
    assert.equal(sentence(pointWith({ requests: 1, turns, pauses: [[0.049, 1]] })), GOOD);
    const rare = [
      [0.001, 1_000],
      [0.05, 1],
    ] as const;
    assert.equal(sentence(pointWith({ requests: 1, turns: rare })), GOOD);
  });

  it('knows the last of several restarts, and no start that did not change', () => {
    const at = (second: number, restarted: boolean) =>
      pointWith({ requests: 1, time: START + second, restarted });
    const twice = [at(1, true), at(2, false), at(5, true), at(8, false)];
    assert.equal(sentence(...twice), 'watch: it restarted 4 s ago');
    const started = (second: number, when: number | null) =>
      pointWith({
        requests: 1,
        time: START + second,
        workers: [workerWith('1', { started: when })],
      });
    assert.equal(sentence(started(1, START), started(2, START)), GOOD);
    assert.equal(sentence(started(1, null), started(2, START)), GOOD);
    const replaced = sentence(started(1, START - 9), started(4, START + 1));
    assert.equal(replaced, 'watch: worker 1 was replaced 3 s ago');
  });
});

describe('the text of a figure', () => {
  const cases: readonly (readonly [string, (value: number) => string, [number, string][]])[] = [
    [
      'rates have a digit behind the point from 0.05 to 9.95',
      text.rateText,
      [
        [0.049, '<0.1'],
        [0.05, '0.1'],
        [0.4, '0.4'],
        [9.94, '9.9'],
        [9.96, '10'],
      ],
    ],
    [
      'shares have two, one or no digits behind the point',
      text.shareText,
      [
        [0.000_099, '<0.01 %'],
        [0.0001, '0.01 %'],
        [0.009_94, '0.99 %'],
        [0.009_96, '1.0 %'],
        [0.0994, '9.9 %'],
        [0.0996, '10 %'],
      ],
    ],
    [
      'numbers at an axis have three digits and a unit, also below zero',
      text.shortText,
      [
        [999, '999'],
        [1_000, '1k'],
        [-2_500, '-2.5k'],
        [99_900, '99.9k'],
        [123_456, '123k'],
        [1e9, '1G'],
      ],
    ],
    [
      'spans have the next unit from its first whole one on',
      text.spanText,
      [
        [60, '1 min'],
        [3_599, '59 min'],
        [3_600, '1 h 00 min'],
        [86_399, '23 h 59 min'],
        [86_400, '1 d 0 h'],
      ],
    ],
  ];
  for (const [what, textOf, wanted] of cases) {
    it(what, () => {
      for (const [value, expected] of wanted) assert.equal(textOf(value), expected);
    });
  }
});

describe('an address', () => {
  it('is this machine by all names of the loopback, and by no name that begins or ends so', () => {
    const names: readonly (readonly [string, boolean])[] = [
      ['localhost', true],
      ['LOCALHOST', true],
      ['127.0.0.1', true],
      ['127.8.9.10', true],
      ['[::1]', true],
      ['localhost.far.test', false],
      ['far-localhost', false],
      ['127.0.0.1.far.test', false],
      ['[::2]', false],
    ];
    for (const [host, isOwn] of names) {
      assert.equal(isThisMachine(new URL(`http://${host}:1/`)), isOwn, host);
      assert.equal(isPrivate(new URL(`http://${host}/`)), isOwn, host);
      assert.ok(isPrivate(new URL(`https://${host}/`)));
    }
  });

  it('keeps its root where it has a query, and is a port of five digits at most', () => {
    const shown = (given: string): string => {
      const url = metricsUrl(given);
      return typeof url === 'string' ? url : url.href;
    };
    assert.equal(shown('http://a:1/?format=json'), 'http://a:1/?format=json');
    assert.equal(shown('65535'), 'http://127.0.0.1:65535/metrics');
    assert.equal(shown('123456'), '123456: the port is from 1 to 65535');
    assert.match(shown('http://user:word@a/'), /^user and password are not allowed/);
  });
});
