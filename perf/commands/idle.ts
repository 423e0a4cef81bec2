// npm run perf:idle: what idle connections cost.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { idleSecondsMax, measureIdleConnections } from '../experiments/idle-connections.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:idle',
  about:
    'Measures how idle connections increase the memory of a server, and the rate of GET / with\n' +
    'them, with windows of a server without them in turn.',
  programs: ['wrk', 'prlimit'],
  numbers: {
    connections: { default: 20_000, min: 100, max: 80_000, what: 'idle connections' },
    rounds: { default: 5, max: 99, what: 'windows of each' },
    seconds: { default: 2, max: 60, what: 'length of a window' },
  },
  lists: { drivers: { values: LINUX_DRIVERS, what: 'drivers of the server' } },
  secondsMax: ({ numbers, lists }) => lists.drivers.length * idleSecondsMax(numbers),
  run: ({ numbers, lists }) => measureIdleConnections(lists.drivers, numbers),
});
