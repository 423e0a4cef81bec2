// npm run perf:slow: the rate with slow clients, and whether their timeouts close them.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { measureSlowClients, slowSecondsMax } from '../experiments/slow-clients.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:slow',
  about:
    'Measures the rate of GET / with clients that send a byte of their head every second and\n' +
    'clients that read nothing, with windows of a server without them in turn, and whether the\n' +
    'server closes them in time.',
  programs: ['wrk'],
  numbers: {
    clients: { default: 1_000, min: 10, max: 8_000, what: 'slow clients of each kind' },
    rounds: { default: 3, max: 99, what: 'windows of each' },
    seconds: { default: 2, max: 60, what: 'length of a window' },
  },
  lists: { drivers: { values: LINUX_DRIVERS, what: 'drivers of the server' } },
  secondsMax: ({ numbers, lists }) => lists.drivers.length * slowSecondsMax(numbers),
  run: ({ numbers, lists }) => measureSlowClients(lists.drivers, numbers),
});
