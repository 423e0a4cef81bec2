// npm run perf:fetch: an application of hono on this server, on @hono/node-server and on Bun.

import { DRIVERS } from '../catalog/setup.ts';
import { FETCH_SCENARIOS, measureFetch } from '../experiments/fetch.ts';
import { runCommand } from '../runner/run-command.ts';

const SERVERS = 5;
const START_SECONDS = 20;

await runCommand({
  name: 'perf:fetch',
  about:
    'Measures one application of hono on this server, with the lean Response and with that of\n' +
    'Node, on @hono/node-server and on Bun, windows in turn on the same core.',
  programs: ['prlimit'],
  numbers: {
    rounds: { default: 5, max: 99, what: 'windows of each' },
    seconds: { default: 1, max: 60, what: 'length of a window' },
  },
  lists: {
    driver: { values: DRIVERS, default: ['uring'], what: 'driver of the server, the first one' },
  },
  secondsMax: ({ numbers: { rounds, seconds } }) =>
    START_SECONDS * SERVERS + FETCH_SCENARIOS.length * SERVERS * (rounds + 2) * (seconds + 2),
  run: async ({ numbers: { rounds, seconds }, lists }) => {
    const [driver = 'uring'] = lists.driver;
    return measureFetch({ driver, rounds, seconds });
  },
});
