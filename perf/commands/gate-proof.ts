// npm run perf:gate:proof: whether the gate detects injected faults.

import { FAULTS, type Fault, proveGate } from '../gate/proof.ts';
import { SECONDS_MAX } from '../gate/run.ts';
import { runCommand } from '../runner/run-command.ts';

await runCommand({
  name: 'perf:gate:proof',
  about:
    'Measures the server without a fault, then 20 % slower, with pauses of 5 ms once a second,\n' +
    'and with a leak of 1 KB a request. The gate has to detect each.',
  programs: ['prlimit'],
  numbers: {},
  lists: { only: { values: FAULTS, what: 'faults' } },
  exitCodes:
    'Exit codes: 0 when all are detected, 1 when one is not or a run fails, 2 when the\n' +
    'arguments are wrong or a program is missing.',
  secondsMax: ({ lists }) => SECONDS_MAX * (1 + lists.only.length),
  run: ({ lists }) => proveGate(lists.only as readonly Fault[]),
});
