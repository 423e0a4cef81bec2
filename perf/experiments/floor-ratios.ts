// Measures the server against the floor: npm run perf:floor. docs/performance.md says how to read
// it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FloorArguments, parseFloorArguments, USAGE } from '../against-floor-arguments.ts';
import { freePort, pairingProblem, type ServerChild, startServer } from '../measure/child-process.ts';
import { formatCount, type Measured, tableOf, type Window } from './floor-table.ts';
import { describeMachine } from '../measure/machine.ts';
import { pairUp, summary } from '../measure/pairs.ts';
import { probe } from '../load/probe.ts';
import { busyShare, othersShare, readCoreTicks, usedMicroseconds } from '../system/process-figures.ts';
import { refuse } from '../../testing/usage-error.ts';
import {
  CONNECTIONS,
  conditions,
  LOAD_CORE,
  passes,
  SERVER_CORE,
  type Workload,
} from '../catalog/setup.ts';
import { runWrk, writePipelineScript } from '../load/wrk.ts';

/** Long enough for the code to be compiled well; not counted. */
const WARM_UP_SECONDS = 2;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = parseFloorArguments(process.argv.slice(2));
  if (typeof options === 'string') return refuse(options);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const problem = pairingProblem();
  if (problem !== null) {
    console.error(problem);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vibing-floor-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    return await measureAll(options, folder);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function measureAll(options: FloorArguments, folder: string): Promise<number> {
  const machine = describeMachine();
  console.log(Object.values(machine).join(', '));
  const length = `${options.rounds} windows of ${options.seconds} s`;
  console.log(`${length} for the server, each between two of the floor\n`);
  const all: Measured[] = [];
  for (const workload of options.workloads) {
    const measured = await measure(workload, options, folder);
    all.push(measured);
    console.log(`${tableOf(measured)}\n`);
  }
  const missed = all.filter(({ passed }) => !passed).map(({ workload }) => workload.name);
  console.log(missed.length === 0 ? 'every bar is met' : `bars missed: ${missed.join(', ')}`);
  if (options.json !== '') {
    const { seconds, rounds } = options;
    const text = JSON.stringify({ ...machine, seconds, rounds, measured: all }, null, 2);
    writeFileSync(options.json, `${text}\n`);
  }
  return missed.length === 0 ? 0 : 1;
}

/** Both servers are up all the time; the one that is not asked sleeps. */
async function measure(
  workload: Workload,
  options: FloorArguments,
  folder: string,
): Promise<Measured> {
  const args = ['--driver', workload.driver];
  const server = await startServer('servers/vibing.ts', { args, core: SERVER_CORE });
  if (!server.line.includes(` ${workload.driver} `))
    throw new Error(`not what was asked: ${server.line}`);
  const { bytes } = await probeWell(server, workload.path);
  const floorArgs = [String(await freePort()), workload.response, String(bytes)];
  const floor = await startServer(workload.floor, { args: floorArgs, core: SERVER_CORE });
  const responded = await probeWell(floor, workload.path);
  if (responded.bytes !== bytes) {
    throw new Error(`the floor answers with ${responded.bytes} bytes, the server with ${bytes}`);
  }
  const script = workload.depth === 1 ? '' : writePipelineScript(folder, workload.depth);
  const run = (child: ServerChild, seconds: number): Promise<Window> =>
    measureWindow(child, workload.path, seconds, script);

  await run(floor, WARM_UP_SECONDS);
  await run(server, WARM_UP_SECONDS);
  const floors = [await run(floor, options.seconds)];
  const servers: Window[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    servers.push(await run(server, options.seconds));
    floors.push(await run(floor, options.seconds));
    const { requestsPerSecond } = servers[round - 1];
    const progress = `${workload.name}: round ${round} of ${options.rounds}`;
    if (process.stderr.isTTY) console.error(`${progress}, ${formatCount(requestsPerSecond)}/s`);
  }
  await probeWell(server, workload.path);
  await server.stop();
  await floor.stop();
  return judge(workload, bytes, floors, servers);
}

async function probeWell(child: ServerChild, path: string): Promise<{ bytes: number }> {
  const { status, bytes, head } = await probe(child.port, path);
  if (status !== 200) throw new Error(`GET ${path} was not answered well:\n${head}`);
  return { bytes };
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

function judge(
  workload: Workload,
  responseBytes: number,
  floors: readonly Window[],
  servers: readonly Window[],
): Measured {
  const rate = ({ requestsPerSecond }: Window): number => requestsPerSecond;
  const pairs = pairUp(floors.map(rate), servers.map(rate));
  const ratios = summary(pairs.map(({ ratio }) => ratio));
  return {
    workload,
    conditions: conditions(workload, responseBytes),
    pairs,
    floors,
    servers,
    ratios,
    passed: passes(workload, ratios),
  };
}
