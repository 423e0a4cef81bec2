// The ranges of charts: round for usual values, and small for any other.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHART_SECONDS_MAX, CHART_SECONDS_MIN } from '../../src/viewer/limits.ts';
import { decades, linearTop, logRange, rowBounds } from '../../src/viewer/ranges.ts';

const of = (...bounds: readonly number[]) => [
  { latency: bounds.map((bound) => [bound, 1] as const) },
];

describe('the range of a chart', () => {
  it('is round, with a line for each power of ten', () => {
    assert.deepEqual(logRange([]), [1e-4, 1e-1]);
    assert.deepEqual(logRange(of(0.003, 0.7)), [0.002, 1]);
    assert.deepEqual(logRange(of(0.003)), [0.002, 0.2]);
    assert.deepEqual(decades(0.002, 10), [0.01, 0.1, 1, 10]);
    assert.deepEqual(decades(0.01, 1), [0.01, 0.1, 1]);
    assert.deepEqual([null, 0, 7, 57, 95, 96, 100].map(linearTop), [1, 1, 8, 60, 100, 150, 150]);
    const rows = rowBounds(of(0.003, 0.7));
    assert.equal(rows.length, 17);
    assert.ok(rows[0] > 0.002 && rows[15] < 0.99 && rows[16] >= 0.99);
  });

  it('has few rows and lines for the smallest and the largest numbers', () => {
    const extremes = [-Number.MAX_VALUE, -1, 0, Number.MIN_VALUE, 1e-30, 1, 1e30, Number.MAX_VALUE];
    for (const [at, least] of extremes.entries()) {
      for (const most of extremes.slice(at)) {
        const columns = of(least, most);
        const [from, to] = logRange(columns);
        assert.ok(from >= CHART_SECONDS_MIN * 0.99, String(from));
        assert.ok(to <= CHART_SECONDS_MAX * 100, String(to));
        assert.ok(to / from >= 99);
        const rows = rowBounds(columns);
        assert.ok(rows.length >= 12 && rows.length <= 110, String(rows.length));
        assert.ok(decades(from, to).length <= 18);
        assert.ok(decades(least, most).length <= 18);
        assert.ok(linearTop(most) >= 1e-9 && linearTop(most) <= 1e16);
      }
    }
    assert.deepEqual(decades(Number.NaN, Number.NaN), []);
  });
});
