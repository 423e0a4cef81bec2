// The arguments of perf:gate.

import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';
import { SCENARIOS, type ScenarioName } from '../catalog/thresholds.ts';

export interface GateArguments {
  readonly seconds: number;
  readonly rounds: number;
  readonly only: readonly ScenarioName[];
  readonly latency: boolean;
  readonly turns: boolean;
  readonly driver: string;
  readonly strict: boolean;
  /** Of the bars of rates, 0 to 1. */
  readonly margin: number;
  readonly tries: number;
  readonly help: boolean;
}

const LATENCY = 'latency';
const TURNS = 'turns';
const NAMES = [...SCENARIOS.map(({ name }) => name as string), LATENCY, TURNS];
const DRIVERS = ['auto', 'uring', 'epoll', 'net'];
const SECONDS_MAX = 10;
const ROUNDS_MIN = 5;
const ROUNDS_MAX = 25;
/** With more, a server that is a fifth slower would pass. */
const MARGIN_MAX = 10;
const TRIES_MAX = 3;

export const USAGE: string = `usage: npm run perf:gate -- [option...]

Measures the server beside a floor that does nothing but system calls, on the same
core and in turn, and judges medians. Under six minutes with the defaults.

  --seconds N    length of a window, 1 to ${SECONDS_MAX} (2)
  --rounds N     windows of the server, ${ROUNDS_MIN} to ${ROUNDS_MAX} (5)
  --only NAMES   some of ${NAMES.join(', ')} (all)
  --driver NAME  of the server: ${DRIVERS.join(', ')} (auto)
  --margin N     bars of rates are lowered by N percent, 0 to ${MARGIN_MAX} (0)
  --tries N      what is missed is measured again, 1 to ${TRIES_MAX} times in all (1)
  --strict       exit code 3 when something could not be judged
  --help         this text

Exit codes: 0 when every bar that could be judged is met, 1 when one is missed or a
run fails, 2 when the arguments are wrong or taskset is missing, 3 with --strict.`;

/** The arguments, or what is wrong with them, a line each. */
export function parseGateArguments(given: readonly string[]): GateArguments | string {
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...given],
      options: {
        seconds: { type: 'string', default: '2' },
        rounds: { type: 'string', default: String(ROUNDS_MIN) },
        only: { type: 'string', default: NAMES.join(',') },
        driver: { type: 'string', default: 'auto' },
        margin: { type: 'string', default: '0' },
        tries: { type: 'string', default: '1' },
        strict: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return argumentProblem(error);
  }
  const problems: string[] = [];
  const whole = (name: string, min: number, max: number): number => {
    const text = String(values[name]);
    const number = /^\d{1,4}$/.test(text) ? Number(text) : -1;
    if (number >= min && number <= max) return number;
    problems.push(`--${name} takes a whole number from ${min} to ${max}, not '${text}'`);
    return min;
  };
  const seconds = whole('seconds', 1, SECONDS_MAX);
  const rounds = whole('rounds', ROUNDS_MIN, ROUNDS_MAX);
  const margin = whole('margin', 0, MARGIN_MAX) / 100;
  const tries = whole('tries', 1, TRIES_MAX);
  const only = String(values['only']).split(',');
  const unknown = only.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    problems.push(`--only takes some of ${NAMES.join(', ')}, not '${unknown}'`);
  }
  const driver = String(values['driver']);
  if (!DRIVERS.includes(driver)) {
    problems.push(`--driver takes one of ${DRIVERS.join(', ')}, not '${driver}'`);
  }
  if (problems.length > 0) return problems.join('\n');
  return {
    seconds,
    rounds,
    only: SCENARIOS.map(({ name }) => name).filter((name) => only.includes(name)),
    latency: only.includes(LATENCY),
    turns: only.includes(TURNS),
    driver,
    margin,
    tries,
    strict: values['strict'] === true,
    help: values['help'] === true,
  };
}
