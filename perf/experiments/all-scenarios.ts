// Measures the server in every scenario beside the floor, writes reports/results.jsonl and makes
// the page reports/index.html: npm run perf. docs/performance.md says how to read it.

import { runFacts } from '../measure/machine.ts';
import { measureScenario } from '../measure/scenario.ts';
import { perfTable } from './scenario-table.ts';
import { writeReport } from '../report/write.ts';
import { appendResults, type ResultLine } from '../measure/results.ts';
import { SCENARIO_NAMES, SCENARIOS, scenarioOf } from '../catalog/scenarios.ts';
import { runScript } from '../runner/run-command.ts';
import { SECOND_OPINION, secondOpinion } from './second-opinion.ts';
import { WindowLoad } from '../measure/window-load.ts';

const DRIVERS = ['auto', 'uring', 'epoll', 'net'];
const START_SECONDS = 30;

const isQuick = process.argv.includes('--quick');
const quickNames = SCENARIOS.filter((one) => one.isQuick).map(({ name }) => name);

// Servers and loads of a run that failed end with it.
process.exit(
  await runScript({
    name: 'perf',
    about:
      'Measures the server in every scenario, in windows between those of a floor on the same\n' +
      'core: requests/s, processor time for a request, latencies at 10,000 requests/s and at\n' +
      'half of the most. Adds a line each to reports/results.jsonl and makes reports/index.html.',
    programs: ['prlimit'],
    numbers: {
      seconds: { default: 1, max: 60, what: 'length of a window' },
      windows: { default: isQuick ? 3 : 5, max: 99, what: 'windows of the server for each load' },
    },
    lists: {
      scenarios: {
        values: [...SCENARIO_NAMES, SECOND_OPINION],
        ...(isQuick ? { default: quickNames } : {}),
        what: 'which are measured',
      },
    },
    choices: { driver: { values: DRIVERS, default: 'auto', what: 'the driver of the server' } },
    flags: { quick: `only ${quickNames.join(', ')}, in fewer windows` },
    secondsMax: ({ numbers: { seconds, windows }, lists }) =>
      lists.scenarios.length * (START_SECONDS + 3 * (2 * windows + 1) * (seconds + 2)),
    measure: async ({ numbers, lists, choices }) => {
      const facts = runFacts();
      const { windows } = numbers;
      const driver = choices['driver'] ?? 'auto';
      const common = { facts, driver, windows, windowMs: numbers.seconds * 1000 };
      const load = await WindowLoad.start();
      const lines: ResultLine[] = [];
      const failed: string[] = [];
      for (const name of lists.scenarios) {
        const progress = (what: string): void => console.error(`${name}: ${what}`);
        try {
          const rates = isQuick ? (['rate'] as const) : (['rate', 'half'] as const);
          const measured =
            name === SECOND_OPINION
              ? await secondOpinion({ ...common, progress })
              : await measureScenario(scenarioOf(name), { ...common, load, rates, progress });
          lines.push(...measured);
          // What is measured stays, even if the run ends before the last scenario.
          appendResults(measured);
        } catch (error) {
          failed.push(name);
          console.log(`${name}: NOT MEASURED: ${(error as Error).message.trim()}`);
        }
      }
      await load.stop();
      console.log(`${windows} windows of ${numbers.seconds} s for each; medians\n`);
      console.log(perfTable(lines));
      console.log(`\n${writeReport()}`);
      if (failed.length > 0) throw new Error(`not measured: ${failed.join(', ')}`);
      return [];
    },
  }),
);
