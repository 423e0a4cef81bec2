// npm run perf:soak: memory, descriptors and timers after minutes of mixed traffic.

import { DRIVER_CHOICES } from '../catalog/setup.ts';
import { soak } from '../experiments/soak.ts';
import { runCommand } from '../runner/run-command.ts';

const OTHER_SECONDS = 240;
const SEED_MAX = 999_999_999;

await runCommand({
  name: 'perf:soak',
  about:
    'Runs a server under mixed traffic: kept and short connections, pipelines, echoes, files,\n' +
    'slow readers and senders, resets, uploads that are left, malformed heads. After a third of\n' +
    'the time and at the end the load stops and all garbage is collected: the server must hold\n' +
    'the same memory, descriptors and timers both times. With --workers 2 it is reloaded every\n' +
    '20 s, and a worker is killed every 70 s.',
  programs: [],
  numbers: {
    minutes: { default: 3, max: 1_440, what: 'how long' },
    workers: { default: 0, min: 0, max: 16, what: 'workers to reload and kill; 0: none' },
    seed: { default: 0, min: 0, max: SEED_MAX, what: 'repeats a run; 0: by the clock' },
  },
  lists: {
    drivers: { values: DRIVER_CHOICES, default: ['auto'], what: 'drivers of the server' },
  },
  secondsMax: ({ numbers, lists }) => lists.drivers.length * (numbers.minutes * 60 + OTHER_SECONDS),
  run: ({ numbers: { minutes, seed, workers }, lists }) =>
    soak(lists.drivers, {
      minutes,
      seed: seed === 0 ? 1 + (Date.now() % SEED_MAX) : seed,
      workers,
    }),
});
