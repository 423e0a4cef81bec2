// The arguments of perf/experiments/floor-ratios.ts.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../testing/usage-error.ts';
import { WORKLOADS, type Workload } from './catalog/setup.ts';

export interface FloorArguments {
  readonly seconds: number;
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  /** Where to write all figures, '' for nowhere. */
  readonly json: string;
  readonly help: boolean;
}

const SECONDS_MAX = 60;
const ROUNDS_MAX = 99;
const NAMES = WORKLOADS.map(({ name }) => name);

export const USAGE: string = `usage: npm run perf:floor -- [option...]

Measures the server against a floor that does nothing but system calls. Windows of
the two stand in turn on the same core, and only their ratios are judged.

  --seconds N   length of a window, 1 to ${SECONDS_MAX} (2)
  --rounds N    windows of the server, 1 to ${ROUNDS_MAX} (7)
  --only NAMES  some of ${NAMES.join(', ')}; with commas between them (all)
  --json FILE   writes all figures there as well
  --help        this text

Exit codes: 0 when every bar is met, 1 when one is missed or a run fails, 2 when the
arguments are wrong or wrk or taskset is missing.`;

/** The arguments, or what is wrong with them. */
export function parseFloorArguments(given: readonly string[]): FloorArguments | string {
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...given],
      options: {
        seconds: { type: 'string', default: '2' },
        rounds: { type: 'string', default: '7' },
        only: { type: 'string', default: NAMES.join(',') },
        json: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return argumentProblem(error);
  }
  const seconds = wholeNumber(values['seconds'], SECONDS_MAX);
  if (seconds < 0) return `--seconds takes a whole number from 1 to ${SECONDS_MAX}`;
  const rounds = wholeNumber(values['rounds'], ROUNDS_MAX);
  if (rounds < 0) return `--rounds takes a whole number from 1 to ${ROUNDS_MAX}`;
  const only = String(values['only']).split(',');
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) return `--only takes some of ${NAMES.join(', ')}, not '${unknown}'`;
  return {
    seconds,
    rounds,
    workloads: WORKLOADS.filter(({ name }) => only.includes(name)),
    json: String(values['json']),
    help: values['help'] === true,
  };
}

/** -1 when it is none from 1 to `most`. */
function wholeNumber(text: string | boolean | undefined, most: number): number {
  const number = /^\d{1,9}$/.test(String(text)) ? Number(text) : -1;
  return number >= 1 && number <= most ? number : -1;
}
