// npm run perf:floor: the server versus a floor, with load by wrk.

import { writeFileSync } from 'node:fs';
import { FLOOR_WORKLOADS } from '../catalog/scenarios.ts';
import { floorThreshold, measureFloorRatios } from '../experiments/floor-ratios.ts';
import { describeMachine } from '../measure/machine.ts';
import { runCommand } from '../runner/run-command.ts';

const START_SECONDS = 60;

await runCommand({
  name: 'perf:floor',
  about:
    'Measures the server next to a floor that does nothing but system calls. Their windows\n' +
    'alternate on the same core, and only ratios are judged.',
  programs: ['wrk', 'prlimit'],
  numbers: {
    seconds: { default: 2, max: 60, what: 'length of a window' },
    rounds: { default: 7, max: 99, what: 'windows of the server' },
  },
  lists: { only: { values: FLOOR_WORKLOADS.map(({ name }) => name), what: 'workloads' } },
  texts: { json: { value: 'FILE', what: 'also writes all figures to this file' } },
  secondsMax: ({ numbers: { seconds, rounds }, lists }) =>
    lists.only.length * (START_SECONDS + (2 * rounds + 1) * (seconds + 3)),
  run: async ({ numbers, lists, texts }) => {
    const workloads = FLOOR_WORKLOADS.filter(({ name }) => lists.only.includes(name));
    const measured = await measureFloorRatios(workloads, numbers);
    if (texts['json'] !== '') {
      const document = { ...describeMachine(), ...numbers, measured };
      writeFileSync(texts['json'], `${JSON.stringify(document, null, 2)}\n`);
    }
    return measured.map(floorThreshold);
  },
});
