// npm run perf:garbage: garbage collections in a million requests.

import { DRIVER_CHOICES } from '../catalog/setup.ts';
import { countCollections, WARM_UP_SECONDS } from '../experiments/garbage.ts';
import { runCommand } from '../runner/run-command.ts';

const START_SECONDS = 60;

await runCommand({
  name: 'perf:garbage',
  about: `Counts scavenges at full load, after ${WARM_UP_SECONDS} s of warm-up.`,
  programs: ['wrk'],
  numbers: { seconds: { default: 12, max: 600, what: 'how long they are counted' } },
  lists: {},
  choices: { driver: { values: DRIVER_CHOICES, default: 'auto', what: "the server's driver" } },
  secondsMax: ({ numbers }) => START_SECONDS + numbers.seconds,
  run: ({ numbers, choices }) => countCollections(choices['driver'], numbers.seconds),
});
