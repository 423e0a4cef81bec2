// npm run perf:reload: failed requests during reloads, the death of a worker, and a shutdown.

import { measureReloads, WORKERS } from '../experiments/reload.ts';
import { runCommand } from '../runner/run-command.ts';

const OTHER_SECONDS = 90;

await runCommand({
  name: 'perf:reload',
  about:
    `Loads a server with ${WORKERS} workers while SIGHUP reloads it, while a worker is killed,\n` +
    'and while SIGTERM ends it. Only requests of the killed worker may fail.',
  programs: [],
  numbers: {
    seconds: { default: 60, max: 3_600, what: 'how long it is reloaded' },
    every: { default: 6, max: 600, what: 'seconds between two reloads' },
    connections: { default: 32, max: 1_000, what: 'connections' },
    retries: {
      default: 0,
      min: 0,
      max: 1,
      what: 'retries of a request when a kept connection ended',
    },
  },
  lists: {},
  secondsMax: ({ numbers }) => numbers.seconds + OTHER_SECONDS,
  run: ({ numbers: { connections, every, retries, seconds } }) =>
    measureReloads({ seconds, everySeconds: every, connections, retries: retries === 1 }),
});
