// The parts of npm run mutate outside of StrykerJS: its arguments, its collector of tests, and its
// summary of a report.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../testing/child-program.ts';
import { AREAS, areaOf } from './mutation/areas.ts';
import {
  after,
  afterEach,
  before,
  beforeEach,
  type CollectedTest,
  collectFrom,
  describe as group,
  run,
  test,
} from './mutation/collected-tests.ts';
import { parseMutateArguments, USAGE } from './mutation/mutate-arguments.ts';
import { isInSlice, NOT_IN_SLICE } from './mutation/slice.ts';
import {
  type Explained,
  indexText,
  judge,
  type MutationReport,
  resultLines,
  summaryText,
  withoutUntested,
} from './mutation/summary.ts';

const NAMES = AREAS.map(({ name }) => name);

describe('the arguments of mutate', () => {
  const defaults = {
    areas: NAMES,
    files: null,
    slice: null,
    changedSince: '',
    concurrency: 1,
    fresh: false,
    summaryOnly: false,
    help: false,
  };

  it('have defaults', () => {
    assert.deepEqual(parseMutateArguments([]), defaults);
  });

  it('choose folders, slices and files', () => {
    assert.deepEqual(parseMutateArguments(['load', 'driver', '--slice', '3/20', '--seed', '7']), {
      ...defaults,
      areas: ['driver', 'load'],
      slice: { number: 3, of: 20, seed: 7 },
    });
    const given = ['--files', 'src/http/date.ts,src/load/*.ts', '--concurrency', '2', '--fresh'];
    assert.deepEqual(parseMutateArguments(given), {
      ...defaults,
      areas: ['http', 'load'],
      files: ['src/http/date.ts', 'src/load/*.ts'],
      concurrency: 2,
      fresh: true,
    });
    assert.deepEqual(parseMutateArguments(['--changed']), { ...defaults, changedSince: 'HEAD' });
    const since = parseMutateArguments(['--since', 'main']);
    assert.deepEqual(since, { ...defaults, changedSince: 'main' });
  });

  for (const [given, problem] of [
    [['--files', 'spec/x.ts'], /^--files requires patterns below src\/ .*, given 'spec\/x\.ts'$/],
    [['--files', 'src/route/x.ts'], /^--files requires/],
    [['--files', ''], /^--files requires patterns .*, given ''$/],
    [['--concurrency', '0'], /^--concurrency requires a whole number from 1 to 64$/],
    [['--concurrency', '65'], /^--concurrency requires a whole number from 1 to 64$/],
    [['--concurrency', 'x'], /^--concurrency requires/],
    [['--slice', '0/3'], /^--slice requires a slice such as 3\/20, given '0\/3'$/],
    [['--slice', '4/3'], /^--slice requires/],
    [['--slice', '3'], /^--slice requires/],
    [['--seed', '-1'], /--seed/],
    [['--speed'], /--speed.*did you mean --seed/],
    [['word'], /^unknown folder 'word', known: http, connection, driver/],
  ] as const) {
    it(`reject ${given.join(' ')}`, () => {
      const parsed = parseMutateArguments(given);
      assert.ok(typeof parsed === 'string' && problem.test(parsed), String(parsed));
    });
  }

  it('are all in the help', () => {
    const options = ['files', 'slice', 'seed', 'changed', 'since', 'concurrency', 'fresh'];
    for (const option of [...options, 'summary', 'help']) {
      assert.ok(USAGE.includes(`--${option}`), option);
    }
    for (const name of NAMES) assert.ok(USAGE.includes(name), name);
  });
});

describe('areas', () => {
  it('are folders of src/ with folders of tests', () => {
    for (const { name, tests } of AREAS) {
      assert.ok(existsSync(join(ROOT, 'src', name)), name);
      for (const [folder] of tests) assert.ok(existsSync(join(ROOT, folder)), folder);
    }
    assert.equal(areaOf('src/load/url.ts')?.name, 'load');
    assert.equal(areaOf('src/loading/url.ts'), undefined);
  });
});

