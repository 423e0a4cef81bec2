// npm run perf:quiet: what the server uses at low load.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import {
  IDLE_CONNECTIONS,
  LOAD_CONNECTIONS,
  lowLoadSecondsMax,
  measureLowLoad,
  RATE,
} from '../experiments/low-load.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:quiet',
  about:
    `Measures processor time and wake-ups with ${IDLE_CONNECTIONS} idle connections, and\n` +
    `processor time for a request at ${RATE} requests a second over ${LOAD_CONNECTIONS}\n` +
    'connections, with windows of nginx in turn.',
  programs: ['prlimit'],
  numbers: {
    seconds: { default: 10, max: 60, what: 'length of a window' },
    rounds: { default: 3, max: 99, what: 'windows of each at that rate' },
  },
  lists: { drivers: { values: LINUX_DRIVERS, what: 'drivers of the server' } },
  secondsMax: ({ numbers, lists }) => lowLoadSecondsMax(lists.drivers, numbers),
  run: ({ numbers, lists }) => measureLowLoad(lists.drivers, numbers),
});
