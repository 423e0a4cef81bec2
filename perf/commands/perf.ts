// npm run perf: all scenarios, each next to its floor.

import { SCENARIO_NAMES, SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVER_CHOICES } from '../catalog/setup.ts';
import { measureAll } from '../experiments/all-scenarios.ts';
import { scenarioTable } from '../experiments/scenario-table.ts';
import { SECOND_OPINION } from '../experiments/second-opinion.ts';
import { writeReport } from '../report/write.ts';
import { NO_THRESHOLDS, runCommand } from '../runner/run-command.ts';

const START_SECONDS = 30;

/** --quick changes the defaults of other options. */
const isQuick = process.argv.includes('--quick');
const quickNames = SCENARIOS.filter((one) => one.isQuick).map(({ name }) => name);

await runCommand({
  name: 'perf',
  about:
    'Measures the server in every scenario, in windows between those of a floor on the same\n' +
    'core: requests/s, processor time for a request, latencies at 10,000 requests/s and at\n' +
    'half of the maximum. Appends to reports/results.jsonl and writes reports/index.html.',
  programs: ['prlimit'],
  numbers: {
    seconds: { default: 1, max: 60, what: 'length of a window' },
    windows: { default: isQuick ? 3 : 5, max: 99, what: 'windows of the server for each load' },
  },
  lists: {
    scenarios: {
      values: [...SCENARIO_NAMES, SECOND_OPINION],
      ...(isQuick ? { default: quickNames } : {}),
      what: 'scenarios',
    },
  },
  choices: { driver: { values: DRIVER_CHOICES, default: 'auto', what: "the server's driver" } },
  flags: { quick: `only ${quickNames.join(', ')}, in fewer windows` },
  secondsMax: ({ numbers: { seconds, windows }, lists }) =>
    lists.scenarios.length * (START_SECONDS + 3 * (2 * windows + 1) * (seconds + 2)),
  run: async ({ numbers: { seconds, windows }, lists, choices }) => {
    const { failed, lines } = await measureAll(lists.scenarios, {
      driver: choices['driver'],
      windows,
      windowMs: seconds * 1000,
      rates: isQuick ? ['rate'] : ['rate', 'half'],
    });
    console.log(`${windows} windows of ${seconds} s for each; medians\n`);
    console.log(scenarioTable(lines));
    console.log(`\n${writeReport()}`);
    if (failed.length > 0) throw new Error(`not measured: ${failed.join(', ')}`);
    return NO_THRESHOLDS;
  },
});
