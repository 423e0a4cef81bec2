// npm run perf:quiet: what the server uses at low load.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { IDLE_CONNECTIONS, lowLoadSecondsMax, measureLowLoad } from '../experiments/low-load.ts';
import { LOW_RATE, MANY_CONNECTIONS, MANY_RATE } from '../experiments/low-load-rates.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:quiet',
  about:
    `Measures processor time and wake-ups with ${IDLE_CONNECTIONS} idle connections, and\n` +
    `processor time for a request at ${LOW_RATE} requests a second, at ${MANY_RATE} over\n` +
    `${MANY_CONNECTIONS} connections, and at half of what the slowest server reaches, there\n` +
    'with P99 and P99.9: with windows of nginx and, where it is installed, uWebSockets.js in turn.',
  programs: ['prlimit'],
  numbers: {
    seconds: { default: 5, max: 60, what: 'length of a window' },
    rounds: { default: 3, max: 99, what: 'windows of each at a rate' },
  },
  lists: { drivers: { values: LINUX_DRIVERS, what: 'drivers of the server' } },
  secondsMax: ({ numbers, lists }) => lowLoadSecondsMax(lists.drivers, numbers),
  run: ({ numbers, lists }) => measureLowLoad(lists.drivers, numbers),
});
