// Measures the load generator beside wrk: npm run perf:load. Both ask the same server in turn, on
// the same core: a floor, where the load is what limits, and a server that limits both.

import { runLoad } from '../../src/load/run-load.ts';
import { freePort, type ServerChild, startServer } from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import { pairUp, summary } from '../measure/pairs.ts';
import { runScript } from '../runner/run-command.ts';
import { type Bar, cell, tableText } from '../runner/table.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { runWrk } from '../load/wrk.ts';

const SHARE_BAR = 0.95;
const APART_BAR = 0.05;
const WARM_UP_MS = 2_000;
const DRIVERS = ['uring', 'epoll'] as const;

interface Compared {
  readonly wrk: number;
  readonly ours: number;
  readonly ratio: number;
  readonly workShare: number;
}

process.exit(
  await runScript({
    name: 'perf:load',
    about:
      'Measures requests a second as the load generator and as wrk sees them, in turn: on a\n' +
      'floor, where the load limits, and on a server on node:net, which limits both.',
    programs: ['wrk'],
    numbers: {
      seconds: { default: 2, max: 60, what: 'length of a window' },
      rounds: { default: 7, max: 99, what: 'windows of each' },
    },
    lists: { drivers: { values: DRIVERS, what: 'which drivers of the load' } },
    secondsMax: ({ numbers: { seconds, rounds }, lists }) =>
      60 + lists.drivers.length * 2 * (2 * rounds + 1) * (seconds + 2),
    measure: async ({ numbers: { seconds, rounds }, lists }) => {
      pinSelf(LOAD_CORE);
      const args = [String(await freePort()), 'hello'];
      const floor = await startServer('floor/epoll.ts', { args, core: SERVER_CORE });
      const slowArgs = ['--driver', 'net'];
      const slow = await startServer('servers/vibing.ts', { args: slowArgs, core: SERVER_CORE });
      const rows = [['', 'wrk/s', 'ours/s', 'ratio', 'working']];
      const bars: Bar[] = [];
      for (const driver of DRIVERS.filter((name) => lists.drivers.includes(name))) {
        const fast = await compare(floor, driver, seconds, rounds);
        const both = await compare(slow, driver, seconds, rounds);
        rows.push(row(`${driver}, floor`, fast), row(`${driver}, net server`, both));
        bars.push(
          {
            name: `${driver} on the floor, to wrk`,
            value: fast.ratio,
            is: 'at least',
            bound: SHARE_BAR,
            digits: 3,
          },
          {
            name: `${driver} on a slower server, apart from wrk`,
            value: Math.abs(both.ratio - 1),
            is: 'at most',
            bound: APART_BAR,
            digits: 3,
          },
        );
      }
      await floor.stop();
      await slow.stop();
      console.log(tableText(rows));
      console.log(`${CONNECTIONS} connections, no pipelining, load on core ${LOAD_CORE}`);
      return bars;
    },
  }),
);

function row(name: string, { ours, ratio, workShare, wrk }: Compared): string[] {
  const share = `${Math.round(workShare * 100)} %`;
  return [name, cell(wrk, 0), cell(ours, 0), cell(ratio, 3), share];
}

/** A window of ours between two of wrk, as often as there are rounds. */
async function compare(
  { port }: ServerChild,
  driver: (typeof DRIVERS)[number],
  seconds: number,
  rounds: number,
): Promise<Compared> {
  const url = `http://127.0.0.1:${port}/`;
  const load = { url, connections: CONNECTIONS, core: LOAD_CORE };
  const wrk = async (): Promise<number> =>
    (await runWrk({ ...load, seconds, script: '' })).requestsPerSecond;
  await runLoad({ ...load, driver, durationMs: WARM_UP_MS });
  const theirs = [await wrk()];
  const ours: number[] = [];
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const report = await runLoad({ ...load, driver, durationMs: seconds * 1000 });
    if (report.errorCount > 0) throw new Error(`${url}: ${report.errorCount} errors`);
    ours.push(report.requestsPerSecond);
    shares.push(report.load.workShare);
    theirs.push(await wrk());
  }
  return {
    wrk: summary(theirs).median,
    ours: summary(ours).median,
    ratio: summary(pairUp(theirs, ours).map(({ ratio }) => ratio)).median,
    workShare: summary(shares).median,
  };
}
