// Compares the project's load generator with wrk: both load the same server in turn, on the same
// core. On a floor the load is the limit; on a server on node:net the server limits both. Next to
// the floor in C it shows whether a request costs the load less than the least of servers.

import { runLoad } from '../../src/load/run-load.ts';
import { PEER_NAMES } from '../catalog/peers.ts';
import { scenarioOf } from '../catalog/scenarios.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { WRK_DIFFERENCE_MAX, WRK_RATIO_MIN } from '../catalog/thresholds.ts';
import { floorResponse } from '../floor/fixed-response.ts';
import { runWrk } from '../load/wrk.ts';
import { freePort, type ServerChild, startServer } from '../measure/child-process.ts';
import { startFloorInC } from '../measure/floor-in-c.ts';
import { pinSelf } from '../measure/machine.ts';
import { pairUp, summary } from '../measure/pairs.ts';
import { cell, shareText, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { workedMicroseconds } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';

const WARM_UP_MS = 2_000;
const DESCRIPTORS = 1_024;

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
  /** Processor time for a request: of our load, without turns that had no work; of the server. */
  readonly loadUs: number;
  readonly serverUs: number;
}

export async function compareWithWrk(
  drivers: readonly string[],
  options: WrkOptions,
): Promise<readonly Threshold[]> {
  pinSelf(LOAD_CORE);
  const args = [String(await freePort()), 'hello'];
  const floor = await startServer('floor/epoll.ts', { args, core: SERVER_CORE });
  const slower = await startVibing('net');
  const inC = await attempt(PEER_NAMES['floor-c'], startInC);
  const rows = [['', 'wrk/s', 'ours/s', 'ratio', 'working', 'load us', 'server us']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const onFloor = await compare(floor, driver, options);
    const onSlower = await compare(slower, driver, options);
    rows.push(row(`${driver}, floor`, onFloor), row(`${driver}, net server`, onSlower));
    if (inC !== null) {
      rows.push(row(`${driver}, ${PEER_NAMES['floor-c']}`, await compare(inC, driver, options)));
    }
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
  await inC?.stop();
  console.log(tableText(rows));
  console.log(`${CONNECTIONS} connections, no pipelining, load on core ${LOAD_CORE}`);
  console.log('load us and server us: processor time for a request, of our load and of the server');
  return thresholds;
}

function startInC(): Promise<ServerChild> {
  const response = floorResponse('hello', 0);
  const body = response.toString('latin1').split('\r\n\r\n')[1] ?? '';
  const probed = { body, bytes: response.length, head: '', status: 200 };
  return startFloorInC(scenarioOf('hello'), probed, DESCRIPTORS);
}

function row(name: string, compared: Compared): string[] {
  const { loadUs, ours, ratio, serverUs, workShare, wrk } = compared;
  const rates = [cell(wrk, 0), cell(ours, 0), cell(ratio, 3), shareText(workShare)];
  return [name, ...rates, cell(loadUs, 2), cell(serverUs, 2)];
}

/** Each window of ours stands between two of wrk. */
async function compare(
  { pid, port }: ServerChild,
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
  const loadUs: number[] = [];
  const serverUs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const readings: number[] = [];
    const read = (): void => void readings.push(workedMicroseconds(pid));
    const hooks = { counting: read, counted: read };
    const report = await runLoad({ ...load, driver, durationMs: seconds * 1000 }, hooks);
    if (report.errorCount > 0) throw new Error(`${url}: ${report.errorCount} errors`);
    ownRates.push(report.requestsPerSecond);
    shares.push(report.load.workShare);
    loadUs.push((report.load.workShare * 1e6) / report.requestsPerSecond);
    serverUs.push((readings[1] - readings[0]) / report.responses);
    wrkRates.push(await wrk());
  }
  return {
    wrk: summary(wrkRates).median,
    ours: summary(ownRates).median,
    ratio: summary(pairUp(wrkRates, ownRates).map(({ ratio }) => ratio)).median,
    workShare: summary(shares).median,
    loadUs: summary(loadUs).median,
    serverUs: summary(serverUs).median,
  };
}
