// Comparing two commits: arguments, what counts as a change, scripts and packages of a commit. The
// builds and windows take minutes and are not tested here.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commitHash, needsNoOther, scriptIn } from '../../perf/compare/checkout.ts';
import { commitsProblem } from '../../perf/compare/positionals.ts';
import {
  type Figure,
  judge,
  quantile,
  verdictLine,
  verdictTable,
} from '../../perf/compare/verdict.ts';
import { perfScript } from '../../perf/measure/child-process.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';

leaveOutOfCoverage();

const TIMEOUT_MS = 60_000;

describe('arguments of perf:compare', () => {
  it('are two commits', () => {
    const hashOf = (name: string): string => (name === 'none' ? '' : 'abc');
    assert.equal(commitsProblem(['main~5', 'main'], hashOf), null);
    const needed = 'two commits are needed, as in main~5 main';
    assert.equal(commitsProblem([], hashOf), needed);
    assert.equal(commitsProblem(['main'], hashOf), needed);
    assert.equal(commitsProblem(['a', 'b', 'c'], hashOf), "two commits are compared, not also 'c'");
    assert.match(commitsProblem(['a', 'none'], hashOf) ?? '', /^'none' is no commit/);
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
    // A slow second of the machine affects both, so the ratios of the rounds stay equal.
    const slow = judge(rate([100, 50, 100, 70, 100], [90, 45, 90, 63, 90]));
    assert.equal(slow.change, 'WORSE');
    assert.deepEqual([slow.low, slow.high], [0.9, 0.9]);
  });

  it('compares medians, so that one bad round changes nothing', () => {
    assert.equal(judge(rate([100, 100, 100, 100, 100], [100, 100, 1, 100, 100])).change, 'same');
  });

  it('needs every round of both', () => {
    assert.throws(() => judge(rate([100, 100], [100])), /a round lacks one of the two/);
  });

  it('interpolates quantiles', () => {
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
  it('that does not exist is a usage error', { timeout: TIMEOUT_MS }, () => {
    for (const name of ['no-such-commit', '--all']) assert.equal(commitHash(name), '');
    const command = [perfScript('commands/compare.ts'), 'no-such-commit', 'HEAD'];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    assert.deepEqual(
      [status, stdout, stderr],
      [2, '', "'no-such-commit' is no commit of this repository; --help lists the options\n"],
    );
  });

  it('has its scripts at the first place where they are found', () => {
    const folder = fileURLToPath(new URL('../../../', import.meta.url));
    const vibing = scriptIn({ folder }, 'servers/vibing.ts');
    assert.match(vibing, /\/build\/perf\/servers\/vibing\.js$/);
    assert.match(scriptIn({ folder }, 'bench.ts', 'commands/bench.ts'), /commands\/bench\.js$/);
    assert.equal(scriptIn({ folder }, 'no-such-script.ts'), '');
  });

  it('uses our packages when it needs no others', () => {
    const ours = { packages: { '': {}, a: { version: '1' }, b: { version: '2' } } };
    assert.equal(needsNoOther({ packages: { '': {}, a: { version: '1' } } }, ours), true);
    assert.equal(needsNoOther({ packages: { a: { version: '2' } } }, ours), false);
    assert.equal(needsNoOther({ packages: { c: { version: '1' } } }, ours), false);
  });
});

function rate(base: readonly number[], head: readonly number[]): Figure {
  return { name: 'hello/s', base, head, better: 'more', threshold: 0.05, digits: 0 };
}
