// The arguments of npm run perf:compare: two commits, and how long and in what they are compared.

import { type Given, parseGiven, type ScriptShape, usage } from '../../testing/arguments.ts';
import { SCENARIO_NAMES } from '../load/run-scenario.ts';

type Numbers = 'seconds' | 'windows' | 'micro-runs' | 'micro-ms';
type Lists = 'drivers' | 'scenarios';

export interface CompareArguments extends Given<Numbers, Lists> {
  readonly base: string;
  readonly head: string;
}

export const SHAPE: ScriptShape<Numbers, Lists> = {
  name: 'perf:compare',
  about:
    'Compares two commits: builds both, measures windows of their servers in turn on one\n' +
    'core, and runs their micro-benchmarks in turn. Changes count when they are larger than\n' +
    '5 % (micro: 10 %) and than what the rounds differ by. What is not committed is left out.',
  numbers: {
    seconds: { default: 2, max: 60, what: 'length of a window' },
    windows: { default: 9, min: 3, max: 99, what: 'windows of each commit' },
    'micro-runs': { default: 5, min: 0, max: 99, what: 'runs of the micro-benchmarks of each' },
    'micro-ms': { default: 60, max: 10_000, what: 'time for each micro-benchmark' },
  },
  lists: {
    drivers: { values: ['uring', 'epoll', 'net'], default: ['epoll'], what: 'drivers' },
    scenarios: { values: SCENARIO_NAMES, what: 'what is asked' },
  },
};

export const COMPARE_USAGE: string = usage(SHAPE)
  .replace('-- [option...]', '-- BASE HEAD [option...]')
  .replace(
    /Exit codes:[\s\S]*$/,
    'Exit codes: 0 when nothing became worse, 1 when something did or a run fails, 2 when the\n' +
      'arguments are wrong, a commit is not there, or a program is missing.',
  );

/** The arguments, or what is wrong with them. */
export function parseCompareArguments(given: readonly string[]): CompareArguments | string {
  const options: string[] = [];
  const names: string[] = [];
  for (let index = 0; index < given.length; index++) {
    const argument = given[index];
    if (!argument.startsWith('-')) names.push(argument);
    else {
      options.push(argument);
      // The value of an option may stand behind it; --help has none.
      const takesNext = !argument.includes('=') && argument !== '--help' && argument !== '-h';
      if (takesNext && index + 1 < given.length) options.push(given[++index]);
    }
  }
  const parsed = parseGiven(SHAPE, options);
  if (typeof parsed === 'string') return parsed;
  const [base = '', head = ''] = names;
  if (!parsed.help && names.length !== 2) {
    const problem = names.length > 2 ? `not also '${names[2]}'` : 'as in main~5 main';
    return `two commits are compared, ${problem}`;
  }
  return { ...parsed, base, head };
}
