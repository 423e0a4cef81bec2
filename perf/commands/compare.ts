// npm run perf:compare: two commits of the server.

import { PROFILE_SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVERS } from '../catalog/setup.ts';
import { commitHash } from '../compare/checkout.ts';
import { compareCommits, MICRO_MS_MAX } from '../compare/compare.ts';
import { commitsProblem } from '../compare/positionals.ts';
import { runCommand } from '../runner/run-command.ts';

/** Packages and compilation of both commits. */
const BUILD_SECONDS = 1_200;

await runCommand({
  name: 'perf:compare',
  about:
    'Compares two commits: builds both, measures windows of their servers in turn on one core,\n' +
    'and runs their micro-benchmarks in turn. A change counts when it exceeds 5 % (micro: 10 %)\n' +
    'and the differences between rounds. Uncommitted changes are not measured.',
  programs: ['prlimit'],
  numbers: {
    seconds: { default: 2, max: 60, what: 'length of a window' },
    windows: { default: 9, min: 3, max: 99, what: 'windows of each commit' },
    'micro-runs': { default: 5, min: 0, max: 99, what: 'runs of the micro-benchmarks of each' },
    'micro-ms': { default: 60, max: 10_000, what: 'time for each micro-benchmark' },
  },
  lists: {
    drivers: { values: DRIVERS, default: ['epoll'], what: 'drivers of the server' },
    scenarios: {
      values: PROFILE_SCENARIOS,
      default: ['hello', 'static-1k', 'pipelined-16', 'browser-headers'],
      what: 'scenarios',
    },
  },
  positionals: { usage: 'BASE HEAD', check: (names) => commitsProblem(names, commitHash) },
  exitCodes:
    'Exit codes: 0 when no figure became worse, 1 when one did or a run fails, 2 when the\n' +
    'arguments are wrong, a commit does not exist, or a program is missing.',
  secondsMax: ({ numbers: { seconds, windows, 'micro-runs': runs }, lists }) =>
    BUILD_SECONDS +
    lists.drivers.length * lists.scenarios.length * (2 * windows + 4) * (seconds + 3) +
    (2 * runs * MICRO_MS_MAX) / 1000,
  run: ({ numbers, lists, positionals: [base, head] }) =>
    compareCommits({
      ...lists,
      base,
      head,
      seconds: numbers.seconds,
      windows: numbers.windows,
      microRuns: numbers['micro-runs'],
      microMs: numbers['micro-ms'],
    }),
});
