// The page of injected bugs, spec/injected-bugs.md, and what it says of each: which test notices it
// and after how long.

import { Random } from '../../testing/random.ts';
import { type Bug, KINDS } from './bug.ts';
import type { Verdict } from './trial.ts';

/** Bugs whose tests take longer are for a full run. */
const FEW_SECONDS_MAX = 5;

const ROW = /^\| (\S+\.js) \| \w+ \| (.*) \| (.*) \| (\d+\.\d) \|$/gm;
const NOTHING = '**nothing**';

/** The verdicts of a page by the name of the bug. */
export function readPage(text: string): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const [, , name, by, seconds] of text.matchAll(ROW)) {
    const caughtBy = by === NOTHING ? null : by.replaceAll('\\|', '|');
    verdicts.set(name, { caughtBy, seconds: Number(seconds) });
  }
  return verdicts;
}

/** The page with the bugs that have a verdict, in the order of `bugs`. */
export function pageOf(bugs: readonly Bug[], verdicts: ReadonlyMap<string, Verdict>): string {
  const kinds = Object.entries(KINDS).map(([kind, what]) => `- **${kind}**: ${what}`);
  const rows = bugs.flatMap(({ file, kind, name }) => {
    const verdict = verdicts.get(name);
    if (verdict === undefined) return [];
    const by = (verdict.caughtBy ?? NOTHING).replaceAll('|', '\\|');
    return [`| ${file} | ${kind} | ${name} | ${by} | ${verdict.seconds.toFixed(1)} |`];
  });
  return `# Injected bugs

Written by \`npm run test:bugs\`. Each bug is a change of one place in a compiled file below
\`src/\`. The tests that should notice it run, the quickest first, until one fails; without the bug
all of them pass. \`.ci/run\` tries a few of them, chosen by the commit.

${kinds.join('\n')}

| file | kind | the bug | what fails | seconds |
| --- | --- | --- | --- | ---: |
${rows.join('\n')}
`;
}

/**
 * `count` bugs that the page says are noticed soon, chosen by the name of a commit, each with the
 * test file that noticed it.
 */
export function fewBugs(
  bugs: readonly Bug[],
  verdicts: ReadonlyMap<string, Verdict>,
  commit: string,
  count: number,
): readonly Bug[] {
  const quick = bugs.flatMap((bug) => {
    const { caughtBy = null, seconds = 0 } = verdicts.get(bug.name) ?? {};
    const test = bug.tests.find((one) => caughtBy?.startsWith(`${one}: `));
    return test !== undefined && seconds <= FEW_SECONDS_MAX ? [{ ...bug, tests: [test] }] : [];
  });
  const random = new Random(Number.parseInt(commit.slice(0, 8), 16));
  const chosen: Bug[] = [];
  while (chosen.length < count && quick.length > 0) {
    chosen.push(...quick.splice(random.below(quick.length), 1));
  }
  return chosen;
}
