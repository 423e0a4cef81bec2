// The sentence on the state of a server, and the texts of figures.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_PATH, metricsUrl } from '../../src/viewer/address.ts';
import { healthOf } from '../../src/viewer/health.ts';
import type { Point } from '../../src/viewer/point.ts';
import * as text from '../../src/viewer/text.ts';
import type { Model } from './fixtures/model-server.ts';
import { request, stepsOf } from './fixtures/steps.ts';

function pointsOf(fill: (model: Model, second: number) => void, workers = 3): readonly Point[] {
  return stepsOf(10, fill, workers).map(({ point }) => point);
}

function even(model: Model, count = 100): void {
  for (let each = 0; each < count; each++) model.add(request({ worker: 1 + (each % 3) }));
}

describe('the health of a server', () => {
  const cases: readonly (readonly [string, (model: Model, second: number) => void, RegExp])[] = [
    ['with even load', (model) => even(model), /^good Healthy: no 5xx, no hot core/],
    ['without requests', () => {}, /^good Idle: no requests/],
    [
      'with one 5xx',
      (model, second) => {
        even(model, 150);
        if (second === 1) model.add(request({ status: 500 }));
      },
      /^watch Worth a look: 1 of 1,501 responses were 5xx$/,
    ],
    [
      'with many 5xx',
      (model) => model.add(request({ status: 503 })),
      /^bad Trouble: 100 % of the responses are 5xx/,
    ],
    [
      'with a hot core',
      (model) => {
        even(model);
        model.cpu[1] += 0.95;
      },
      /^watch .*: worker 2 uses 95 % of a core$/,
    ],
    [
      'with all cores hot',
      (model) => {
        even(model);
        for (const index of model.cpu.keys()) model.cpu[index] += 1;
      },
      /^watch .*: every worker uses a whole core$/,
    ],
    [
      'with one worker that gets most requests',
      (model) => {
        for (let each = 0; each < 90; each++) model.add(request({ worker: 3 }));
        even(model, 9);
      },
      /^watch .*: worker 3 gets 94 % of the requests$/,
    ],
    [
      'with a handler that blocks',
      (model) => {
        even(model);
        model.turns[0].push(0.3);
      },
      /^watch .*: turns take up to 3\d\d ms: a handler or another program holds the core$/,
    ],
    [
      'with a long pause',
      (model) => {
        even(model);
        model.pauses[2].push(0.2);
      },
      /^watch .*: garbage collection paused for 2\d\d ms$/,
    ],
  ];
  for (const [what, fill, wanted] of cases) {
    it(what, () => {
      const { level, reasons, title } = healthOf(pointsOf(fill), null);
      assert.match(`${level} ${title}: ${reasons.join('; ')}`, wanted);
    });
  }

  it('before and without snapshots', () => {
    assert.equal(healthOf([], null).level, 'waiting');
    const { level, reasons } = healthOf([], { seconds: 75, problem: 'connection refused' });
    assert.deepEqual([level, reasons], ['bad', ['no metrics for 1 min: connection refused']]);
  });

  it('after a restart of the server, and of a worker', () => {
    const points = pointsOf((model) => even(model));
    const restarted = points.map((point, index) => ({ ...point, restarted: index === 4 }));
    assert.match(healthOf(restarted, null).reasons.join(), /^it restarted 6 s ago$/);
    const replaced = points.map((point, index) => ({
      ...point,
      workers: point.workers.map((worker) => ({
        ...worker,
        started: worker.worker === '2' && index > 6 ? point.time - (index - 6) : worker.started,
      })),
    }));
    assert.match(healthOf(replaced, null).reasons.join(), /^worker 2 was replaced 3 s ago$/);
  });
});

describe('texts', () => {
  it('of figures', () => {
    assert.deepEqual([null, 0, 0.01, 3.14, 9.96, 12_345.6].map(text.rateText), [
      '–',
      '0',
      '<0.1',
      '3.1',
      '10',
      '12,346',
    ]);
    assert.deepEqual([0, 0.5, 950, 1_200, 1_250, 12_345, 3.4e6].map(text.shortText), [
      '0',
      '0.5',
      '950',
      '1.2k',
      '1.25k',
      '12.3k',
      '3.4M',
    ]);
    assert.deepEqual([null, 0, 0.00001, 0.0042, 0.015, 0.5, 1].map(text.shareText), [
      '–',
      '0 %',
      '<0.01 %',
      '0.42 %',
      '1.5 %',
      '50 %',
      '100 %',
    ]);
    assert.deepEqual([-1, 59.9, 60, 3_900, 360_000].map(text.spanText), [
      '0 s',
      '59 s',
      '1 min',
      '1 h 05 min',
      '4 d 4 h',
    ]);
    assert.deepEqual(['', '/a\u001b[2J', '/\u202eb'].map(text.routeText), [
      '(no route)',
      '/a\\x1b[2J',
      '/\\u202eb',
    ]);
  });

  it('of addresses', () => {
    const url = (given: string): string => {
      const parsed = metricsUrl(given);
      return typeof parsed === 'string' ? `problem: ${parsed}` : parsed.href;
    };
    assert.equal(DEFAULT_PATH, '/metrics');
    for (const [given, wanted] of [
      ['8080', 'http://127.0.0.1:8080/metrics'],
      ['localhost:8080', 'http://localhost:8080/metrics'],
      ['example.test', 'http://example.test/metrics'],
      ['[::1]:9', 'http://[::1]:9/metrics'],
      ['http://a:1/stats?x=1#y', 'http://a:1/stats?x=1'],
      ['http://a:1/', 'http://a:1/metrics'],
      ['https://a', 'https://a/metrics'],
    ]) {
      assert.equal(url(given), wanted);
    }
    for (const [given, wanted] of [
      ['99999', /the port is 99999/],
      ['ftp://a', /not a URL/],
      ['http://', /host is missing/],
      ['a b', /problem/],
      ['', /problem/],
    ] as const) {
      assert.match(url(given), wanted);
    }
  });
});
