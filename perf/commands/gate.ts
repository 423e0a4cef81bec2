// npm run perf:gate: judges the speed of the server. docs/performance.md lists the checks.

import { GATE_SCENARIOS } from '../catalog/scenarios.ts';
import { DRIVER_CHOICES } from '../catalog/setup.ts';
import type { Part } from '../gate/judge.ts';
import { runGate, SECONDS_MAX } from '../gate/run.ts';
import { runCommand } from '../runner/run-command.ts';

/** With a larger margin, a server that is a fifth slower would pass. */
const MARGIN_MAX = 10;

await runCommand({
  name: 'perf:gate',
  about:
    'Measures the server next to a floor that does nothing but system calls, on the same core\n' +
    'and in turn, and judges medians. Under six minutes with the defaults.',
  programs: ['prlimit'],
  numbers: {
    seconds: { default: 2, max: 10, what: 'length of a window' },
    rounds: { default: 5, min: 5, max: 25, what: 'windows of the server' },
    margin: {
      default: 0,
      min: 0,
      max: MARGIN_MAX,
      what: 'percent by which thresholds of rates are lowered',
    },
    tries: { default: 1, max: 3, what: 'attempts in all: a missed check is measured again' },
  },
  lists: { only: { values: [...GATE_SCENARIOS, 'latency', 'turns'], what: 'checks' } },
  choices: { driver: { values: DRIVER_CHOICES, default: 'auto', what: "the server's driver" } },
  flags: { strict: 'exit code 3 when something could not be judged' },
  exitCodes:
    'Exit codes: 0 when every threshold that could be judged is met, 1 when one is missed or a\n' +
    'run fails, 2 when the arguments are wrong or a program is missing, 3 with --strict.',
  secondsMax: ({ numbers }) => SECONDS_MAX * numbers.tries,
  run: ({ numbers, lists, choices, flags }) =>
    runGate({
      seconds: numbers.seconds,
      rounds: numbers.rounds,
      margin: numbers.margin / 100,
      tries: numbers.tries,
      parts: lists.only as readonly Part[],
      driver: choices['driver'],
      strict: flags['strict'],
    }),
});
