// Reports as text, page and CSV, and the comparison of two reports.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisTicks } from '../../src/load/chart-svg.ts';
import { compareReports, compareText, reportFrom } from '../../src/load/compare.ts';
import { barText, bytesText, countText, detailText, timeText } from '../../src/load/format.ts';
import { rowsOf } from '../../src/load/histogram-rows.ts';
import type { LoadReport } from '../../src/load/report.ts';
import { reportCsv } from '../../src/load/report-csv.ts';
import { escapeHtml, reportHtml } from '../../src/load/report-html.ts';
import { reportText } from '../../src/load/report-text.ts';

function report(rate = 1_000, change: Partial<LoadReport> = {}): LoadReport {
  const series = Array.from({ length: 8 }, (_, index) => ({
    endMs: (index + 1) * 1000,
    lengthMs: 1000,
    responses: rate + (index % 3),
    errors: index === 2 ? 1 : 0,
    bytes: 10,
    p50Ms: 1,
    p99Ms: 2,
  }));
  return {
    format: 1,
    startedAt: '2026-01-02T03:04:05.000Z',
    urls: ['http://127.0.0.1:8080/a?b=<c>&d'],
    method: 'GET',
    driver: 'epoll',
    connections: 64,
    pipelining: 1,
    keepAlive: true,
    loop: 'closed',
    warmUpSeconds: 0,
    seconds: 8,
    drainSeconds: 0,
    responses: rate * 8,
    requestsPerSecond: rate,
    bytes: 80,
    bytesPerSecond: 10,
    latencyMs: {
      least: 0.5,
      mean: 1,
      deviation: 0.25,
      most: 20,
      percentiles: { 50: 1, 75: 1.1, 90: 1.2, 95: 1.5, 99: 2, 99.9: 5, 99.99: 20 },
    },
    statuses: { 200: rate * 8 - 1, 503: 1 },
    errorCount: 1,
    errors: { reset: 1 },
    errorDetails: { 'errno 104': 1 },
    badBytes: '',
    waiting: { count: 0, mostMs: 0 },
    reconnects: 1,
    delayedReconnects: 0,
    responsesByRequest: { 'GET /a': rate * 8 },
    series,
    histogram: [
      [0.5, 0.6, 10],
      [1, 1.1, 80],
      [2, 2.1, 9],
      [20, 20.1, 1],
    ],
    load: { core: 1, cpuShare: 0.5, workShare: 0.4, isBound: false, lateMsMax: 0 },
    interrupted: false,
    ...change,
  };
}

