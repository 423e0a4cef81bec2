// The arguments of spec/versions.ts.

import { unknownOption } from '../testing/usage-error.ts';

/** The default versions: the oldest supported Node, and later ones. */
const USUAL = ['20', '22', '24', 'newest'] as const;

const NAMES = ['only', 'drivers', 'no-coverage', 'help'];

export interface VersionsArguments {
  /** Majors, full versions, or 'newest'. */
  readonly wanted: readonly string[];
  /** Arguments of spec/run.ts, the same for every version. */
  readonly forTests: readonly string[];
  /** Runs of the simulator to compare, instead of tests; 0 for none. */
  readonly traces: number;
  readonly help: boolean;
}

export const VERSIONS_USAGE: string = `usage: npm run test:versions -- [version...] [option...]

Runs npm test on several versions of Node, one after the other. Each is installed once from the
npm registry in node_modules/.cache/node-versions/, where its output is kept too.

  version          a major as 22 for its newest release, a release as 20.19.0, or newest
                   (${USUAL.join(' ')})
  --only WORDS     only test files whose path contains one of the words, comma-separated
  --drivers NAMES  the drivers to test, such as epoll,net
  --no-coverage    skips coverage and lint, which run only on the major that runs this
  --test-...       options for node --test
  --traces N       no tests: so many runs of the simulator, 1 to 10000, whose traces
                   must be the same on all versions
  --help           this text

Exit codes: 0 when all passed on all versions, 1 when something failed, 2 when the
arguments are wrong or a version is not available.`;

/** The arguments, or their problem. */
export function parseVersionsArguments(given: readonly string[]): VersionsArguments | string {
  const wanted: string[] = [];
  const forTests: string[] = [];
  let help = false;
  let traces = 0;
  for (let index = 0; index < given.length; index++) {
    const argument = given[index] ?? '';
    if (argument === '--help' || argument === '-h') help = true;
    else if (argument === '--only' || argument === '--drivers') {
      index += 1;
      const names = (given[index] ?? '').split(',').filter((name) => name !== '');
      if (names.length === 0 || names.some((name) => name.startsWith('-'))) {
        return argument === '--only'
          ? '--only needs words of paths, such as --only driver,http/'
          : '--drivers needs names, such as --drivers epoll,net';
      }
      if (argument === '--only') forTests.push(...names);
      else forTests.push('--drivers', names.join(','));
    } else if (argument === '--traces') {
      index += 1;
      traces = /^\d{1,5}$/.test(given[index] ?? '') ? Number(given[index]) : 0;
      if (traces < 1 || traces > 10_000) return '--traces needs an integer from 1 to 10000';
    } else if (argument === '--no-coverage' || argument.startsWith('--test-')) {
      forTests.push(argument);
    } else if (argument.startsWith('-')) return unknownOption(argument, NAMES);
    else if (argument === 'newest' || /^v?\d{1,4}(\.\d{1,4}\.\d{1,4})?$/.test(argument)) {
      wanted.push(argument.replace(/^v/, ''));
    } else return `'${argument}' is not a version: use 22, 20.19.0 or newest`;
  }
  if (traces > 0 && forTests.length > 0)
    return '--traces runs no tests and allows no other options';
  return { wanted: wanted.length === 0 ? USUAL : wanted, forTests, traces, help };
}
