// The arguments of spec/run.ts: words that choose test files, and a few options.

import { unknownOption } from '../testing/usage-error.ts';

export interface RunArguments {
  /** A test file is run when its path holds one of these; all are when there is none. */
  readonly words: readonly string[];
  /** The value of VIBING_DRIVERS, '' to leave it as it is. */
  readonly drivers: string;
  readonly coverage: boolean;
  /** Options of node --test, passed on. */
  readonly forNode: readonly string[];
  readonly help: boolean;
}

const NAMES = ['drivers', 'no-coverage', 'help'];

export const RUN_USAGE: string = `usage: npm test -- [word...] [option...]

Runs everything: lint, then every test with coverage, which has a floor. With words, only the test
files whose path holds one of them, without lint and coverage.

  --drivers NAMES  the drivers to test, as epoll,net
  --no-coverage    leaves lint and coverage out
  --test-...       options of node --test, passed on
  --help           this text

Exit codes: 0 when all passed, 1 when something failed, 2 when the arguments are wrong.`;

/** The arguments, or what is wrong with them. */
export function parseRunArguments(given: readonly string[]): RunArguments | string {
  const words: string[] = [];
  const forNode: string[] = [];
  let drivers = '';
  let coverage = true;
  let help = false;
  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? '';
    if (argument === '--drivers') {
      index += 1;
      drivers = given[index] ?? '';
      if (drivers === '') return '--drivers names drivers, as in --drivers epoll,net';
    } else if (argument === '--no-coverage') coverage = false;
    else if (argument === '--help' || argument === '-h') help = true;
    else if (argument.startsWith('--test-')) forNode.push(argument);
    else if (argument.startsWith('-')) return unknownOption(argument, NAMES);
    else words.push(argument);
  }
  return { words, drivers, coverage, forNode, help };
}