describe('slices', () => {
  const mutant = (line: number, replacement: string) => ({
    fileName: `/somewhere/copy/src/load/url.ts`,
    mutatorName: 'EqualityOperator',
    replacement,
    location: { start: { line, column: 7 }, end: { line, column: 12 } },
  });
  const all = Array.from({ length: 2_000 }, (_, index) => mutant(index >> 1, `a ${index} b`));

  it('of one seed have each mutant once, and about the same number', () => {
    for (const seed of [0, 1, 99]) {
      const sizes = [1, 2, 3, 4].map(
        (number) => all.filter((one) => isInSlice(one, { number, of: 4, seed })).length,
      );
      assert.equal(
        sizes.reduce((sum, size) => sum + size),
        all.length,
      );
      for (const size of sizes) assert.ok(Math.abs(size - 500) < 90, String(sizes));
    }
  });

  it('depend on the seed, and not on the place of the copy', () => {
    const first = { number: 1, of: 4, seed: 1 };
    const chosen = all.filter((one) => isInSlice(one, first));
    const elsewhere = chosen.map((one) => ({ ...one, fileName: 'C:\\copy\\src\\load\\url.ts' }));
    assert.ok(elsewhere.every((one) => isInSlice(one, first)));
    assert.ok(!chosen.every((one) => isInSlice(one, { ...first, seed: 2 })));
  });
});

describe('the collector', () => {
  it('names tests by file and groups, and numbers those of one name', async () => {
    const tests = await collectFrom('spec/a.test.ts', async () => {
      group('outer', () => {
        test('one', () => {});
        group('inner', () => test('two', {}, () => {}));
      });
      test('three', () => {});
      test('three', () => {});
      test('off', { skip: 'because' }, () => {});
    });
    assert.deepEqual(
      tests.map(({ id }) => id.replace('spec/a.test.ts > ', '')),
      ['outer > one', 'outer > inner > two', 'three', 'three (2)'],
    );
  });

  it('runs hooks around each test, or at the end without a beginning', async () => {
    const done: string[] = [];
    const note = (text: string) => (): void => void done.push(text);
    const [one, two] = await collectFrom('spec/a.test.ts', async () => {
      after(note('never'));
      group('outer', () => {
        before(note('before'));
        after(note('after'));
        test('one', note('one'));
        group('inner', () => {
          beforeEach(note('before each'));
          afterEach(note('after each'));
          test('two', note('two'));
        });
      });
    });
    assert.ok(one !== undefined && two !== undefined);
    await run(one);
    assert.deepEqual(done.splice(0), ['before', 'one', 'after']);
    await run(two);
    const inner = ['before each', 'two', 'after each'];
    assert.deepEqual(done.splice(0), ['before', ...inner, 'after']);
  });

  it('undoes mocks, and leaves out groups that are skipped', async () => {
    const [one, more] = await collectFrom('spec/a.test.ts', async () => {
      test('one', (context: Parameters<CollectedTest['body']>[0]) => {
        context.mock.timers.enable({ apis: ['setTimeout'], now: 5 });
      });
      group('off', { skip: 'because' }, () => test('inner', () => {}));
    });
    assert.ok(one !== undefined && more === undefined);
    const { setTimeout: real } = globalThis;
    await run(one);
    assert.equal(globalThis.setTimeout, real);
  });

  it('undoes a mocked timer whose time was mocked before', async () => {
    const [one] = await collectFrom('spec/a.test.ts', async () => {
      test('one', ({ mock }: Parameters<CollectedTest['body']>[0]) => {
        mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
        mock.method(globalThis, 'setTimeout', () => {});
        mock.method(globalThis, 'setImmediate', () => {});
      });
    });
    assert.ok(one !== undefined);
    const { setTimeout: real, setImmediate: next } = globalThis;
    await run(one);
    assert.deepEqual([globalThis.setTimeout, globalThis.setImmediate], [real, next]);
  });

  it('runs a test repeatedly, with its subtests and after() callbacks', async () => {
    const done: string[] = [];
    const [one] = await collectFrom('spec/a.test.ts', async () => {
      test('one', async (context: Parameters<CollectedTest['body']>[0]) => {
        context.after(() => done.push('after'));
        await context.test('inner', () => done.push('inner'));
        throw new Error('injected');
      });
    });
    assert.ok(one !== undefined);
    for (let count = 0; count < 2; count++) await assert.rejects(run(one), /injected/);
    assert.deepEqual(done, ['inner', 'after', 'inner', 'after']);
  });
});

