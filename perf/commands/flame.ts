// npm run perf:flame: flame graphs of the server.

import { PROFILE_SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVERS } from '../catalog/setup.ts';
import { drawFlames } from '../profile/flame.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

/** Installation, warm-up, drawing. */
const OTHER_SECONDS = 400;

await runCommand({
  name: 'perf:flame',
  about:
    'Draws flame graphs of the server at full load, one page for each scenario and driver, into\n' +
    'reports/flame/. Where perf is installed they have system calls and the kernel, too.',
  programs: ['prlimit'],
  numbers: { seconds: { default: 10, max: 60, what: 'how long stacks are taken' } },
  lists: {
    drivers: { values: DRIVERS, default: ['epoll'], what: 'drivers of the server' },
    scenarios: { values: PROFILE_SCENARIOS, default: ['hello'], what: 'scenarios' },
  },
  secondsMax: ({ numbers, lists }) =>
    OTHER_SECONDS * lists.drivers.length * lists.scenarios.length + numbers.seconds * 20,
  run: async ({ numbers, lists }) => {
    await drawFlames(lists.scenarios, lists.drivers, numbers.seconds);
    return NO_THRESHOLDS;
  },
});
