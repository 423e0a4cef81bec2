// npm run test:bugs: injects one bug of the edges after the other and runs the tests that must
// fail.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { argumentProblem, reportUsageError } from '../../testing/usage-error.ts';
import type { Bug } from './bug.ts';
import { BUGS } from './list.ts';
import { fewBugs, pageOf, readPage } from './page.ts';
import { firstFailure, tryBug, type Verdict } from './trial.ts';

const PAGE = join(fileURLToPath(new URL('../../../', import.meta.url)), 'spec/injected-bugs.md');

/** Bugs of --from-commit. */
const FEW = 8;

const USAGE = `usage: npm run test:bugs -- [option...]

Injects bugs into the compiled server, one at a time, and runs the tests that must notice each.
Then it writes spec/injected-bugs.md, in which bugs that were not chosen keep their lines.

  --only WORD    only bugs whose name or file contains this text
  --part K/N     only every Nth bug, from the Kth on
  --from-commit  ${FEW} bugs that tests notice in a few seconds, chosen by the last commit; writes
                 nothing
  --help         prints this text

Exit codes: 0 when a test notices each bug, 1 when none notices one of them or a test fails
without a bug, 2 for a usage error.`;

const OPTIONS = {
  only: { type: 'string', default: '' },
  part: { type: 'string', default: '1/1' },
  'from-commit': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface Given {
  readonly only: string;
  readonly part: number;
  readonly parts: number;
  readonly fromCommit: boolean;
}

function parse(): Given | string | null {
  try {
    const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
    if (values.help) return null;
    const [part = 0, parts = 0] = (/^\d+\/\d+$/.exec(values.part)?.[0] ?? '')
      .split('/')
      .map(Number);
    if (!(part >= 1 && part <= parts)) return '--part takes K/N, such as 1/3';
    const fromCommit = values['from-commit'];
    if (fromCommit && (values.only !== '' || parts > 1)) {
      return '--from-commit chooses the bugs itself: leave out --only and --part';
    }
    return { only: values.only, part, parts, fromCommit };
  } catch (error) {
    return argumentProblem(error, Object.keys(OPTIONS));
  }
}

async function main(): Promise<number> {
  const given = parse();
  if (given === null) {
    console.log(USAGE);
    return 0;
  }
  if (typeof given === 'string') return reportUsageError(given);
  const { fromCommit, only, part, parts } = given;
  const page = readPage(existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '');
  const chosen = fromCommit
    ? fewBugs(BUGS, page, commit(), FEW)
    : BUGS.filter(({ file, name }, index) => {
        return `${name} ${file}`.includes(only) && index % parts === part - 1;
      });
  if (chosen.length === 0) return reportUsageError(`no bug contains ${only}`);
  if (!(await passWithout(chosen))) return 1;
  const verdicts: [Bug, Verdict][] = [];
  for (const bug of chosen) {
    const verdict = await tryBug(bug);
    verdicts.push([bug, verdict]);
    const seconds = `${verdict.seconds.toFixed(1)} s`.padStart(7);
    console.log(`${seconds}  ${bug.name}\n         ${verdict.caughtBy ?? 'NOT CAUGHT'}`);
  }
  const caught = verdicts.filter(([, { caughtBy }]) => caughtBy !== null).length;
  console.log(`\n${caught} of ${chosen.length} injected bugs are caught`);
  if (!fromCommit) {
    for (const [{ name }, verdict] of verdicts) page.set(name, verdict);
    writeFileSync(PAGE, pageOf(BUGS, page));
  }
  return caught === chosen.length ? 0 : 1;
}

/** A test that always fails would notice every bug. */
async function passWithout(bugs: readonly Bug[]): Promise<boolean> {
  const tests = new Set(bugs.flatMap((bug) => bug.tests));
  let isGood = true;
  for (const test of tests) {
    const failure = await firstFailure(test, null);
    if (failure === null) continue;
    console.log(`without a bug, ${test} fails: ${failure}`);
    isGood = false;
  }
  return isGood;
}

function commit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
}

process.exitCode = await main();
