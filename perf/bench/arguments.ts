// The arguments of npm run bench: which groups, for how long, and in which form.

import { parseArgs } from 'node:util';
import { nearMiss } from '../../src/base/near-miss.ts';
import { argumentProblem } from '../../testing/usage-error.ts';
import { type BenchGroup, GROUPS } from './groups.ts';

export interface BenchArguments {
  readonly groups: readonly BenchGroup[];
  readonly msPerCase: number;
  readonly json: boolean;
  readonly help: boolean;
}

const MS_DEFAULT = 300;
const MS_MAX = 10_000;
const NAMES = GROUPS.map(({ name }) => name);
const COLUMN = 14;

export const BENCH_USAGE: string = [
  'usage: npm run bench -- [option...] [group...]',
  '',
  'Measures parts of the server by themselves. Times are nanoseconds for one operation: the best',
  'sample, the middle one, and between which the middle half lies. All groups, or some:',
  '',
  ...GROUPS.map(({ name, what }) => `  ${name.padEnd(COLUMN)}${what}`),
  '',
  `  ${'--ms N'.padEnd(COLUMN)}time for each case, 1 to ${MS_MAX} (${MS_DEFAULT})`,
  `  ${'--json'.padEnd(COLUMN)}prints one JSON document and nothing else`,
  `  ${'--help'.padEnd(COLUMN)}this text`,
  '',
  'Exit codes: 0 when all was measured, 1 when something failed, 2 when the arguments are wrong.',
].join('\n');

/** The arguments, or what is wrong with them. */
export function parseBenchArguments(given: readonly string[]): BenchArguments | string {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  let names: readonly string[];
  try {
    ({ values, positionals: names } = parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        ms: { type: 'string', default: String(MS_DEFAULT) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return argumentProblem(error);
  }
  const ms = String(values['ms']);
  const msPerCase = /^\d{1,5}$/.test(ms) ? Number(ms) : 0;
  if (msPerCase < 1 || msPerCase > MS_MAX) {
    return `--ms takes a whole number from 1 to ${MS_MAX}`;
  }
  const unknown = names.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    const near = nearMiss(unknown, NAMES);
    const hint = near === undefined ? `there are ${NAMES.join(', ')}` : `did you mean ${near}?`;
    return `no group '${unknown}'; ${hint}`;
  }
  return {
    groups: GROUPS.filter(({ name }) => names.length === 0 || names.includes(name)),
    msPerCase,
    json: values['json'] === true,
    help: values['help'] === true,
  };
}
