// npm run perf:echo: 100 MB through the server and back.

import { DRIVERS } from '../catalog/setup.ts';
import { BODY_BYTES, echoOn } from '../experiments/echo.ts';
import { runCommand } from '../runner/run-command.ts';

const DRIVER_SECONDS_MAX = 300;
const SEED_MAX = 999_999_999;

await runCommand({
  name: 'perf:echo',
  about:
    `Echoes ${BODY_BYTES / 1e6} MB by Content-Length and in chunks, compares every byte, and\n` +
    'judges the growth of memory.',
  programs: null,
  numbers: { seed: { default: 0, min: 0, max: SEED_MAX, what: 'repeats a run; 0: by the clock' } },
  lists: {
    driver: {
      values: DRIVERS,
      default: process.platform === 'linux' ? ['epoll', 'net'] : ['net'],
      what: 'drivers of the server',
    },
  },
  secondsMax: ({ lists }) => DRIVER_SECONDS_MAX * lists.driver.length,
  run: ({ numbers, lists }) => {
    const seed = numbers.seed === 0 ? 1 + (Date.now() % SEED_MAX) : numbers.seed;
    return echoOn(lists.driver, seed);
  },
});
