// npm run perf:breakdown: where the processor time of a request goes.

import { PROFILE_SCENARIOS } from '../catalog/scenarios.ts';
import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { type Breakdown, breakDown, breakdownTable } from '../profile/breakdown.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

/** Warm-up, start, and reading the recording. */
const OTHER_SECONDS = 60;

await runCommand({
  name: 'perf:breakdown',
  about:
    'Divides the processor time of a request among parts of the server and of the kernel: takes\n' +
    'stacks at full load and counts the innermost functions by the folder of their source.',
  programs: ['perf', 'prlimit'],
  numbers: { seconds: { default: 10, max: 60, what: 'how long stacks are taken' } },
  lists: {
    drivers: { values: LINUX_DRIVERS, what: 'drivers of the server' },
    scenarios: { values: PROFILE_SCENARIOS, default: ['hello'], what: 'scenarios' },
  },
  secondsMax: ({ numbers, lists }) =>
    lists.drivers.length * lists.scenarios.length * (OTHER_SECONDS + numbers.seconds * 3),
  run: async ({ numbers, lists }) => {
    const all: Breakdown[] = [];
    for (const scenario of lists.scenarios) {
      for (const driver of lists.drivers) {
        all.push(await breakDown(driver, scenario, numbers.seconds));
      }
    }
    console.log(breakdownTable(all));
    return NO_THRESHOLDS;
  },
});
