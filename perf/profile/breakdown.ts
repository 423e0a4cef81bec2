// Where the microseconds of a request go: npm run perf:breakdown. docs/performance.md says how to
// read it.

import { recordServer } from './record.ts';
import { SCENARIO_NAMES, SCENARIOS } from '../load/run-scenario.ts';
import { countParts, PARTS, type Part } from './shares.ts';
import { parseStacks } from './stacks.ts';
import { runScript } from '../runner/run-command.ts';
import { cell, tableText } from '../runner/table.ts';

/** Warming up, starting, and reading what was recorded. */
const AROUND_SECONDS = 60;
const DRIVERS = ['uring', 'epoll'];

interface Broken {
  readonly name: string;
  readonly microseconds: number;
  readonly requestsPerSecond: number;
  readonly isLoadBound: boolean;
  readonly samples: number;
  readonly counts: ReadonlyMap<Part, number>;
}

process.exit(
  await runScript({
    name: 'perf:breakdown',
    about:
      'Says where the processor time of a request goes, by taking stacks of the server at full\n' +
      'load and counting the innermost functions by the folder of their source.',
    programs: ['perf'],
    numbers: { seconds: { default: 10, max: 60, what: 'how long stacks are taken' } },
    lists: {
      drivers: { values: DRIVERS, what: 'drivers of the server' },
      scenarios: { values: SCENARIO_NAMES, default: ['hello'], what: 'what is asked' },
    },
    secondsMax: ({ numbers, lists }) =>
      lists.drivers.length * lists.scenarios.length * (AROUND_SECONDS + numbers.seconds * 3),
    measure: async ({ numbers, lists }) => {
      const all: Broken[] = [];
      for (const scenario of lists.scenarios) {
        for (const driver of lists.drivers) {
          all.push(await breakDown(driver, scenario, numbers.seconds));
        }
      }
      console.log(breakdownTable(all));
      return [];
    },
  }),
);

async function breakDown(driver: string, scenario: string, seconds: number): Promise<Broken> {
  const recording = await recordServer(driver, SCENARIOS[scenario], seconds);
  const stacks = parseStacks(recording.text);
  if (stacks.length === 0) throw new Error('perf took no stacks: is cpu-clock allowed here?');
  const counts = countParts(stacks);
  return { ...recording, name: `${scenario}, ${driver}`, samples: stacks.length, counts };
}

function breakdownTable(all: readonly Broken[]): string {
  const parts = PARTS.filter((part) => all.some(({ counts }) => counts.has(part)));
  const rows = parts.map((part) => [
    part,
    ...all.flatMap(({ counts, samples, microseconds }) => {
      const share = (counts.get(part) ?? 0) / samples;
      return [cell(share * microseconds, 2), `${cell(share * 100, 1)} %`];
    }),
  ]);
  const rates = all.map(({ requestsPerSecond, isLoadBound }) => [
    cell(requestsPerSecond, 0),
    isLoadBound ? 'LOAD-BOUND' : '',
  ]);
  return tableText([
    ['us of processor time', ...all.flatMap(({ name }) => [name, ''])],
    ...rows,
    ['a request', ...all.flatMap(({ microseconds }) => [cell(microseconds, 2), ''])],
    ['requests/s', ...rates.flat()],
    ['stacks', ...all.flatMap(({ samples }) => [String(samples), ''])],
  ]);
}
