// The micro-benchmarks: every file that has some is run, hot files name one of them, and the
// command checks its arguments. Figures of speed are not judged, only that there are some.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { BenchResult } from '../../perf/bench/case.ts';
import { GROUPS, groupsNamed } from '../../perf/bench/groups.ts';
import { measureCases, resultOf } from '../../perf/bench/measure.ts';
import { BENCH_GROUPS } from '../../perf/bench/positionals.ts';
import { benchTable } from '../../perf/bench/table.ts';
import { perfScript } from '../../perf/measure/child-process.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { texts } from '../tidy/tree.ts';

const slowTest = slowTests();

leaveOutOfCoverage();

const TIMEOUT_MS = 60_000;

describe('groups of micro-benchmarks', () => {
  it('are all files of perf/micro/', () => {
    const files = readdirSync(perfScript('micro')).filter((name) => name.endsWith('.js'));
    assert.deepEqual(GROUPS.map(({ file }) => file.replace(/\.ts$/, '.js')).sort(), files.sort());
    assert.equal(new Set(GROUPS.map(({ name }) => name)).size, GROUPS.length);
  });

  it('are what hot files name', () => {
    const hot = texts().flatMap(({ path, lines }) => {
      const opening = lines.slice(0, 6).join('\n');
      const named = /^\/\/ Hot: .*\n?.*?perf\/micro\/([\w-]+\.ts)/m.exec(opening)?.[1];
      return path.startsWith('src/') && named !== undefined ? [named] : [];
    });
    const known = GROUPS.map(({ file }) => file);
    assert.deepEqual(
      hot.filter((file) => !known.includes(file)),
      [],
    );
  });
});

describe('arguments of bench', () => {
  it('choose groups', () => {
    const names = (given: readonly string[]) => groupsNamed(given).map(({ name }) => name);
    assert.equal(names([]).length, GROUPS.length);
    assert.deepEqual(names(['router', 'parser']), ['parser', 'router']);
  });

  it('name known groups', () => {
    assert.equal(BENCH_GROUPS.check(['router']), null);
    assert.equal(BENCH_GROUPS.check(['parsr']), "no group 'parsr'; did you mean parser?");
    assert.match(
      BENCH_GROUPS.check(['everything']) ?? '',
      /^no group 'everything'; there are parser, chunked, /,
    );
  });
});

describe('measuring', { timeout: TIMEOUT_MS }, () => {
  it('is for one operation, of synchronous and asynchronous functions', async () => {
    let calls = 0;
    const results = await measureCases(
      'sample',
      [
        { name: 'fast', run: () => void calls++ },
        { name: 'slow', operations: 1_000, bytes: 10, versus: 'fast', run: waste },
        { name: 'late', run: () => new Promise((resolve) => setImmediate(resolve)) },
      ],
      10,
    );
    assert.deepEqual(
      results.map(({ name, bytes, versus }) => [name, bytes, versus]),
      [
        ['fast', null, null],
        ['slow', 10, 'fast'],
        ['late', null, null],
      ],
    );
    assert.ok(calls > 100, `${calls} calls`);
    for (const { name, bestNs, medianNs, lowNs, highNs, samples } of results) {
      assert.ok(bestNs > 0 && bestNs <= lowNs && lowNs <= medianNs && medianNs <= highNs, name);
      assert.ok(samples >= 5, `${name}: ${samples} samples`);
    }
  });

  it('returns the best, the median, and the quartiles', () => {
    const one = { name: 'a', run: () => {} };
    const { bestNs, medianNs, lowNs, highNs } = resultOf('g', one, [50, 10, 40, 20, 30]);
    assert.deepEqual([bestNs, lowNs, medianNs, highNs], [10, 20, 30, 40]);
    assert.throws(() => resultOf('g', one, []), /g, a: nothing was measured/);
  });

  it('makes a table with rates and comparisons', () => {
    const result = (name: string, ns: number, versus: string | null): BenchResult => {
      const times = { bestNs: ns, medianNs: ns, lowNs: ns, highNs: ns };
      return { group: 'g', name, ...times, samples: 9, bytes: versus === null ? null : 50, versus };
    };
    assert.deepEqual(
      benchTable([result('ours', 40, null), result('other', 100, 'ours')]).split('\n'),
      [
        'ns     best  median   middle half  GB/s',
        'ours   40.0    40.0  40.0 to 40.0     -',
        'other   100     100    100 to 100  0.50  2.5 x the time',
      ],
    );
  });
});

describe('npm run bench', { timeout: 3 * TIMEOUT_MS }, () => {
  slowTest('prints one JSON document, with a figure for each case', () => {
    const { status, stdout, stderr } = run('chunked', 'pools', '--ms=1', '--json');
    assert.equal(status, 0, stderr);
    const { format, node, results } = JSON.parse(stdout) as {
      format: number;
      node: string;
      results: readonly BenchResult[];
    };
    assert.deepEqual([format, node], [1, `Node ${process.version}`]);
    assert.deepEqual([...new Set(results.map(({ group }) => group))], ['chunked', 'pools']);
    for (const { name, bestNs } of results) assert.ok(bestNs > 0, name);
  });

  slowTest('prints a table', () => {
    const { status, stdout, stderr } = run('parser', '--ms=1');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^parser: /m);
    assert.match(stdout, /^llhttp, small request .* x the time$/m);
  });

  slowTest('prints help, and a usage error', () => {
    const help = run('--help');
    assert.deepEqual([help.status, help.stderr], [0, '']);
    for (const { name } of GROUPS) assert.ok(help.stdout.includes(`  ${name} `), name);
    const wrong = run('nothing');
    assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
    assert.match(wrong.stderr, /^no group 'nothing'/);
  });
});

function waste(): void {
  for (let count = 0; count < 1_000; count++) Math.sqrt(count);
}

function run(...args: string[]) {
  const command = [perfScript('commands/bench.ts'), ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', timeout: TIMEOUT_MS });
}
