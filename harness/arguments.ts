// The arguments of `npm run sim`.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../testing/usage-error.ts';
import { CHECK_NAMES, type CheckName } from './violation.ts';

export const DRIVERS = ['sim', 'uring', 'epoll', 'net'] as const;
export type DriverChoice = (typeof DRIVERS)[number];

export interface Arguments {
  readonly help: boolean;
  /** The first seed, and how many follow on it. */
  readonly seed: number;
  readonly seeds: number;
  readonly fromCommit: boolean;
  readonly replay: string | null;
  readonly driver: DriverChoice;
  /** The hostile application in place of the usual one. */
  readonly hostile: boolean;
  /** Checks of it that are not made. */
  readonly except: readonly CheckName[];
  /** A line for each run, to compare with runs elsewhere. */
  readonly traces: boolean;
  /** Only one run, with all that can be told of it. */
  readonly isSingle: boolean;
}

export const USAGE = `usage: npm run sim -- [option...]

Runs the server in a world of simulated sockets, clocks and files, with faults, from a number. A
failing run is made small and written to reports/sim/, with a page that draws it.

  --seed N        one run, twice, whose traces must agree; with --seeds the first of many
  --seeds N       so many runs, 1 to 1000000 (100)
  --from-commit   the first seed follows from the commit that is checked out
  --hostile       handlers that do all that the API lets them, at any time
  --except NAMES  with --hostile: no such checks, as 'starvation,late call'
  --replay FILE   the run of a file that a failure left
  --driver NAME   sim, or the same clients over real sockets: uring, epoll, net (sim)
  --traces        a line for each run, with its trace
  --help          this text

Exit codes: 0 when nothing is wrong, 1 when something is, 2 when the arguments are.`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  seed: { type: 'string' },
  seeds: { type: 'string' },
  'from-commit': { type: 'boolean' },
  hostile: { type: 'boolean' },
  except: { type: 'string' },
  replay: { type: 'string' },
  driver: { type: 'string' },
  traces: { type: 'boolean' },
} as const;

/** The arguments, or what is wrong with them. */
export function parseGiven(given: readonly string[]): Arguments | string {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(given);
  } catch (error) {
    return argumentProblem(error, Object.keys(OPTIONS));
  }
  const seed = wholeNumber(values.seed ?? '1', 0, 0xffffffff);
  if (seed === null) return '--seed takes a whole number from 0 to 4294967295';
  const seeds = wholeNumber(values.seeds ?? (values.seed === undefined ? '100' : '1'), 1, 1e6);
  if (seeds === null) return '--seeds takes a whole number from 1 to 1000000';
  const driver = DRIVERS.find((name) => name === (values.driver ?? 'sim'));
  if (driver === undefined) return `--driver takes one of ${DRIVERS.join(', ')}`;
  const fromCommit = values['from-commit'] === true;
  if (fromCommit && values.seed !== undefined) return '--from-commit and --seed exclude each other';
  const replay = values.replay ?? null;
  if (replay !== null && (values.seed ?? values.seeds) !== undefined) {
    return '--replay takes its seed from the file';
  }
  if (replay !== null && driver !== 'sim') return '--replay needs the simulated driver';
  const hostile = values.hostile === true;
  if (hostile && driver !== 'sim') return '--hostile needs the simulated driver';
  if (hostile && replay !== null) return '--replay takes --hostile from the file';
  const names = values.except?.split(',') ?? [];
  const except = CHECK_NAMES.filter((name) => names.includes(name));
  if (except.length < names.length) return `--except takes some of ${CHECK_NAMES.join(', ')}`;
  if (except.length > 0 && !hostile) return '--except goes with --hostile';
  const isSingle = values.seed !== undefined && values.seeds === undefined;
  const [help, traces] = [values.help === true, values.traces === true];
  const rest = { hostile, except, isSingle, traces };
  return { help, seed, seeds, fromCommit, replay, driver, ...rest };
}

function parse(given: readonly string[]) {
  return parseArgs({ args: [...given], options: OPTIONS }).values;
}

function wholeNumber(text: string, min: number, max: number): number | null {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? value : null;
}
