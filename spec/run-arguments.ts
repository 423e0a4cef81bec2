// The arguments of spec/run.ts: words that choose test files, and a few options.

import { unknownOption } from '../testing/usage-error.ts';

export interface RunArguments {
  /** Test files whose path contains one of these are run; all files without words. */
  readonly words: readonly string[];
  /** The value of VIBING_DRIVERS, '' to leave it unchanged. */
  readonly drivers: string;
  readonly coverage: boolean;
  /** Every part of the slow tests, not only the one that is in turn. */
  readonly all: boolean;
  /** Options for node --test. */
  readonly forNode: readonly string[];
  readonly help: boolean;
}

const NAMES = ['all', 'drivers', 'no-coverage', 'help'];

export const RUN_USAGE: string = `usage: npm test -- [word...] [option...]

Runs lint, then the tests with coverage, which has a minimum: all but two thirds of the slow ones;
the commit chooses the third. With words, only the test files whose path contains one of them, with
all slow ones, without lint and coverage.

  --all            all of the slow tests, too
  --drivers NAMES  the drivers to test, such as epoll,net
  --no-coverage    skips lint and coverage
  --test-...       options for node --test
  --help           this text

Exit codes: 0 when all passed, 1 when something failed, 2 when the arguments are wrong.`;

/** The arguments, or their problem. */
export function parseRunArguments(given: readonly string[]): RunArguments | string {
  const words: string[] = [];
  const forNode: string[] = [];
  let drivers = '';
  let coverage = true;
  let all = false;
  let help = false;
  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? '';
    if (argument === '--drivers') {
      index += 1;
      drivers = given[index] ?? '';
      if (drivers === '') return '--drivers needs names, such as --drivers epoll,net';
    } else if (argument === '--no-coverage') coverage = false;
    else if (argument === '--all') all = true;
    else if (argument === '--help' || argument === '-h') help = true;
    else if (argument.startsWith('--test-')) forNode.push(argument);
    else if (argument.startsWith('-')) return unknownOption(argument, NAMES);
    else words.push(argument);
  }
  return { words, drivers, coverage, all, forNode, help };
}
