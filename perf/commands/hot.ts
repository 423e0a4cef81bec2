// npm run perf:hot: which files of src/ are hot, by CPU profiles.

import { PROFILE_SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVERS } from '../catalog/setup.ts';
import { findHotFiles, HOT_FILES } from '../profile/hot-files.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

const OTHER_SECONDS = 30;

await runCommand({
  name: 'perf:hot',
  about:
    'Takes CPU profiles of the server at full load and sums the self time of functions by file\n' +
    `of src/. Writes the files with 0.5 % or more, in any scenario, to ${HOT_FILES}:\n` +
    'exactly these begin with a line // Hot: (npm test -- tidy).',
  programs: ['prlimit'],
  numbers: { seconds: { default: 10, max: 600, what: 'how long each profile is' } },
  lists: {
    drivers: { values: DRIVERS, what: 'drivers of the server' },
    scenarios: {
      values: PROFILE_SCENARIOS,
      default: ['hello', 'static-1k', 'browser-headers'],
      what: 'scenarios',
    },
  },
  flags: { print: 'prints the shares and writes no file' },
  exitCodes:
    'Exit codes: 0 when the file was written, 1 when a run fails, 2 when the arguments are\n' +
    'wrong or a program is missing.',
  secondsMax: ({ numbers, lists }) =>
    lists.drivers.length * lists.scenarios.length * (OTHER_SECONDS + numbers.seconds),
  run: async ({ numbers, lists, flags }) => {
    await findHotFiles({ ...lists, seconds: numbers.seconds, isPrinted: flags['print'] });
    return NO_THRESHOLDS;
  },
});
