// The groups on the command line of npm run bench.

import { nearMiss } from '../../src/base/near-miss.ts';
import type { Positionals } from '../../testing/arguments.ts';
import { GROUPS } from './groups.ts';

const NAMES = GROUPS.map(({ name }) => name);
const COLUMN = 14;

export const BENCH_GROUPS: Positionals = {
  usage: '[group...]',
  lines: [
    'All groups, or some:',
    ...GROUPS.map(({ name, what }) => `  ${name.padEnd(COLUMN)}${what}`),
  ],
  check: (names) => {
    const unknown = names.find((name) => !NAMES.includes(name));
    if (unknown === undefined) return null;
    const near = nearMiss(unknown, NAMES);
    const hint = near === undefined ? `there are ${NAMES.join(', ')}` : `did you mean ${near}?`;
    return `no group '${unknown}'; ${hint}`;
  },
};