describe('the summary', () => {
  const HTTP = { name: 'http', threshold: 90 };
  const source = 'first line\n  if (a < b) {\n';
  const mutant = (status: string, replacement: string) => ({
    mutatorName: 'EqualityOperator',
    replacement,
    status,
    location: { start: { line: 2, column: 7 }, end: { line: 2, column: 12 } },
  });

  function report(...statuses: string[]): MutationReport {
    const mutants = statuses.map((status, index) => mutant(status, `a ${index} b`));
    return { files: { 'src/http/x.ts': { source, mutants } } };
  }

  const survived = (count: number): string[] => Array(count).fill('Survived');
  const killed = (count: number): string[] => Array(count).fill('Killed');

  it('counts killed and timed-out mutants as detected, others not', () => {
    const { files } = judge(
      HTTP,
      report('Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'),
      [],
    );
    assert.deepEqual(files, [
      { name: 'src/http/x.ts', detected: 2, survived: 1, uncovered: 1, explained: 0, untested: 0 },
    ]);
  });

  it('has the threshold of the folder', () => {
    const met = judge(HTTP, report(...killed(9), 'Survived'), []);
    assert.equal(met.isMet, true);
    assert.match(met.lines[0] ?? '', /^src\/http\/: 90\.0 % .*threshold 90 %: met$/);
    const missed = judge(HTTP, report(...killed(8), ...survived(1)), []);
    assert.equal(missed.isMet, false);
    assert.match(missed.lines[0] ?? '', /88\.9 % .*MISSED$/);
  });

  it('an explanation is shown, does not raise the score, and must match a mutant', () => {
    const explained: Explained = {
      file: 'src/http/x.ts',
      line: 'if (a < b) {',
      replacement: 'a 9 b',
      reason: 'they are never equal',
    };
    const verdict = judge(HTTP, report(...killed(9), 'Survived'), [explained]);
    assert.equal(verdict.isMet, true);
    assert.match(verdict.lines[0] ?? '', /90\.0 % \(9 of 10 mutants; 1 of the others explained\)/);
    const text = summaryText(HTTP, verdict);
    assert.match(text, /## Explained\n\n- src\/http\/x\.ts:2 EqualityOperator: `a < b` -> `a 9 b`/);
    assert.match(text, /: they are never equal\n/);
    const stale = judge(HTTP, report(...killed(10)), [explained]);
    assert.equal(stale.isMet, false);
    assert.match(stale.lines.at(-1) ?? '', /remove the explanation: src\/http\/x\.ts/);
  });

  it('lists surviving mutants with their lines', () => {
    const text = summaryText(HTTP, judge(HTTP, report('Killed', 'Survived', 'NoCoverage'), []));
    assert.match(text, /`a < b` -> `a 1 b` in `if \(a < b\) \{`\n/);
    assert.doesNotMatch(text, /`a 2 b`/, 'no test runs it: only counted');
    assert.match(text, /\| src\/http\/x\.ts \| 33\.3 % \| 1 \| 1 \| 1 \| 0 \| 0 \|/);
  });

  it('estimates the score from a sample, with all mutants that no test runs', () => {
    const untested = { ...mutant('RuntimeError', 'c'), statusReason: `${NOT_IN_SLICE} 1/2` };
    const { files } = report(...killed(3), 'Survived', ...Array(20).fill('NoCoverage'));
    const { source: text, mutants } = files['src/http/x.ts'] ?? { source: '', mutants: [] };
    const sampled = { source: text, mutants: [...mutants, ...Array(76).fill(untested)] };
    const sample: MutationReport = { files: { 'src/http/x.ts': sampled } };
    // 80 of 100 mutants are run by tests, which detect three quarters of the sample.
    const { lines } = judge({ ...HTTP, threshold: 60 }, sample, []);
    assert.match(lines[0] ?? '', /^src\/http\/: 60\.0 % \(estimate: 3 of a sample of 4 mutants, /);
    assert.match(lines[0] ?? '', /20 of all 100 not run;.*threshold 60 %: met$/);
    const rest = withoutUntested(sample).files['src/http/x.ts']?.mutants;
    assert.equal(rest?.length, 24);
  });

  it('of all folders has their results', () => {
    const text = summaryText(HTTP, judge(HTTP, report(...killed(10)), []));
    const lines = resultLines(text);
    assert.match(lines.join('\n'), /^- src\/http\/: 100\.0 % .*: met$/);
    const index = indexText([
      [HTTP, lines],
      [{ name: 'load' }, []],
    ]);
    assert.match(
      index,
      /\n- src\/http\/: 100\.0 % .*: met; \[survivors\]\(summaries\/http\.md\)\n/,
    );
    assert.match(index, /\n- src\/load\/: not mutated yet\n/);
  });

  it('has the same results as the summaries of the folders', () => {
    const read = (path: string): string => readFileSync(join(ROOT, 'spec/mutation', path), 'utf8');
    const areas = AREAS.map((area) => {
      const path = `summaries/${area.name}.md`;
      return [
        area,
        existsSync(join(ROOT, 'spec/mutation', path)) ? resultLines(read(path)) : [],
      ] as const;
    });
    assert.equal(read('summary.md'), indexText(areas), 'npm run mutate -- --summary');
  });
});
