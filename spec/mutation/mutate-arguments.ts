// The arguments of npm run mutate.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';

export interface MutateArguments {
  /** Patterns of the sources to mutate. */
  readonly files: readonly string[];
  readonly concurrency: number;
  /** Tests every mutant again instead of reusing results where neither source nor tests changed. */
  readonly fresh: boolean;
  /** Mutates nothing: only writes the summary of the last results. */
  readonly summaryOnly: boolean;
  readonly help: boolean;
}

/** The sources that are mutated by default. */
export const MUTATED: readonly string[] = ['src/http/**/*.ts', 'src/connection/**/*.ts'];

const CONCURRENCY_MAX = 64;

export const USAGE: string = `usage: npm run mutate -- [option...]

Changes the code in many small ways and checks whether a test of spec/http or spec/connection
fails. Installs StrykerJS below spec/mutation if it is missing. Reuses earlier results where code
and tests have not changed.

  --files GLOBS     sources to mutate, with commas between patterns (${MUTATED.join(',')})
  --concurrency N   processes at a time, 1 to ${CONCURRENCY_MAX} (1)
  --fresh           test every mutant of these sources again
  --summary         mutate nothing, write the summary of the last results
  --help            print this text

The full report is reports/mutation/index.html, the summary spec/mutation/summary.md. Exit codes: 0
when every threshold is reached, 1 when one is missed or a run fails, 2 for a usage error.`;

/** The arguments, or the usage error. */
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
  if (outside !== undefined) return `--files requires patterns below src/, given '${outside}'`;
  const concurrency = String(values['concurrency'] ?? '1');
  if (!/^[1-9]\d?$/.test(concurrency) || Number(concurrency) > CONCURRENCY_MAX) {
    return `--concurrency requires a whole number from 1 to ${CONCURRENCY_MAX}`;
  }
  return {
    files,
    concurrency: Number(concurrency),
    fresh: values['fresh'] === true,
    summaryOnly: values['summary'] === true,
    help: values['help'] === true,
  };
}
