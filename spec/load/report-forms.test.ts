// The forms of a report, as text and as a page, and the comparison of two: word by word as in
// fixtures/forms/. UPDATE_DOCS=1 in the environment writes these files.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { axisTicks, chartSvg } from '../../src/load/chart-svg.ts';
import { compareReports, compareText } from '../../src/load/compare.ts';
import { rowsOf } from '../../src/load/histogram-rows.ts';
import type { Second } from '../../src/load/recorder.ts';
import type { LoadReport } from '../../src/load/report.ts';
import { reportCsv } from '../../src/load/report-csv.ts';
import { reportHtml } from '../../src/load/report-html.ts';
import { reportText } from '../../src/load/report-text.ts';
import { ROOT } from '../../testing/child-program.ts';
import { CLOSED, OPEN } from './fixtures/reports.ts';

const FORMS = join(ROOT, 'spec/load/fixtures/forms');
const STYLE = /<style>\n([\s\S]*)<\/style>\n/;

/** The page without its style, an element to a line. */
function page(report: LoadReport): string {
  return reportHtml(report)
    .replace(STYLE, '')
    .replace(/><(?!\/)/g, '>\n<');
}

describe('a report, word by word', () => {
  const names = ['one.json', 'two.json'] as const;
  for (const [name, text] of [
    ['open.txt', reportText(OPEN)],
    ['closed.txt', reportText(CLOSED)],
    ['open-page.txt', page(OPEN)],
    ['closed-page.txt', page(CLOSED)],
    ['compared.txt', compareText(OPEN, CLOSED, names)],
    ['series.txt', reportCsv(OPEN)],
  ] as const) {
    it(`is ${name}`, () => {
      const path = join(FORMS, name);
      if (process.env['UPDATE_DOCS'] === '1') {
        mkdirSync(FORMS, { recursive: true });
        writeFileSync(path, text);
      }
      const written = readFileSync(path, 'utf8');
      assert.equal(text, written, 'UPDATE_DOCS=1 npm test -- load/report-forms');
    });
  }

  it('says one connection, and how requests were sent, in both forms', () => {
    for (const form of [reportText, reportHtml]) {
      const text = form({ ...CLOSED, connections: 1, keepAlive: false, warmUpSeconds: 2 });
      assert.match(text, /1 connection, no pipelining, a connection for each request, closed loop/);
      assert.match(text, /after 2 s of warm-up/);
    }
  });

  it('has a style for dark and light, and its warnings only where they hold', () => {
    const [, style = ''] = STYLE.exec(reportHtml(CLOSED)) ?? [];
    assert.match(style, /color-scheme: light dark[\s\S]*prefers-color-scheme: dark/);
    for (const name of ['.figures', '.warning', 'svg', 'table']) assert.ok(style.includes(name));
    assert.doesNotMatch(reportHtml(CLOSED), /class="warning"/);
  });
});

describe('the series in a text', () => {
  const second = (endMs: number, change: Partial<Second> = {}): Second => {
    const figures = { responses: endMs, errors: 1, bytes: 0, p50Ms: 1, p99Ms: endMs / 1_000 };
    return { endMs, lengthMs: 1_000, ...figures, ...change };
  };
  const rowsIn = (report: LoadReport): string[] =>
    reportText(report).match(/^ +[\d.]+ s [█▏▎▍▌▋▊▉ ]{20} .*$/gm) ?? [];

  it('joins seconds: rates and errors are of all of them, P99 is the highest', () => {
    const series = Array.from({ length: 41 }, (_, index) => second((index + 1) * 1_000));
    const found = rowsIn({ ...CLOSED, seconds: 41, series });
    assert.equal(found.length, 14, '20 rows at most');
    assert.equal(found[0], `     3.0 s ${'█'.padEnd(20)}      2,000   3.00 ms  3 errors`);
    assert.equal(found[13], `    41.0 s ${'█'.repeat(20)}     40,500   41.0 ms  2 errors`);
  });

  it('has a row for each of twenty seconds, and none for one', () => {
    const of = (length: number): LoadReport => {
      const series = Array.from({ length }, (_, index) => second((index + 1) * 1_000));
      return { ...CLOSED, seconds: length, series };
    };
    assert.equal(rowsIn(of(20)).length, 20);
    assert.equal(rowsIn(of(21)).length, 11);
    assert.equal(rowsIn(of(2)).length, 2);
    assert.doesNotMatch(reportText(of(1)), /over time/);
  });

  it('has no bars without responses', () => {
    const series = [1_000, 2_000].map((ms) => second(ms, { responses: 0, errors: 0, p99Ms: 0 }));
    assert.deepEqual(rowsIn({ ...CLOSED, seconds: 2, series }), [
      `     1.0 s ${' '.repeat(20)}          0         -`,
      `     2.0 s ${' '.repeat(20)}          0         -`,
    ]);
  });
});

