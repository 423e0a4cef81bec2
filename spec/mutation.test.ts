// The parts of npm run mutate outside of StrykerJS: its arguments, its collector of tests, and its
// summary of a report.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CollectedTest,
  collectFrom,
  describe as group,
  run,
  test,
} from './mutation/collected-tests.ts';
import { MUTATED, parseMutateArguments, USAGE } from './mutation/mutate-arguments.ts';
import { type Explained, judge, type MutationReport, summaryText } from './mutation/summary.ts';

describe('the arguments of mutate', () => {
  it('have defaults', () => {
    assert.deepEqual(parseMutateArguments([]), {
      files: MUTATED,
      concurrency: 1,
      fresh: false,
      summaryOnly: false,
      help: false,
    });
    const given = ['--files', 'src/http/date.ts,src/route/*.ts', '--concurrency', '2', '--fresh'];
    assert.deepEqual(parseMutateArguments(given), {
      files: ['src/http/date.ts', 'src/route/*.ts'],
      concurrency: 2,
      fresh: true,
      summaryOnly: false,
      help: false,
    });
  });

  for (const [given, problem] of [
    [['--files', 'spec/x.ts'], /^--files requires patterns below src\/, given 'spec\/x\.ts'$/],
    [['--files', ''], /^--files requires patterns below src\/, given ''$/],
    [['--concurrency', '0'], /^--concurrency requires a whole number from 1 to 64$/],
    [['--concurrency', '65'], /^--concurrency requires a whole number from 1 to 64$/],
    [['--concurrency', 'x'], /^--concurrency requires/],
    [['--speed'], /--speed/],
    [['word'], /word/],
  ] as const) {
    it(`reject ${given.join(' ')}`, () => {
      const parsed = parseMutateArguments(given);
      assert.ok(typeof parsed === 'string' && problem.test(parsed), String(parsed));
    });
  }

  it('are all in the help', () => {
    for (const option of ['--files', '--concurrency', '--fresh', '--summary', '--help']) {
      assert.ok(USAGE.includes(option), option);
    }
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
    const { files } = judge(report('Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'), []);
    assert.deepEqual(files, [
      { name: 'src/http/x.ts', detected: 2, survived: 1, uncovered: 1, explained: 0 },
    ]);
  });

  it('has a threshold for each folder', () => {
    const met = judge(report(...killed(9), 'Survived'), []);
    assert.equal(met.isMet, true);
    assert.match(met.lines[0] ?? '', /^src\/http\/: 90\.0 % .*threshold 90 %: met$/);
    const missed = judge(report(...killed(8), ...survived(1)), []);
    assert.equal(missed.isMet, false);
    assert.match(missed.lines[0] ?? '', /88\.9 % .*MISSED$/);
    assert.match(missed.lines[1] ?? '', /^src\/connection\/: not mutated$/);
  });

  it('an explanation is shown, does not raise the score, and must match a mutant', () => {
    const explained: Explained = {
      file: 'src/http/x.ts',
      line: 'if (a < b) {',
      replacement: 'a 9 b',
      reason: 'they are never equal',
    };
    const verdict = judge(report(...killed(9), 'Survived'), [explained]);
    assert.equal(verdict.isMet, true);
    assert.match(verdict.lines[0] ?? '', /90\.0 % \(9 of 10 mutants; 1 of the others explained\)/);
    const text = summaryText(verdict);
    assert.match(text, /## Explained\n\n- src\/http\/x\.ts:2 EqualityOperator: `a < b` -> `a 9 b`/);
    assert.match(text, /: they are never equal\n/);
    const stale = judge(report(...killed(10)), [explained]);
    assert.equal(stale.isMet, false);
    assert.match(stale.lines.at(-1) ?? '', /remove the explanation: src\/http\/x\.ts/);
  });

  it('lists surviving mutants with their lines', () => {
    const text = summaryText(judge(report('Killed', 'Survived'), []));
    assert.match(text, /`a < b` -> `a 1 b` in `if \(a < b\) \{`\n/);
    assert.match(text, /\| src\/http\/x\.ts \| 50\.0 % \| 1 \| 1 \| 0 \| 0 \|/);
  });
});
