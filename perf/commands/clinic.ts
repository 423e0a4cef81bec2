// npm run perf:clinic: pages of Clinic.js about the server.

import { PROFILE_SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVERS } from '../catalog/setup.ts';
import { makePages, TOOL_SECONDS_MAX, TOOLS } from '../profile/clinic.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

const INSTALL_SECONDS = 300;

await runCommand({
  name: 'perf:clinic',
  about:
    'Runs the tools of Clinic.js on the server at full load; pages go to reports/clinic/. The\n' +
    'first run installs Clinic.js: 700 packages, 150 MB.',
  programs: ['prlimit'],
  numbers: { seconds: { default: 10, max: 60, what: 'how long the server is under load' } },
  lists: {
    tools: { values: TOOLS, what: 'tools of Clinic.js' },
    drivers: { values: DRIVERS, default: ['epoll'], what: 'drivers of the server' },
    scenarios: { values: PROFILE_SCENARIOS, default: ['hello'], what: 'scenarios' },
  },
  secondsMax: ({ numbers, lists: { drivers, scenarios, tools } }) =>
    INSTALL_SECONDS +
    tools.length * drivers.length * scenarios.length * (numbers.seconds + TOOL_SECONDS_MAX),
  run: async ({ numbers, lists }) => {
    await makePages({ ...lists, seconds: numbers.seconds });
    return NO_THRESHOLDS;
  },
});