describe('the rows of a histogram', () => {
  const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
  const edges = (rows: ReturnType<typeof rowsOf>): number[][] =>
    rows.map(({ fromMs, toMs, count, share }) => [fromMs, toMs, count, share].map(rounded));

  it('are equally wide on a logarithmic scale, and the last one has the tail', () => {
    const buckets = [
      [1, 2, 600],
      [2, 4, 399.5],
      [100, 110, 0.5],
    ] as const;
    assert.deepEqual(edges(rowsOf(buckets, 3)), [
      [1, 2, 600, 0.6],
      [2, 4, 399.5, 0.4],
      [4, 110, 0.5, 0.001],
    ]);
  });

  it('have no tail where the slowest are more', () => {
    const buckets = [
      [1, 2, 50],
      [50, 100, 50],
    ] as const;
    assert.deepEqual(edges(rowsOf(buckets, 2)), [
      [1, 10, 50, 0.5],
      [10, 100, 50, 0.5],
    ]);
  });

  it('begin at 0 where the shortest time does', () => {
    assert.deepEqual(edges(rowsOf([[0, 0.1, 3]], 2)), [
      [0, 0.01, 0, 0],
      [0.01, 0.1, 3, 1],
    ]);
  });
});

describe('a chart', () => {
  it('has a line over two axes', () => {
    const svg = chartSvg({
      title: 'Title',
      kind: 'line',
      points: [
        [0, 0],
        [1, 10],
        [2, 5],
      ],
      xTicks: [[1, 'one']],
      yTicks: [[5, 'five']],
      mark: [2, 'end'],
    });
    assert.deepEqual(svg.split(/(?=<)/), [
      '<svg viewBox="0 0 900 260" role="img" aria-label="Title">',
      '<line x1="70" x2="880" y1="120" y2="120" stroke="var(--grid)"/>',
      '<text x="62" y="124" text-anchor="end">five',
      '</text>',
      '<text x="475" y="252" text-anchor="middle">one',
      '</text>',
      '<polyline fill="none" stroke="var(--line)" stroke-width="2" ' +
        'points="70,230 475,10 880,120"/>',
      '<line x1="880" x2="880" y1="10" y2="230" stroke="currentColor" stroke-dasharray="4 4"/>',
      '<text x="885" y="22">end',
      '</text>',
      '</svg>',
    ]);
  });

  it('has bars to the right of their x, and no mark unless there is one', () => {
    const svg = chartSvg({
      title: 'T',
      kind: 'bars',
      points: [
        [0, 1],
        [1, 4],
      ],
      xTicks: [],
      yTicks: [],
    });
    assert.deepEqual(svg.split(/(?=<)/), [
      '<svg viewBox="0 0 900 260" role="img" aria-label="T">',
      '<rect x="70" y="175" width="404" height="55" fill="var(--bar)"/>',
      '<rect x="475" y="10" width="404" height="220" fill="var(--bar)"/>',
      '</svg>',
    ]);
  });

  it('of zeros has its line at the bottom', () => {
    const zeros = { title: 'T', kind: 'line', xTicks: [], yTicks: [] } as const;
    assert.match(chartSvg({ ...zeros, points: [[0, 0]] }), /points="70,230"/);
  });

  it('has round numbers on its axes, four or five beside 0', () => {
    const ticks = (most: number): unknown[] => axisTicks(most, (value) => `<${value}>`).flat();
    assert.deepEqual(ticks(1), [0, '<0>', 0.25, '<0.25>', 0.5, '<0.5>', 0.75, '<0.75>', 1, '<1>']);
    assert.deepEqual(ticks(0), [0, '<0>']);
    assert.deepEqual(ticks(-1), [0, '<0>']);
    const values = (most: number): number[] => axisTicks(most, String).map(([value]) => value);
    assert.deepEqual(values(4), [0, 1, 2, 3, 4]);
    assert.deepEqual(values(17), [0, 5, 10, 15, 20]);
    assert.deepEqual(values(40), [0, 10, 20, 30, 40]);
    assert.deepEqual(values(39), [0, 10, 20, 30, 40]);
  });
});

