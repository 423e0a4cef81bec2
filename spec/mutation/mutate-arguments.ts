// The arguments of npm run mutate.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';
import { AREAS } from './areas.ts';
import { parseSlice, type Slice } from './slice.ts';

export interface MutateArguments {
  /** Names of areas, in their order. */
  readonly areas: readonly string[];
  /** Patterns of the sources to mutate; null: all of the areas. */
  readonly files: readonly string[] | null;
  /** Only mutants in this slice; null: all. */
  readonly slice: Slice | null;
  /** Only sources that differ from this commit; '' for no such choice. */
  readonly changedSince: string;
  readonly concurrency: number;
  /** Tests every mutant again instead of reusing results where neither source nor tests changed. */
  readonly fresh: boolean;
  /** Mutates nothing: only writes the summary of the last results. */
  readonly summaryOnly: boolean;
  readonly help: boolean;
}

const NAMES = AREAS.map(({ name }) => name);
const CONCURRENCY_MAX = 64;
const SEED_MAX = 1_000_000;

export const USAGE: string = `usage: npm run mutate -- [folder...] [option...]

Changes the code of folders of src/ in many small ways and checks whether one of their tests fails.
Installs StrykerJS below spec/mutation if it is missing. Reuses earlier results where code and tests
have not changed, so that slices add up. A run that is stopped leaves no results.

  folder            ${NAMES.join(', ')} (all of them)
  --slice K/N       only the K-th of N random samples of the mutants, as 3/20
  --seed N          how mutants are divided into slices, 0 to ${SEED_MAX} (1)
  --changed         only sources that differ from the last commit
  --since COMMIT    only sources that differ from this commit
  --files GLOBS     only these sources, with commas between patterns
  --concurrency N   processes at a time, 1 to ${CONCURRENCY_MAX} (1)
  --fresh           test every mutant of these sources again
  --summary         mutate nothing, write the summaries of the last results
  --help            print this text

The full reports are in reports/mutation/, the summary is spec/mutation/summary.md. Exit codes: 0
when every threshold is reached, 1 when one is missed or a run fails, 2 for a usage error.`;

const OPTIONS = {
  slice: { type: 'string' },
  seed: { type: 'string' },
  changed: { type: 'boolean' },
  since: { type: 'string' },
  files: { type: 'string' },
  concurrency: { type: 'string' },
  fresh: { type: 'boolean' },
  summary: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The arguments, or the usage error. */
export function parseMutateArguments(given: readonly string[]): MutateArguments | string {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(given);
  } catch (error) {
    return argumentProblem(error, Object.keys(OPTIONS));
  }
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) return `unknown folder '${unknown}', known: ${NAMES.join(', ')}`;
  const files = values.files?.split(',') ?? null;
  const outside = files?.find((file) => !NAMES.includes(/^src\/([\w-]+)\/./.exec(file)?.[1] ?? ''));
  if (outside !== undefined) {
    return `--files requires patterns below src/ and one of its folders, given '${outside}'`;
  }
  const concurrency = numberOf(values.concurrency ?? '1');
  if (concurrency < 1 || concurrency > CONCURRENCY_MAX) {
    return `--concurrency requires a whole number from 1 to ${CONCURRENCY_MAX}`;
  }
  const seed = numberOf(values.seed ?? '1');
  if (seed < 0 || seed > SEED_MAX) return `--seed requires a whole number from 0 to ${SEED_MAX}`;
  const slice = values.slice === undefined ? null : parseSlice(values.slice, seed);
  if (values.slice !== undefined && slice === null) {
    return `--slice requires a slice such as 3/20, given '${values.slice}'`;
  }
  const ofFiles = files?.map((file) => file.split('/')[1] ?? '') ?? NAMES;
  const chosen = positionals.length > 0 ? positionals : ofFiles;
  return {
    areas: NAMES.filter((name) => chosen.includes(name)),
    files,
    slice,
    changedSince: values.since ?? (values.changed === true ? 'HEAD' : ''),
    concurrency,
    fresh: values.fresh === true,
    summaryOnly: values.summary === true,
    help: values.help === true,
  };
}

function parse(given: readonly string[]) {
  return parseArgs({ args: [...given], allowPositionals: true, options: OPTIONS });
}

/** -1 unless it is a whole number. */
function numberOf(text: string): number {
  return /^\d{1,7}$/.test(text) ? Number(text) : -1;
}
