// npm run perf:metrics: what metrics cost requests, and a response to a scraper.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { measureMetricsCost, measureScrapes } from '../experiments/metrics-cost.ts';
import { runCommand } from '../runner/run-command.ts';

const SCENARIOS = ['hello', 'static-1k'];
const START_SECONDS = 15;
const SCRAPE_SECONDS = 120;

await runCommand({
  name: 'perf:metrics',
  about:
    'Loads two servers on one core in turn, one with metrics and one without, started again in\n' +
    'the other order; then measures what a large response to a scraper takes of the reactor.',
  programs: [],
  numbers: {
    starts: { default: 4, max: 99, what: 'starts of both servers; an even number' },
    windows: { default: 5, max: 99, what: 'windows of the second server, for each start' },
    seconds: { default: 2, max: 60, what: 'length of a window' },
  },
  lists: {
    only: { values: [...SCENARIOS, 'scrape'], what: 'what is measured' },
    driver: { values: LINUX_DRIVERS, what: 'drivers of the servers' },
  },
  secondsMax: ({ lists, numbers: { seconds, starts, windows } }) =>
    lists.driver.length *
    (SCRAPE_SECONDS +
      lists.only.length * starts * (START_SECONDS + (2 * windows + 1) * (seconds + 2))),
  run: async ({ lists: { driver, only }, numbers }) => {
    const scenarios = SCENARIOS.filter((name) => only.includes(name));
    const costs =
      scenarios.length === 0
        ? []
        : await measureMetricsCost({ drivers: driver, scenarios, ...numbers });
    return only.includes('scrape') ? [...costs, ...(await measureScrapes(driver))] : costs;
  },
});
