// Measures the server against its floor with wrk, workload by workload. Both are up all the time;
// the one without load sleeps.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FloorWorkload } from '../catalog/scenarios.ts';
import { CONNECTIONS, LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { FLOOR_RATIO_MIN, LOAD_BOUND_SHARE } from '../catalog/thresholds.ts';
import { runWrk, writePipelineScript } from '../load/wrk.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { type Compared, comparedRatio, pairUp, summary } from '../measure/pairs.ts';
import { probeScenario, startScenarioFloor } from '../measure/scenario-servers.ts';
import { countText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import {
  busyShare,
  othersShare,
  readCoreTicks,
  usedMicroseconds,
} from '../system/process-figures.ts';
import { conditions, type MeasuredWorkload, type Window, workloadTable } from './floor-table.ts';

/** Long enough for the compiler to optimize hot code; not counted. */
const WARM_UP_SECONDS = 2;

export interface FloorOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** Prints a table for each workload. */
export async function measureFloorRatios(
  workloads: readonly FloorWorkload[],
  options: FloorOptions,
): Promise<readonly MeasuredWorkload[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-floor-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const length = `${options.rounds} windows of ${options.seconds} s`;
  console.log(`${length} for the server, each between two of the floor\n`);
  const all: MeasuredWorkload[] = [];
  for (const workload of workloads) {
    const measured = await measure(workload, options, folder);
    all.push(measured);
    console.log(`${workloadTable(measured)}\n`);
  }
  return all;
}

export function floorThreshold({ ratios, workload }: MeasuredWorkload): Threshold {
  return {
    name: `${workload.name}: median ratio to the floor`,
    value: ratios.median,
    is: 'at least',
    bound: FLOOR_RATIO_MIN[workload.name],
    digits: 3,
  };
}

async function measure(
  workload: FloorWorkload,
  { rounds, seconds }: FloorOptions,
  folder: string,
): Promise<MeasuredWorkload> {
  const { scenario } = workload;
  const server = await startVibing(workload.driver);
  const response = await probeScenario(server.port, scenario);
  const floor = await startScenarioFloor(scenario, response, { script: workload.floor });
  const script = scenario.depth === 1 ? '' : writePipelineScript(folder, scenario.depth);
  const [{ target }] = scenario.requests;
  const run = (child: ServerChild, length: number): Promise<Window> =>
    measureWindow(child, target, length, script);
  await run(floor, WARM_UP_SECONDS);
  await run(server, WARM_UP_SECONDS);
  const floors = [await run(floor, seconds)];
  const servers: Window[] = [];
  for (let round = 1; round <= rounds; round++) {
    servers.push(await run(server, seconds));
    floors.push(await run(floor, seconds));
    const { requestsPerSecond } = servers[round - 1];
    const progress = `${workload.name}: round ${round} of ${rounds}`;
    if (process.stderr.isTTY) console.error(`${progress}, ${countText(requestsPerSecond)}/s`);
  }
  await probeScenario(server.port, scenario);
  await server.stop();
  await floor.stop();
  const rate = ({ requestsPerSecond }: Window): number => requestsPerSecond;
  const pairs = pairUp(floors.map(rate), servers.map(rate)).map((pair, index) => {
    const around = floors.slice(index, index + 2).map(compared);
    return { ...pair, ratio: comparedRatio(compared(servers[index]), around) };
  });
  const ratios = summary(pairs.map(({ ratio }) => ratio));
  const text = conditions(workload, response.bytes);
  return { workload, conditions: text, pairs, floors, servers, ratios };
}

function compared({ loadShare, microseconds, requestsPerSecond }: Window): Compared {
  const isLoadBound = loadShare >= LOAD_BOUND_SHARE;
  return { rate: requestsPerSecond, cpuUs: microseconds, isLoadBound };
}

async function measureWindow(
  child: ServerChild,
  path: string,
  seconds: number,
  script: string,
): Promise<Window> {
  const url = `http://127.0.0.1:${child.port}${path}`;
  const usedBefore = usedMicroseconds(child.pid);
  const coreBefore = readCoreTicks(SERVER_CORE);
  const loadBefore = readCoreTicks(LOAD_CORE);
  const report = await runWrk({ url, connections: CONNECTIONS, seconds, core: LOAD_CORE, script });
  const used = usedMicroseconds(child.pid) - usedBefore;
  return {
    requestsPerSecond: report.requestsPerSecond,
    microseconds: used / report.requests,
    othersShare: othersShare(coreBefore, readCoreTicks(SERVER_CORE), used),
    loadShare: busyShare(loadBefore, readCoreTicks(LOAD_CORE)),
  };
}
