// Comparing two commits: arguments, what counts as a change, and which packages a commit needs. The
// builds and windows themselves take minutes and are left to the command.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { perfScript } from '../../perf/measure/child-process.ts';
import { COMPARE_USAGE, parseCompareArguments } from '../../perf/compare/arguments.ts';
import { commitHash, needsNoOther } from '../../perf/compare/checkout.ts';
import {
  type Figure,
  judge,
  quantile,
  verdictLine,
  verdictTable,
} from '../../perf/compare/verdict.ts';

const TIMEOUT_MS = 60_000;

describe('arguments of perf:compare', () => {
  it('are two commits, with options before, between and behind', () => {
    const given = parseCompareArguments([
      ...['--windows', '3', 'main~5', '--seconds=1', 'main', '--scenarios', 'hello,static-1k'],
    ]);
    assert.ok(typeof given !== 'string');
    assert.deepEqual([given.base, given.head], ['main~5', 'main']);
    assert.deepEqual([given.numbers.windows, given.numbers.seconds], [3, 1]);
    assert.deepEqual(given.lists.scenarios, ['hello', 'static-1k']);
    assert.deepEqual(given.lists.drivers, ['epoll']);
  });

  it('are refused with one line', () => {
    const wrong: [string[], RegExp][] = [
      [[], /^two commits are compared, as in main~5 main$/],
      [['main'], /^two commits are compared, as in/],
      [['a', 'b', 'c'], /^two commits are compared, not also 'c'$/],
      [['a', 'b', '--windows', '2'], /^--windows takes a whole number from 3 to 99$/],
      [['a', 'b', '--scenarios', 'none'], /^--scenarios takes some of hello, /],
      [['a', 'b', '--fast', 'c'], /--fast/],
      [['a', 'b', '--seconds'], /--seconds/],
    ];
    for (const [given, problem] of wrong) {
      const result = parseCompareArguments(given);
      assert.ok(typeof result === 'string', `${given.join(' ')} is refused`);
      assert.match(result, problem);
    }
  });

  it('stand in the help', () => {
    assert.match(COMPARE_USAGE, /^usage: npm run perf:compare -- BASE HEAD \[option\.\.\.\]/);
    assert.match(COMPARE_USAGE, /2 when the\narguments are wrong, a commit is not there/);
    for (const name of ['seconds', 'windows', 'scenarios', 'micro-runs']) {
      assert.ok(COMPARE_USAGE.includes(`  --${name} `), name);
    }
  });
});

describe('the verdict', () => {
  it('is worse or better by the direction of the figure', () => {
    assert.equal(judge(rate([100, 101, 99], [90, 91, 89])).change, 'WORSE');
    assert.equal(judge(rate([100, 101, 99], [110, 111, 109])).change, 'better');
    const cost = (head: number[]): Figure => ({ ...rate([10, 10, 10], head), better: 'less' });
    assert.equal(judge(cost([11, 11, 11])).change, 'WORSE');
    assert.equal(judge(cost([9, 9, 9])).change, 'better');
  });

  it('is the same up to the threshold', () => {
    assert.equal(judge(rate([100, 100, 100], [96, 96, 96])).change, 'same');
    assert.equal(judge(rate([100, 100, 100], [94, 94, 94])).change, 'WORSE');
    assert.equal(judge(rate([100, 100, 100], [106, 106, 106])).change, 'better');
  });

  it('is the same when the rounds differ by more', () => {
    const noisy = judge(rate([100, 100, 100, 100, 100], [60, 80, 90, 110, 130]));
    assert.equal(noisy.change, 'same');
    assert.ok(noisy.ratio < 0.95);
    // A slow second in which both are slow does not make the rounds differ.
    const slow = judge(rate([100, 50, 100, 70, 100], [90, 45, 90, 63, 90]));
    assert.equal(slow.change, 'WORSE');
    assert.deepEqual([slow.low, slow.high], [0.9, 0.9]);
  });

  it('looks at medians, so that one bad round changes nothing', () => {
    assert.equal(judge(rate([100, 100, 100, 100, 100], [100, 100, 1, 100, 100])).change, 'same');
  });

  it('needs every round of both', () => {
    assert.throws(() => judge(rate([100, 100], [100])), /a round lacks one of the two/);
  });

  it('knows quantiles', () => {
    assert.equal(quantile([1, 2, 3, 4, 5], 0.25), 2);
    assert.equal(quantile([1, 2], 0.25), 1.25);
    assert.equal(quantile([7], 0.75), 7);
    assert.throws(() => quantile([], 0.5));
  });

  it('is a table and a line', () => {
    const verdicts = [judge(rate([100, 100], [80, 80])), judge(rate([100, 100], [101, 101]))];
    assert.deepEqual(verdictTable(verdicts).split('\n'), [
      '         base  head  ratio     middle half',
      'hello/s   100    80  0.800  0.800 to 0.800  WORSE',
      'hello/s   100   101  1.010  1.010 to 1.010',
    ]);
    assert.equal(verdictLine(verdicts), 'WORSE: hello/s');
    assert.equal(verdictLine(verdicts.slice(1)), 'nothing became worse');
    const better = judge(rate([100, 100], [120, 120]));
    assert.equal(verdictLine([better]), 'nothing became worse. better: hello/s');
  });
});

describe('a commit', () => {
  it('that is not there is refused before anything is built', { timeout: TIMEOUT_MS }, () => {
    for (const name of ['no-such-commit', '--all']) assert.equal(commitHash(name), '');
    const command = [perfScript('compare.ts'), 'no-such-commit', 'HEAD'];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    assert.deepEqual(
      [status, stdout, stderr],
      [2, '', "'no-such-commit' is no commit of this repository\n"],
    );
  });

  it('takes our packages when it asks for no others', () => {
    const ours = { packages: { '': {}, a: { version: '1' }, b: { version: '2' } } };
    assert.equal(needsNoOther({ packages: { '': {}, a: { version: '1' } } }, ours), true);
    assert.equal(needsNoOther({ packages: { a: { version: '2' } } }, ours), false);
    assert.equal(needsNoOther({ packages: { c: { version: '1' } } }, ours), false);
  });
});

function rate(base: readonly number[], head: readonly number[]): Figure {
  return { name: 'hello/s', base, head, better: 'more', threshold: 0.05, digits: 0 };
}