describe('a report as text', () => {
  it('warns of a load that limits itself, and of an early end', () => {
    assert.doesNotMatch(reportText(report()), /LOAD-BOUND|INTERRUPTED/);
    const bound = { core: 1, cpuShare: 1, workShare: 0.98, isBound: true, lateMsMax: 0 };
    assert.match(reportText(report(1, { load: bound })), /LOAD-BOUND: this load was busy/);
    assert.match(reportText(report(1, { interrupted: true })), /INTERRUPTED/);
  });

  it('says where latencies begin', () => {
    assert.match(reportText(report()), /latency, since each request was sent/);
    const open = reportText(report(1, { loop: 'open, 100/s' }));
    assert.match(open, /latency, since each request was due/);
    assert.match(open, /open loop: 100\/s/);
  });

  it('names errors', () => {
    const text = reportText(report());
    assert.match(text, /status +200: 7,999, 503: 1/);
    assert.match(text, /errors +reset: 1\n +connection reset \(ECONNRESET\): 1/);
    assert.match(text, / 3\.0 s .* 1 errors/);
  });

  it('leaves out the share of a core of a short run', () => {
    assert.match(reportText(report()), /this load +50 % of a core, 40 % working \(core 1\)/);
    const short = reportText(report(1, { seconds: 0.4 }));
    assert.match(short, /this load +share of a core not measured, the run was shorter than 0\.5 s/);
    assert.doesNotMatch(short, /working/);
    const page = reportHtml(report(1, { seconds: 0.4 }));
    assert.match(page, /<th>this load<\/th><td>share of a core not measured/);
    assert.match(reportHtml(report()), /<th>this load<\/th><td>50 % of a core, 40 % working</);
  });

  it('counts reconnects, and how many of them were delayed', () => {
    assert.match(reportText(report()), /reconnects +1\n/);
    assert.doesNotMatch(reportText(report(1, { reconnects: 0 })), /reconnects/);
    const delayed = report(1, { reconnects: 1_200, delayedReconnects: 30 });
    assert.match(
      reportText(delayed),
      /reconnects +1,200, 30 of them delayed: the connection before/,
    );
    assert.match(reportHtml(delayed), /<th>reconnects<\/th><td>1,200, 30 of them delayed/);
  });

  it('counts error responses, and requests without a response', () => {
    const text = reportText(report(1_000, { waiting: { count: 3, mostMs: 2_000 } }));
    assert.match(text, /4xx, 5xx +1, 0\.0 % of all\n/);
    assert.match(text, /waiting +3 requests without a response at the end, after up to 2\.00 s\n/);
    const well = reportText(report(1_000, { statuses: { 200: 1, 301: 1 } }));
    assert.doesNotMatch(well, /4xx|waiting/);
    const page = reportHtml(report(1_000, { waiting: { count: 1, mostMs: 500 } }));
    assert.match(page, /<th>waiting<\/th><td>1 request without a response/);
  });

  it('has no latencies without a response', () => {
    const none = { histogram: [], responses: 0, statuses: {} };
    assert.match(reportText(report(0, none)), /\nlatency: no response\n/);
    assert.doesNotMatch(reportText(report(0, none)), /P50/);
    assert.match(reportHtml(report(0, none)), /<div>P50<b>-<\/b>/);
  });

  it('shows the first bytes that are no valid response', () => {
    const shown = (badBytes: string): string => reportText(report(1, { badBytes }));
    assert.match(shown('SSH-2.0\r\n'), / first invalid bytes: "SSH-2\.0\\r\\n"\n/);
    assert.match(shown('\u0015\u0003\u0001'), /"\\u0015\\u0003\\u0001", which is TLS\n/);
    assert.ok(reportHtml(report(1, { badBytes: '<b>' })).includes('&lt;b&gt;'));
    assert.match(shown('\u009b2J\u0085\u007f'), /"\\u009b2J\\u0085\\u007f"\n/);
  });

  it('escapes control characters, wherever they come from', () => {
    const bad = 'x\u001b[2J\u009b\u2028\u202e\r';
    const odd = report(1, {
      driver: bad,
      errorCount: 1,
      errorDetails: { [bad]: 1 },
      errors: { [bad]: 1 },
      method: bad,
      urls: [`http://a/${bad}`],
    });
    for (const text of [reportText(odd), compareText(odd, odd, [bad, `${bad}\n`])]) {
      assert.ok(text.includes('x\\x1b[2J\\x9b\\u2028\\u202e\\x0d'), text);
      assert.doesNotMatch(text, /[^\n\x20-\x7e\u2580-\u259f]/);
    }
  });

  it('draws a gap in a histogram as one row', () => {
    const gap = [
      [1, 1.01, 5],
      [100, 101, 5],
    ] as const;
    const rows = reportText(report(1, { histogram: gap })).match(/^ {2}to .*$/gm) ?? [];
    assert.deepEqual(
      rows.map((row) => row.trim().split(' ').at(-1)),
      ['5', '0', '5'],
    );
  });

  it('shows responses that came after the end', () => {
    assert.doesNotMatch(reportText(report()), /after/);
    const [second] = report().series;
    const series = [...report().series, { ...second, endMs: 9_500, lengthMs: 1_500 }];
    const late = reportText(report(1_000, { drainSeconds: 1.5, series }));
    assert.match(late, /in 8\.00 s and 1\.50 s after it/);
    assert.equal(late.match(/ after the end$/gm)?.length, 1);
    assert.match(late, / 9\.5 s .* after the end\n/);
  });

  it('fits on a screen after a run of any length', () => {
    const [second] = report().series;
    const series = Array.from({ length: 999 }, (_, index) => ({ ...second, endMs: index * 1000 }));
    assert.ok(reportText(report(1, { series })).split('\n').length < 70);
  });
});

