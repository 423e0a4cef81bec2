// Compares the project's load generator with wrk: both load the same server in turn, on the same
// core. On a floor the load is the limit; on a server on node:net the server limits both.

import { runLoad } from '../../src/load/run-load.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { WRK_DIFFERENCE_MAX, WRK_RATIO_MIN } from '../catalog/thresholds.ts';
import { runWrk } from '../load/wrk.ts';
import { freePort, type ServerChild, startServer } from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import { pairUp, summary } from '../measure/pairs.ts';
import { cell, shareText, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';

const WARM_UP_MS = 2_000;

export interface WrkOptions {
  readonly rounds: number;
  readonly seconds: number;
}

interface Compared {
  readonly wrk: number;
  readonly ours: number;
  readonly ratio: number;
  /** The share of its time in which our load had work to do. */
  readonly workShare: number;
}

export async function compareWithWrk(
  drivers: readonly string[],
  options: WrkOptions,
): Promise<readonly Threshold[]> {
  pinSelf(LOAD_CORE);
  const args = [String(await freePort()), 'hello'];
  const floor = await startServer('floor/epoll.ts', { args, core: SERVER_CORE });
  const slower = await startVibing('net');
  const rows = [['', 'wrk/s', 'ours/s', 'ratio', 'working']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const onFloor = await compare(floor, driver, options);
    const onSlower = await compare(slower, driver, options);
    rows.push(row(`${driver}, floor`, onFloor), row(`${driver}, net server`, onSlower));
    thresholds.push(
      {
        name: `${driver} on the floor: rate to that of wrk`,
        value: onFloor.ratio,
        is: 'at least',
        bound: WRK_RATIO_MIN,
        digits: 3,
      },
      {
        name: `${driver} on a slower server: difference from wrk`,
        value: Math.abs(onSlower.ratio - 1),
        is: 'at most',
        bound: WRK_DIFFERENCE_MAX,
        digits: 3,
      },
    );
  }
  await floor.stop();
  await slower.stop();
  console.log(tableText(rows));
  console.log(`${CONNECTIONS} connections, no pipelining, load on core ${LOAD_CORE}`);
  return thresholds;
}

function row(name: string, { ours, ratio, workShare, wrk }: Compared): string[] {
  return [name, cell(wrk, 0), cell(ours, 0), cell(ratio, 3), shareText(workShare)];
}

/** Each window of ours stands between two of wrk. */
async function compare(
  { port }: ServerChild,
  driverName: string,
  { rounds, seconds }: WrkOptions,
): Promise<Compared> {
  const driver = driverName as 'uring' | 'epoll';
  const url = `http://127.0.0.1:${port}/`;
  const load = { url, connections: CONNECTIONS, core: LOAD_CORE };
  const wrk = async (): Promise<number> =>
    (await runWrk({ ...load, seconds, script: '' })).requestsPerSecond;
  await runLoad({ ...load, driver, durationMs: WARM_UP_MS });
  const wrkRates = [await wrk()];
  const ownRates: number[] = [];
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const report = await runLoad({ ...load, driver, durationMs: seconds * 1000 });
    if (report.errorCount > 0) throw new Error(`${url}: ${report.errorCount} errors`);
    ownRates.push(report.requestsPerSecond);
    shares.push(report.load.workShare);
    wrkRates.push(await wrk());
  }
  return {
    wrk: summary(wrkRates).median,
    ours: summary(ownRates).median,
    ratio: summary(pairUp(wrkRates, ownRates).map(({ ratio }) => ratio)).median,
    workShare: summary(shares).median,
  };
}
