// npm run perf:start: how soon a server responds, how its first second is, and its memory.

import {
  CONNECTIONS_LOADED,
  measureStart,
  NEW_CONNECTIONS,
  RATE,
  startSecondsMax,
} from '../experiments/start.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:start',
  about:
    'Measures the time from the start of a process to its first response, of `vibing serve`\n' +
    'and of a small program, in turn with `node -e 0`; the first second of a new worker after\n' +
    `SIGHUP, at ${RATE} requests a second over ${NEW_CONNECTIONS} new connections, and a later\n` +
    `second; and the memory of a server after full load over ${CONNECTIONS_LOADED} connections.`,
  programs: [],
  numbers: {
    rounds: { default: 15, max: 99, what: 'starts of each' },
    reloads: { default: 5, max: 50, what: 'reloads, each with two loads of a second' },
    seconds: { default: 20, max: 600, what: 'full load before the memory is read' },
  },
  lists: {},
  secondsMax: ({ numbers }) => startSecondsMax(numbers),
  run: ({ numbers }) => measureStart(numbers),
});
