// The arguments of npm run fuzz.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { argumentProblem } from '../../testing/usage-error.ts';

export interface FuzzArguments {
  readonly targets: readonly string[];
  /** For all targets together. */
  readonly seconds: number;
  readonly seed: number;
  /** For each target, in place of seconds; 0 for a limit of seconds. */
  readonly executions: number;
  /** Whether new inputs are written to fuzz/corpus/. */
  readonly keeps: boolean;
  /** A file with the one input to run, '' for none. */
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

Runs the parser and whole connections with mutated inputs: an input that reaches new code is
kept, and later inputs are made from it.

  --target NAMES     names of ${TARGETS.slice(0, 4).join(', ')},
                     ${TARGETS.slice(4).join(', ')} (all)
  --seconds N        for all targets together, 1 to ${SECONDS_MAX} (60)
  --executions N     for each target, in place of --seconds: with --seed the run repeats
  --seed N           0 to ${SEED_MAX} (random, and printed)
  --keep             writes new inputs to fuzz/corpus/, and minimizes the corpus
  --replay FILE      runs one input of fuzz/findings/ or fuzz/corpus/
  --help             prints this text

Exit codes: 0 without a finding, 1 with one, 2 for a usage error.`;

/** The arguments, or the usage error. */
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
    return `--target takes names of ${TARGETS.join(', ')}, not '${unknown}'`;
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

/** -1 for anything else. */
function wholeNumber(text: string | boolean | undefined, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(String(text)) ? Number(text) : -1;
  return number >= min && number <= max ? number : -1;
}