describe('two reports, figure by figure', () => {
  const steady = (rate: number, p50Ms: number, p99Ms: number): LoadReport => ({
    ...CLOSED,
    requestsPerSecond: rate,
    series: Array.from({ length: 4 }, (_, index) => ({
      ...CLOSED.series[0],
      lengthMs: 500,
      responses: rate / 2 + index,
      p50Ms,
      p99Ms,
    })),
  });
  const figures = (before: LoadReport, after: LoadReport): Record<string, unknown[]> =>
    Object.fromEntries(
      compareReports(before, after).map(({ name, change, isApart, moreIsBetter }) => [
        name,
        [change, isApart, moreIsBetter],
      ]),
    );

  it('have a direction, and a spread of their seconds', () => {
    assert.deepEqual(figures(steady(100, 1, 5), steady(200, 1, 9)), {
      'requests/s': [1, true, true],
      'bytes/s': [0, null, null],
      errors: [0, null, false],
      mean: [0, null, false],
      P50: [0, false, false],
      P99: [0, true, false],
      'P99.99': [0, null, false],
      longest: [0, null, false],
    });
  });

  it('are not apart when they touch, nor with few seconds', () => {
    const [one, other] = [steady(100, 1, 5), steady(100, 2, 5)];
    assert.equal(figures(one, other)['P50']?.[1], true);
    assert.equal(figures(other, one)['P50']?.[1], true);
    const few = { ...other, series: other.series.slice(1) };
    assert.equal(figures(one, few)['P50']?.[1], null);
    assert.equal(figures(few, one)['P50']?.[1], null);
    const mixed = (values: readonly number[]): LoadReport => ({
      ...one,
      series: values.map((p50Ms) => ({ ...one.series[0], p50Ms })),
    });
    // The quartiles are the first and the third of four, the second and the fourth of five.
    const lower = mixed([9, 1, 3, 0]);
    assert.equal(figures(lower, mixed([3, 3, 3, 3]))['P50']?.[1], false);
    assert.equal(figures(lower, mixed([4, 4, 4, 5]))['P50']?.[1], true);
    assert.equal(figures(mixed([10, 9, 8, 7, 6]), mixed([1, 2, 3, 4, 99]))['P50']?.[1], true);
    assert.equal(figures(mixed([10, 9, 8, 7, 6]), mixed([1, 2, 3, 7, 99]))['P50']?.[1], false);
    // Of nine the third and the seventh: a quarter of the seconds may be far off.
    const often = mixed([1, 1, 1, 1, 1, 1, 1, 50, 99]);
    assert.equal(figures(often, mixed([2, 2, 2, 2, 2, 2, 2, 0, 0]))['P50']?.[1], true);
  });

  it('change by what they were, which may be nothing', () => {
    const with_ = (errorCount: number): LoadReport => ({ ...CLOSED, errorCount });
    assert.equal(figures(with_(0), with_(0))['errors']?.[0], 0);
    assert.equal(figures(with_(0), with_(1))['errors']?.[0], Number.NaN);
    assert.equal(figures(with_(4), with_(3))['errors']?.[0], -0.25);
    const rows = compareText(with_(0), with_(1), ['a', 'b']).split('\n');
    assert.ok(
      rows.some((row) => /^errors +0 +1 +-$/.test(row)),
      rows.join('\n'),
    );
  });

  it('say that a change is within the spread, better or worse', () => {
    const text = compareText(steady(100, 1, 5), steady(200, 1, 9), ['a', 'b']);
    assert.match(text, /^requests\/s +100 +200 +\+100\.0 % {2}better$/m);
    assert.match(text, /^P50 .* 0\.0 % {2}within the spread of the seconds$/m);
    const slower = { ...steady(200, 1, 9), latencyMs: { ...CLOSED.latencyMs, percentiles: {} } };
    assert.match(compareText(steady(100, 1, 5), slower, ['a', 'b']), /^P50 +1\.00 ms +- +-$/m);
    const later = {
      ...steady(100, 3, 5),
      latencyMs: { ...CLOSED.latencyMs, percentiles: { 50: 3, 99: 20, 99.99: 300 } },
    };
    assert.match(compareText(steady(100, 1, 5), later, ['a', 'b']), /^P50 .*\+200\.0 % {2}WORSE$/m);
    assert.match(compareText(later, steady(100, 1, 5), ['a', 'b']), /^P50 .*-66\.7 % {2}better$/m);
  });

  it('are comparable only with the same requests, from any host', () => {
    const other = ['http://other:1/a?x'];
    const isAlike = (change: Partial<LoadReport>): boolean =>
      !compareText(CLOSED, { ...CLOSED, ...change }, ['a', 'b']).includes('NOT COMPARABLE');
    assert.ok(isAlike({ urls: other, driver: 'uring' }));
    for (const change of [
      { connections: 1 },
      { pipelining: 2 },
      { loop: 'open, 1/s' },
      { method: 'PUT' },
      { urls: ['http://127.0.0.1:8080/b'] },
    ]) {
      assert.equal(isAlike(change), false, JSON.stringify(change));
    }
    const text = compareText(CLOSED, { ...CLOSED, interrupted: true }, ['a', 'b']);
    assert.match(text, /\n\nINTERRUPTED: b was ended early\n$/);
  });
});
