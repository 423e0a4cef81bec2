// The arguments of `npm run sim`.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';
import { CHECK_NAMES, type CheckName } from '../world/violation.ts';

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
  /** The hostile application in place of the ordinary one. */
  readonly hostile: boolean;
  /** Checks of it that are left out. */
  readonly except: readonly CheckName[];
  /** A line for each run, to compare with other runs. */
  readonly traces: boolean;
  /** Only one run, with all its details. */
  readonly isSingle: boolean;
}

export const USAGE = `usage: npm run sim -- [option...]

Runs the server with simulated sockets, clocks and files, and with faults, all drawn from a seed. A
failing run is shrunk and written to reports/sim/, with a page that draws it.

  --seed N        one run, twice: the traces must agree; with --seeds the first seed
  --seeds N       the number of runs, 1 to 1000000 (100)
  --from-commit   the first seed follows from the commit that is checked out
  --hostile       handlers that make any call of the API at any time
  --except NAMES  with --hostile: leaves out checks, such as 'starvation,late call'
  --replay FILE   repeats a failing run from its file
  --driver NAME   sim, or real sockets with the same clients: uring, epoll, net (sim)
  --traces        prints a line for each run, with its trace
  --help          prints this text

Exit codes: 0 without a violation, 1 with one, 2 for a usage error.`;

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

/** The arguments, or the usage error. */
export function parseArguments(given: readonly string[]): Arguments | string {
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
  if (except.length < names.length) return `--except takes names of ${CHECK_NAMES.join(', ')}`;
  if (except.length > 0 && !hostile) return '--except needs --hostile';
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
