// The arguments of fuzz/run.ts.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { argumentProblem } from '../testing/usage-error.ts';

export interface FuzzArguments {
  readonly targets: readonly string[];
  /** For all targets together. */
  readonly seconds: number;
  readonly seed: number;
  /** For each target, in place of seconds; 0 when seconds count. */
  readonly executions: number;
  /** Whether what is new goes to fuzz/corpus/. */
  readonly keeps: boolean;
  /** A file to run alone, '' for none. */
  readonly replay: string;
  readonly help: boolean;
}

/** In the order they run. */
export const TARGETS: readonly string[] = [
  'head',
  'chunked',
  'target',
  'connection',
  'config',
  'model',
  'differential',
];

const SECONDS_MAX = 604_800;
const SEED_MAX = 4_294_967_295;
const EXECUTIONS_MAX = 1_000_000_000_000;

export const USAGE: string = `usage: npm run fuzz -- [option...]

Tries ever new inputs on the parser and on whole connections: those that reach new
places in the code are kept, and further ones are made of them.

  --target NAMES     some of ${TARGETS.slice(0, 4).join(', ')},
                     ${TARGETS.slice(4).join(', ')} (all)
  --seconds N        for all targets together, 1 to ${SECONDS_MAX} (60)
  --executions N     for each target, in place of seconds: with a seed, the same run
  --seed N           0 to ${SEED_MAX} (another one each time, printed)
  --keep             writes what is new to fuzz/corpus/, and the corpus as small as it can be
  --replay FILE      runs one input, from fuzz/findings/ or fuzz/corpus/
  --help             this text

Exit codes: 0 when nothing was found, 1 when something was, 2 when the arguments are
wrong.`;

/** The arguments, or what is wrong with them. */
export function parseFuzzArguments(given: readonly string[]): FuzzArguments | string {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({
      args: [...given],
      options: {
        target: { type: 'string', default: TARGETS.join(',') },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        executions: { type: 'string' },
        keep: { type: 'boolean', default: false },
        replay: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return argumentProblem(error);
  }
  const names = String(values['target']).split(',');
  const unknown = names.find((name) => !TARGETS.includes(name));
  if (unknown !== undefined)
    return `--target takes some of ${TARGETS.join(', ')}, not '${unknown}'`;
  if (values['seconds'] !== undefined && values['executions'] !== undefined) {
    return '--seconds and --executions exclude each other';
  }
  const seconds = wholeNumber(values['seconds'] ?? '60', 1, SECONDS_MAX);
  if (seconds < 0) return `--seconds takes a whole number from 1 to ${SECONDS_MAX}`;
  const seed = wholeNumber(values['seed'] ?? String(randomInt(SEED_MAX)), 0, SEED_MAX);
  if (seed < 0) return `--seed takes a whole number from 0 to ${SEED_MAX}`;
  const executions = wholeNumber(values['executions'] ?? '0', 0, EXECUTIONS_MAX);
  if (executions < 0 || (executions === 0 && values['executions'] !== undefined)) {
    return `--executions takes a whole number from 1 to ${EXECUTIONS_MAX}`;
  }
  const replay = String(values['replay']);
  if (replay === '' && given.some((argument) => argument.startsWith('--replay'))) {
    return '--replay takes a file';
  }
  return {
    targets: TARGETS.filter((name) => names.includes(name)),
    seconds,
    seed,
    executions,
    keeps: values['keep'] === true,
    replay,
    help: values['help'] === true,
  };
}

/** -1 when it is none of that range. */
function wholeNumber(text: string | boolean | undefined, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(String(text)) ? Number(text) : -1;
  return number >= min && number <= max ? number : -1;
}
