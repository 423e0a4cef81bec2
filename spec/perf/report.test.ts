// The page of results and the lines it is made from: the page has their figures, their texts cannot
// become markup, and there is a page without any results.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scenarioOf } from '../../perf/catalog/scenarios.ts';
import type { GateFigures, RateWindow } from '../../perf/gate/judge.ts';
import { gateLines } from '../../perf/gate/result-lines.ts';
import { ratioInRounds } from '../../perf/measure/result-lines.ts';
import { appendResults, parseResults, type ResultLine } from '../../perf/measure/results.ts';
import type { WindowFigures } from '../../perf/measure/window-load.ts';
import { latestOf, pageHtml, profilesHtml } from '../../perf/report/page.ts';
import { evenTicks, logarithmicTicks } from '../../perf/report/plot.ts';
import { readmeTable, tableIn, writeReadme } from '../../perf/report/readme.ts';
import { profilesIn, writeReport } from '../../perf/report/write.ts';
import { ROOT } from '../../testing/child-program.ts';
import { line, serverResult } from './fixtures/result-lines.ts';

const REPORTS = join(ROOT, 'reports');

const page = (lines: readonly ResultLine[]): string => pageHtml({ lines, badLines: [] });

describe('lines of results', () => {
  it('are read as they were written', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-results-'));
    try {
      const file = join(folder, 'deep', 'results.jsonl');
      const lines = [line(), line({ kind: 'peers', server: 'nginx', driver: '', floor: null })];
      appendResults(lines.slice(0, 1), file);
      appendResults(lines.slice(1), file);
      assert.deepEqual(parseResults(readFileSync(file, 'utf8')), { lines, badLines: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are left out and reported where they are invalid', () => {
    const good = line();
    const bad: unknown[] = [
      'text',
      [good],
      { ...good, format: 2 },
      { ...good, kind: 'other' },
      { ...good, load: 'most' },
      { ...good, scenario: 5 },
      { ...good, connections: '64' },
      { ...good, rate: { median: 1 } },
      { ...good, floor: { ...serverResult(1, 1) } },
      { ...good, ratio: { median: null, least: 1, most: 1 } },
      { ...good, latencyMs: { '50': '1' } },
      { ...good, remarks: [1] },
      { ...good, checks: [{ name: 'x' }] },
    ];
    const text = [good, ...bad].map((one) => JSON.stringify(one)).join('\n');
    const { badLines, lines } = parseResults(`${text}\n{"format":1\n\n`);
    assert.deepEqual(lines, [good]);
    assert.deepEqual(badLines, [...bad.map((_, index) => index + 2), bad.length + 2]);
  });
});

describe('lines of the gate', () => {
  it('are of the same shape, with the checks in the first', () => {
    const window = (rate: number, microseconds: number): RateWindow => {
      return { rate, microseconds, loadShare: 0.99, othersShare: 0, failures: 0, gcPauseMs: 0 };
    };
    const floors = [window(100, 10), window(300, 10)];
    const throughput = [{ scenario: scenarioOf('hello'), floors, servers: [window(100, 20)] }];
    const checks = [{ name: 'hello', state: 'met', text: 'so', parts: [] }] as const;
    const figures = { throughput, latency: null, turns: null } as unknown as GateFigures;
    const lines = gateLines(line(), { driver: 'epoll', windowMs: 500 }, figures, {
      checks,
      remarks: [],
      exitCode: 0,
    });
    assert.deepEqual(parseResults(lines.map((one) => JSON.stringify(one)).join('\n')), {
      lines,
      badLines: [],
    });
    const [{ cpuRatio, ratio, remarks, scenario }] = lines;
    assert.deepEqual([scenario, ratio?.median, cpuRatio?.median], ['hello', 0.5, 0.5]);
    assert.match(remarks[0], /^LOAD-BOUND: .* 1 of 1 windows$/);
    assert.deepEqual(lines[0].checks, [{ name: 'hello', state: 'met', text: 'so' }]);
  });
});

describe('the page', () => {
  it('shows the figures of a scenario next to those of the floor', () => {
    const html = page([line({ remarks: ['LOAD-BOUND: in 2 of 5 windows'] })]);
    const shown = ['98,765', '101,010', '11.3 µs', '10.5 µs', '0.98×', '0.93× by CPU'];
    for (const text of [
      ...shown,
      'title="LOAD-BOUND: in 2 of 5 windows">LOAD-BOUND<',
      'commit abcdef123',
      '64 conn',
    ]) {
      assert.ok(html.includes(text), text);
    }
    // 98,765 divided by the maximum of both, which is the floor's.
    assert.ok(html.includes(`width:${Math.round((98_765 / 111_111) * 1000) / 10}%`));
  });

  it('draws latencies at fixed rates only', () => {
    const paced = line({ scenario: 'static-1k', load: 'rate', askedRate: 10_000 });
    const html = page([line(), paced]);
    assert.equal(html.match(/<figure>/g)?.length, 1);
    for (const text of ['static-1k at 10,000/s', 'P99 1.23 ms, floor 1.23 ms', 'P99.9: 4.5 ms']) {
      assert.ok(html.includes(text), text);
    }
    assert.ok(!html.includes('Pmost'), 'the maximum is no percentile');
    assert.match(html, /<path class="own" d="M0 [\d.]+L/);
  });

  it('draws a history from the second run on, the oldest first', () => {
    const later = line({ startedAt: '2026-11-23T10:00:00.000Z', commit: 'fedcba321' });
    assert.match(page([line()]), /It begins with the second run/);
    const html = page([later, line()]);
    assert.doesNotMatch(html, /It begins with the second run/);
    const dots = [...html.matchAll(/class="dot own"[^>]*title="(\w+), /g)].map(([, name]) => name);
    assert.deepEqual(dots, ['abcdef123', 'fedcba321', 'abcdef123', 'fedcba321']);
  });

  it('shows the newest of each scenario and load', () => {
    const older = line({ startedAt: '2026-11-20T10:00:00.000Z', ...serverResult(55_555, 9) });
    const half = line({ load: 'half', askedRate: 50_000 });
    assert.deepEqual(latestOf([line(), older, half]), [line(), half]);
    assert.ok(!page([line(), older]).includes('>55,555<'));
  });

  it('compares other servers, the fastest first', () => {
    const peer = (server: string, driver: string, rate: number): ResultLine =>
      line({ kind: 'peers', server, driver, floor: null, ratio: null, ...serverResult(rate, 9) });
    const html = page([peer('nginx', '', 80_000), peer('uring', 'uring', 100_000)]);
    assert.match(html, /Vibing, io_uring[\s\S]*100,000[\s\S]*nginx[\s\S]*80,000<\/td><td>0\.80×/);
  });

  it('shows the checks of the gate', () => {
    const checks = [
      { name: 'hello', state: 'MISSED', text: 'median ratio 0.5' },
      { name: 'P99 below 1 ms', state: 'NOT JUDGED', text: '2 windows count' },
    ] as const;
    const html = page([line({ kind: 'gate', checks })]);
    assert.match(
      html,
      /<td class="wide state missed">MISSED<\/td><td class="wide">median ratio 0\.5/,
    );
    assert.match(html, /<td class="wide state open">NOT JUDGED/);
  });

  it('lets no text become markup', () => {
    const evil = '<script>alert("1")</script>\'&';
    const lines = (['perf', 'peers', 'gate'] as const).flatMap((kind) =>
      [1, 2].map((day) =>
        line({
          kind,
          startedAt: `2026-11-0${day}${evil}`,
          commit: evil,
          machine: evil,
          node: evil,
          kernel: evil,
          driver: evil,
          server: evil,
          scenario: day === 1 ? evil : `${evil}2`,
          load: 'full',
          remarks: [evil],
          checks: [{ name: evil, state: 'met', text: evil }],
        }),
      ),
    );
    const again = lines.map((one) => ({ ...one, startedAt: `${one.startedAt}3` }));
    const paced = lines.map((one) => ({ ...one, load: 'rate' }) as const);
    const profiles = profilesHtml([{ href: evil, name: evil }]);
    assert.ok(profiles.includes('&lt;script&gt;'));
    assert.doesNotMatch(profiles, /<script|"1"/);
    const html = pageHtml({ lines: [...lines, ...again, ...paced], badLines: [7] });
    assert.ok(html.includes('&lt;script&gt;'));
    assert.doesNotMatch(html, /<script|"1"/);
    assert.match(html, /Invalid lines of results\.jsonl, left out: 7/);
  });

  it('is complete without any result', () => {
    const html = page([]);
    assert.equal(html.match(/class="empty"/g)?.length, 6);
    assert.match(html, /No results yet/);
    for (const command of ['npm run perf<', 'perf:peers', 'perf:gate', 'perf:flame']) {
      assert.ok(html.includes(command), command);
    }
  });

  it('loads nothing from anywhere', () => {
    const html = page([line(), line({ load: 'rate', askedRate: 10_000 })]);
    assert.doesNotMatch(html, /(src|href)="(?!data:,)|@import|url\(/);
  });
});

describe('the table of other servers', () => {
  const peer = (server: string, rate: number, changes: Partial<ResultLine> = {}): ResultLine => {
    const own = server === 'uring' || server === 'epoll';
    const driver = own ? server : '';
    const common = { kind: 'peers', server, driver, floor: null, ratio: null } as const;
    return line({ ...common, ...serverResult(rate, 9), ...changes });
  };

  it('has the rates of our server, and ratios to it', () => {
    const lines = [peer('epoll', 120_000), peer('uring', 100_000), peer('nginx', 80_000)];
    const rows = readmeTable(lines).split('\n');
    assert.match(rows[2] ?? '', /^\| \*\*Vibing, io_uring\*\* \| 100,000 \| - \|/);
    assert.match(rows[3] ?? '', /^\| Vibing, epoll \| 1\.20x \|/);
    assert.match(rows[4] ?? '', /^\| nginx \| 0\.80x \|/);
    // The page has the same ratios, also where another server of ours is faster.
    assert.match(page(lines), /nginx<\/td><td>80,000<\/td><td>0\.80×/);
    // So have its first figures, of the floor as well.
    const withFloor = page([...lines, line(), peer('floor', 125_000)]);
    assert.match(withFloor, /hello, on one core<\/span>\n<b>100,000 /);
    assert.match(withFloor, /rate<\/span>\n<b>0\.80× <small>of the floor/);
  });

  it('prefers ratios within rounds, and shows the last run only', () => {
    const within = { ratio: { median: 0.91, least: 0.9, most: 0.92 } };
    const old = peer('bun', 90_000, { startedAt: '2026-11-20T10:00:00.000Z' });
    const table = readmeTable([old, peer('epoll', 100_000), peer('nginx', 80_000, within)]);
    assert.match(table, /\| nginx \| 0\.91x \|/);
    assert.match(table, /\*\*Vibing, epoll\*\* \| 100,000/);
    assert.doesNotMatch(table, /Bun/);
  });

  it('takes ratios within rounds from windows', () => {
    const windows = (...rates: number[]): WindowFigures[] =>
      rates.map((rate) => ({ rate }) as WindowFigures);
    const ratio = ratioInRounds(windows(50, 80, 10), windows(100, 100, 100, 1));
    assert.deepEqual(ratio, { median: 0.5, least: 0.1, most: 0.8 });
    assert.equal(ratioInRounds([], windows(1)), null);
    const [bound] = windows(100).map((one) => ({ ...one, cpuUs: 8, isLoadBound: true }));
    const others = windows(100).map((one) => ({ ...one, cpuUs: 10 }));
    assert.equal(ratioInRounds([bound], others)?.median, 1.25, 'by processor time');
  });
});

/** Whether measurements were made here: their figures differ from the committed ones. */
function hasLocalResults(): boolean {
  const { status, stdout } = spawnSync('git', ['status', '--porcelain', 'reports'], { cwd: ROOT });
  return status !== 0 || String(stdout) !== '';
}

const isOther = process.env['UPDATE_DOCS'] !== '1' && hasLocalResults();
const skip = isOther && 'reports/ differs from the last commit, or there is no git';

describe('the committed figures', { skip }, () => {
  const { lines, badLines } = parseResults(readFileSync(join(REPORTS, 'results.jsonl'), 'utf8'));

  it('of the page and of README.md are those of the results', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const shown = tableIn(readme);
    assert.ok(shown !== null);
    if (process.env['UPDATE_DOCS'] === '1') {
      assert.match(writeReadme(lines), /^table of other servers: /);
      writeFileSync(join(REPORTS, 'index.html'), pageHtml({ lines, badLines }));
    } else {
      assert.equal(shown, readmeTable(lines), 'UPDATE_DOCS=1 npm test -- perf/report');
    }
    const committed = readFileSync(join(REPORTS, 'index.html'), 'utf8');
    assert.ok(committed === pageHtml({ lines, badLines }), 'npm run perf:report');
  });

  it('have no dead links', () => {
    const html = readFileSync(join(REPORTS, 'index.html'), 'utf8');
    assert.deepEqual(deadLinks(html, REPORTS), []);
    assert.doesNotMatch(html, /href="(?!#|data:,)/, 'a link to a file is dead in a new clone');
  });
});

/** Links to files that do not exist, and to places that the page does not have. */
function deadLinks(html: string, folder: string): readonly string[] {
  const links = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link ?? '');
  return links.filter((link) => {
    if (link.startsWith('data:')) return false;
    if (link.startsWith('#')) return !html.includes(`id="${link.slice(1)}"`);
    return !existsSync(join(folder, decodeURIComponent(link)));
  });
}

describe('the table in a file', () => {
  it('is replaced by that of a run with all of its columns, and by no other', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-readme-'));
    try {
      const file = join(folder, 'README.md');
      const text =
        'before\n\n| requests/s, higher is better | old |\n| --- | ---: |\n| x | 1 |\n\nafter\n';
      writeFileSync(file, text);
      const names = ['hello', 'static-1k', 'json', 'pipelined-16', 'browser-headers', 'baseline'];
      const run = (some: readonly string[]): ResultLine[] =>
        some.flatMap((scenario) => [
          line({ kind: 'peers', server: 'uring', driver: 'uring', scenario, ratio: null }),
          line({ kind: 'peers', server: 'floor-c', driver: '', scenario, ratio: null }),
        ]);
      assert.match(writeReadme(run(['hello']), file), /stays as it is: the run has no static-1k, /);
      assert.equal(readFileSync(file, 'utf8'), text);
      assert.match(writeReadme(run(names), file), /^table of other servers: /);
      const written = readFileSync(file, 'utf8');
      assert.equal(tableIn(written), readmeTable(run(names)));
      assert.match(written, /^before\n\n\|.*\n\| floor in C \| 1\.00x .*\|\n\nafter\n$/s);
      writeFileSync(file, 'none\n');
      assert.match(writeReadme(run(names), file), /it has no table/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('axes', () => {
  it('have even steps, or powers of ten', () => {
    assert.deepEqual(evenTicks(1.07), [0, 0.5, 1, 1.5]);
    assert.deepEqual(evenTicks(11.3), [0, 5, 10, 15]);
    assert.deepEqual(evenTicks(100), [0, 25, 50, 75, 100]);
    assert.deepEqual(logarithmicTicks([0.2, 30]), [0.1, 1, 10, 100]);
    assert.deepEqual(logarithmicTicks([]), [0.1, 1]);
  });
});

describe('the report on disk', () => {
  it('is written next to its results, and a page with links to the profiles', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-report-'));
    try {
      appendResults([line()], join(folder, 'results.jsonl'));
      appendFileSync(join(folder, 'results.jsonl'), 'broken\n');
      mkdirSync(join(folder, 'flame', 'hello 1'), { recursive: true });
      writeFileSync(join(folder, 'flame', 'hello 1', 'index.html'), '');
      writeFileSync(join(folder, 'flame', 'notes.txt'), '');
      assert.deepEqual(profilesIn(folder), [
        { href: 'flame/hello%201/index.html', name: 'flame / hello 1' },
      ]);
      assert.match(writeReport(folder), /^page of 1 results, 1 invalid lines left out: /);
      const html = readFileSync(join(folder, 'index.html'), 'utf8');
      assert.match(html, /98,765/);
      assert.deepEqual(deadLinks(html, folder), []);
      const list = readFileSync(join(folder, 'profiles.html'), 'utf8');
      assert.match(list, /<a href="flame\/hello%201\/index\.html">flame \/ hello 1<\/a>/);
      assert.deepEqual(deadLinks(list, folder), []);
      rmSync(join(folder, 'flame'), { recursive: true });
      assert.deepEqual(deadLinks(list, folder), ['flame/hello%201/index.html']);
      writeReport(folder);
      assert.equal(
        existsSync(join(folder, 'profiles.html')),
        false,
        'a list of nothing is removed',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