describe('a histogram in rows', () => {
  it('has every sample', () => {
    for (const rows of [2, 5, 16, 40]) {
      const found = rowsOf(report().histogram, rows);
      assert.equal(found.length, rows);
      assert.equal(
        found.reduce((sum, { count }) => sum + count, 0),
        100,
      );
      assert.ok(Math.abs(found.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
      for (let index = 1; index < rows; index++) {
        assert.ok(found[index].fromMs >= found[index - 1].fromMs);
      }
    }
    assert.deepEqual(rowsOf([], 5), []);
    assert.equal(
      rowsOf([[0, 0.1, 3]], 4).reduce((sum, { count }) => sum + count, 0),
      3,
    );
  });

  it('has bars of the right length', () => {
    assert.deepEqual(
      [barText(0, 8), barText(0.5, 8), barText(1, 8), barText(9, 8)],
      ['', '████', '████████', '████████'],
    );
    assert.equal(barText(1 / 64, 8), '▏');
  });
});

describe('a report as a page', () => {
  const page = reportHtml(report());

  it('is self-contained', () => {
    assert.doesNotMatch(page, /<script|<link|<img|src=|href=|@import|url\(/);
    assert.equal(page.match(/<svg /g)?.length, 5);
    const clean = reportHtml(report(1_000, { errorCount: 0 }));
    assert.equal(clean.match(/<svg /g)?.length, 4, 'no chart of no errors');
    assert.doesNotMatch(page, /NaN|Infinity|undefined/);
  });

  it('marks the end of the run when responses came later', () => {
    assert.doesNotMatch(page, /stroke-dasharray/);
    const [second] = report().series;
    const series = [...report().series, { ...second, endMs: 9_500, lengthMs: 1_500 }];
    const late = reportHtml(report(1_000, { series }));
    assert.equal(late.match(/stroke-dasharray.*?>end<\/text>/g)?.length, 3);
  });

  it('closes all elements, and escapes all text', () => {
    for (const name of ['html', 'head', 'body', 'main', 'svg', 'table', 'tr', 'td', 'h1', 'h2']) {
      const opened = page.match(new RegExp(`<${name}[ >]`, 'g'))?.length;
      assert.equal(page.match(new RegExp(`</${name}>`, 'g'))?.length, opened, name);
    }
    assert.ok(page.includes('?b=&lt;c&gt;&amp;d'));
    assert.ok(!page.includes('<c>'));
    assert.equal(escapeHtml(`<a b="c" d='e'>&`), '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
  });

  it('can be made of an empty report', () => {
    const none = reportHtml(report(0, { series: [], histogram: [], responses: 0 }));
    assert.doesNotMatch(none, /NaN|Infinity/);
  });

  it('has round numbers on its axes', () => {
    const ticks = (most: number): number[] => axisTicks(most, String).map(([value]) => value);
    assert.deepEqual(ticks(100), [0, 25, 50, 75, 100]);
    assert.deepEqual(ticks(7), [0, 2, 4, 6, 8]);
    assert.deepEqual(ticks(0), [0]);
  });
});

describe('a report as CSV', () => {
  it('has a line a second', () => {
    const lines = reportCsv(report()).trim().split('\n');
    assert.equal(lines.length, 9);
    assert.equal(lines[1], '1.000,1.000,1000,1000.0,0,10,1.0000,2.0000');
  });
});

describe('two reports', () => {
  it('differ when their seconds are apart', () => {
    const [rate] = compareReports(report(1_000), report(800));
    assert.ok(Math.abs(rate.change + 0.2) < 1e-9);
    assert.equal(rate.isApart, true);
    assert.match(compareText(report(1_000), report(800), ['a', 'b']), /-20\.0 % +WORSE/);
    assert.match(compareText(report(800), report(1_000), ['a', 'b']), /\+25\.0 % +better/);
  });

  it('of the same runs do not differ', () => {
    const text = compareText(report(1_000), report(1_000), ['a', 'b']);
    assert.match(text, /requests\/s +1,000 +1,000 +0\.0 % +within the spread of the seconds/);
    assert.doesNotMatch(text, /WORSE|better|NOT ALIKE/);
  });

  it('with different requests are not comparable', () => {
    assert.match(
      compareText(report(), report(1, { connections: 8 }), ['a', 'b']),
      /NOT COMPARABLE/,
    );
    const load = { ...report().load, isBound: true };
    assert.match(compareText(report(), report(1, { load }), ['a', 'b']), /LOAD-BOUND: in b/);
  });

  it('are read from written JSON only', () => {
    assert.deepEqual(reportFrom(JSON.stringify(report())), report());
    assert.equal(reportFrom('{'), 'not JSON');
    for (const text of ['null', '3', '{}', '{"format":2}']) {
      assert.equal(reportFrom(text), 'not a report of a load');
    }
  });
});

describe('formatted numbers', () => {
  it('have a fitting unit', () => {
    assert.deepEqual([0, 0.0012, 0.85, 1.234, 12.34, 123.4, 2_100].map(timeText), [
      '0.0 us',
      '1.2 us',
      '850 us',
      '1.23 ms',
      '12.3 ms',
      '123 ms',
      '2.10 s',
    ]);
    assert.deepEqual([0, 999, 1_500, 2.5e6, 123e9].map(bytesText), [
      '0 B',
      '999 B',
      '1.5 kB',
      '2.5 MB',
      '123 GB',
    ]);
    assert.equal(countText(1_234_567.8), '1,234,568');
    assert.equal(detailText('errno 111'), 'connection refused (ECONNREFUSED)');
    assert.equal(detailText('errno 7'), 'errno 7');
  });
});
