// The arguments of npm run mutate.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';

export interface MutateArguments {
  /** Patterns of the sources to mutate. */
  readonly files: readonly string[];
  readonly concurrency: number;
  /** Tests every mutant anew instead of taking over what neither source nor tests changed. */
  readonly fresh: boolean;
  /** Mutates nothing: only writes the summary of what the last runs found. */
  readonly summaryOnly: boolean;
  readonly help: boolean;
}

/** What is mutated unless files are named. */
export const MUTATED: readonly string[] = ['src/http/**/*.ts', 'src/connection/**/*.ts'];

const CONCURRENCY_MAX = 64;

export const USAGE: string = `usage: npm run mutate -- [option...]

Changes the code in many small ways and looks whether a test of spec/http or spec/connection
notices. Installs StrykerJS below spec/mutation when it is not there yet. What earlier runs found is
taken over for code and tests that are the same.

  --files GLOBS     sources to mutate, with commas between patterns (${MUTATED.join(',')})
  --concurrency N   processes at a time, 1 to ${CONCURRENCY_MAX} (1)
  --fresh           tests every mutant of these sources anew
  --summary         mutates nothing, writes the summary of the last results
  --help            this text

The report to look at is reports/mutation/index.html, the short one spec/mutation/summary.md.
Exit codes: 0 when every bar is met, 1 when one is missed or a run fails, 2 when the arguments are
wrong.`;

/** The arguments, or what is wrong with them. */
export function parseMutateArguments(given: readonly string[]): MutateArguments | string {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({
      args: [...given],
      options: {
        files: { type: 'string' },
        concurrency: { type: 'string' },
        fresh: { type: 'boolean' },
        summary: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return argumentProblem(error);
  }
  const files = values['files'] === undefined ? MUTATED : String(values['files']).split(',');
  const outside = files.find((file) => !/^src\/[\w-]+\/./.test(file));
  if (outside !== undefined) return `--files takes patterns below src/, not '${outside}'`;
  const concurrency = String(values['concurrency'] ?? '1');
  if (!/^[1-9]\d?$/.test(concurrency) || Number(concurrency) > CONCURRENCY_MAX) {
    return `--concurrency takes a whole number from 1 to ${CONCURRENCY_MAX}`;
  }
  return {
    files,
    concurrency: Number(concurrency),
    fresh: values['fresh'] === true,
    summaryOnly: values['summary'] === true,
    help: values['help'] === true,
  };
}
