// npm run perf:load: the project's load generator versus wrk.

import { LINUX_DRIVERS } from '../catalog/setup.ts';
import { compareWithWrk } from '../experiments/load-versus-wrk.ts';
import { runCommand } from '../runner/run-command.ts';

const START_SECONDS = 60;
/** The floor, the floor in C, and a server. */
const SERVERS = 3;

await runCommand({
  name: 'perf:load',
  about:
    'Compares the rates that the load generator and wrk reach, in turn: on a floor, where the\n' +
    'load is the limit, on a server on node:net, which limits both, and on the floor in C where\n' +
    'there is a compiler. Shows processor time for a request of the load and of the server.',
  programs: ['wrk'],
  numbers: {
    seconds: { default: 2, max: 60, what: 'length of a window' },
    rounds: { default: 7, max: 99, what: 'windows of each' },
  },
  lists: { drivers: { values: LINUX_DRIVERS, what: 'drivers of the load' } },
  secondsMax: ({ numbers: { seconds, rounds }, lists }) =>
    START_SECONDS + lists.drivers.length * SERVERS * (2 * rounds + 1) * (seconds + 2),
  run: ({ numbers, lists }) => compareWithWrk(lists.drivers, numbers),
});
