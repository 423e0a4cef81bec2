// Takes the windows of the gate: servers and floors in processes of their own on one core, the load
// in this process on the other.

import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { LoadReport } from '../../src/load/report.ts';
import { runLoad } from '../../src/load/run-load.ts';
import { freePort, perfScript, type ServerChild, startServer } from '../measure/child-process.ts';
import { probe } from '../load/probe.ts';
import { othersShare, readCoreTicks, residentBytes, usedMicroseconds } from '../system/process-figures.ts';
import {
  CONNECTIONS,
  COUNTED_MIN,
  LATENCY_RATE,
  LATENCY_SCENARIO,
  LOAD_CORE,
  SCENARIOS,
  type Scenario,
  type ScenarioName,
  SERVER_CORE,
  TURNS_RATE,
  TURNS_SECONDS_MIN,
} from '../catalog/thresholds.ts';
import {
  countedRates,
  type GateFigures,
  type LatencyWindow,
  quietPauses,
  quietRatios,
  type RateWindow,
  splitLatencies,
  type TurnWindow,
  type Windows,
} from './judge.ts';
import type { Watched } from '../measure/watch.ts';

export interface GateOptions {
  readonly seconds: number;
  readonly rounds: number;
  readonly only: readonly ScenarioName[];
  readonly latency: boolean;
  readonly turns: boolean;
  /** Of the server. */
  readonly driver: string;
  /** The script of the server that is measured, and its arguments. */
  readonly server: string;
  readonly serverArgs: readonly string[];
  /** When no further round is begun to have enough windows that count. */
  readonly untilMs: number;
  readonly progress: (text: string) => void;
}

/** Long enough for the code to be compiled well; not counted. */
const WARM_UP_MS = 2_000;
/** The first moments of a window are of connections that were just opened. */
const WARM_MS = 100;

/** Until all connections are there, or before the first may leave. */
const CROWD_MS = 250;

interface Child {
  readonly server: ServerChild;
  readonly url: string;
  /** Requests answered so far, by windows that were measured. */
  requests: number;
}

interface Mutable<W> {
  readonly floors: W[];
  readonly servers: W[];
}

export async function measureGate(options: GateOptions): Promise<GateFigures> {
  const nodeFlags = [`--import=${perfScript('gate/watch.ts')}`];
  const args = ['--driver', options.driver, ...options.serverArgs];
  const core = SERVER_CORE;
  const child = await startServer(options.server, { args, core, nodeFlags });
  const server: Child = { server: child, url: `http://127.0.0.1:${child.port}`, requests: 0 };
  const throughput: (Mutable<RateWindow> & { scenario: Scenario })[] = [];
  let residentMost = 0;
  const remember = (): void => {
    residentMost = Math.max(residentMost, residentBytes(child.pid, 'peak'));
  };
  const scenarios = SCENARIOS.filter(({ name }) => options.only.includes(name));
  let heapBefore = -1;
  for (const scenario of scenarios) {
    const floor = await startFloor(scenario, child, nodeFlags);
    await warmUp(floor, scenario);
    await warmUp(server, scenario);
    if (heapBefore < 0) {
      heapBefore = (await child.ask('heap')) as number;
      server.requests = 0;
    }
    const take = (one: Child): Promise<RateWindow> => rateWindow(one, scenario, options.seconds);
    const isEnough = (windows: Windows<RateWindow>): boolean =>
      quietRatios(windows).length >= COUNTED_MIN &&
      (scenario.name !== 'hello' || countedRates(windows).length >= COUNTED_MIN);
    const windows = await inTurn(options, scenario.name, floor, server, take, isEnough);
    throughput.push({ scenario, ...windows });
    await floor.server.stop();
    remember();
  }
  let latency: Windows<LatencyWindow> | null = null;
  if (options.latency) {
    const floor = await startFloor(LATENCY_SCENARIO, child, nodeFlags);
    const take = (one: Child): Promise<LatencyWindow> => latencyWindow(one, options.seconds);
    await take(floor);
    await take(server);
    if (heapBefore < 0) {
      heapBefore = (await child.ask('heap')) as number;
      server.requests = 0;
    }
    const isEnough = (windows: Windows<LatencyWindow>): boolean =>
      splitLatencies(windows).counted.length >= COUNTED_MIN;
    latency = await inTurn(options, 'latency', floor, server, take, isEnough);
    await floor.server.stop();
    remember();
  }
  let turns: Windows<TurnWindow> | null = null;
  if (options.turns) {
    const floor = await startFloor(SCENARIOS[0], child, nodeFlags);
    const take = (one: Child): Promise<TurnWindow> =>
      turnWindow(one, Math.max(options.seconds, TURNS_SECONDS_MIN));
    await take(floor);
    await take(server);
    const isEnough = (windows: Windows<TurnWindow>): boolean =>
      quietPauses(windows).length >= COUNTED_MIN;
    turns = await inTurn(options, 'turns', floor, server, take, isEnough);
    await floor.server.stop();
    remember();
  }
  if (heapBefore < 0) heapBefore = (await child.ask('heap')) as number;
  const kept = ((await child.ask('heap')) as number) - heapBefore;
  await child.stop();
  return {
    throughput,
    latency,
    turns,
    heapBytesPerRequest: kept / Math.max(1, server.requests),
    residentBytes: residentMost,
  };
}

/** A window of the floor before and after each of the server; more rounds where too few count. */
async function inTurn<W>(
  { progress, rounds, untilMs }: GateOptions,
  name: string,
  floor: Child,
  server: Child,
  take: (child: Child) => Promise<W>,
  isEnough: (windows: Windows<W>) => boolean,
): Promise<Mutable<W>> {
  const windows: Mutable<W> = { floors: [await take(floor)], servers: [] };
  const wanted = (): boolean => {
    const taken = windows.servers.length;
    if (taken < rounds) return true;
    return taken < 3 * rounds && !isEnough(windows) && performance.now() < untilMs;
  };
  while (wanted()) {
    windows.servers.push(await take(server));
    windows.floors.push(await take(floor));
    progress(`${name}: ${windows.servers.length} windows`);
  }
  return windows;
}

/** The floor sends exactly as many bytes as the server does. */
async function startFloor(
  { response, path }: Scenario,
  server: ServerChild,
  nodeFlags: readonly string[],
): Promise<Child> {
  const { bytes, head, status } = await probe(server.port, path);
  if (status !== 200) throw new Error(`GET ${path} was not answered well:\n${head}`);
  const args = [String(await freePort()), response, String(bytes)];
  const floor = await startServer('floor/epoll.ts', { args, core: SERVER_CORE, nodeFlags });
  const responded = await probe(floor.port, path);
  if (responded.bytes !== bytes) throw new Error(`the floor answers with ${responded.bytes} bytes`);
  return { server: floor, url: `http://127.0.0.1:${floor.port}`, requests: 0 };
}

async function warmUp(child: Child, { depth, headers, path }: Scenario): Promise<void> {
  const load = { connections: CONNECTIONS, pipelining: depth, headers, core: LOAD_CORE };
  await runLoad({ url: child.url + path, ...load, durationMs: WARM_UP_MS });
}

async function rateWindow(child: Child, scenario: Scenario, seconds: number): Promise<RateWindow> {
  const { depth, headers, path } = scenario;
  await child.server.ask('begin');
  const before = usedMicroseconds(child.server.pid);
  const loadBefore = usedMicroseconds(process.pid);
  const coresBefore = [readCoreTicks(SERVER_CORE), readCoreTicks(LOAD_CORE)];
  const report = await runLoad({
    url: child.url + path,
    connections: CONNECTIONS,
    pipelining: depth,
    headers,
    durationMs: seconds * 1000,
    core: LOAD_CORE,
  });
  const used = usedMicroseconds(child.server.pid) - before;
  const loadUsed = usedMicroseconds(process.pid) - loadBefore;
  const others = Math.max(
    othersShare(coresBefore[0], readCoreTicks(SERVER_CORE), used),
    othersShare(coresBefore[1], readCoreTicks(LOAD_CORE), loadUsed),
  );
  const { gcPausesMs } = (await child.server.ask('end')) as Watched;
  child.requests += report.responses;
  return {
    rate: report.requestsPerSecond,
    microseconds: used / report.responses,
    loadShare: report.load.workShare,
    othersShare: others,
    failures: failuresOf(report),
    gcPauseMs: Math.max(0, ...gcPausesMs),
  };
}

async function latencyWindow(child: Child, seconds: number): Promise<LatencyWindow> {
  await child.server.ask('begin with turns');
  const report = await runLoad({
    url: child.url + LATENCY_SCENARIO.path,
    connections: CONNECTIONS,
    rate: LATENCY_RATE,
    warmUpMs: WARM_MS,
    durationMs: seconds * 1000,
    core: LOAD_CORE,
  });
  const { gcPausesMs, lateTurns } = (await child.server.ask('end')) as Watched;
  child.requests += report.responses;
  const { percentiles } = report.latencyMs;
  return {
    p50Ms: percentiles['50'],
    p99Ms: percentiles['99'],
    p999Ms: percentiles['99.9'],
    lateTurns: lateTurns / (seconds + WARM_MS / 1000),
    loadShare: report.load.workShare,
    failures: failuresOf(report),
    gcPauseMs: Math.max(0, ...gcPausesMs),
  };
}

/** Clients who come or leave all at once are work, not a pause: that is over, or yet to come. */
async function turnWindow(child: Child, seconds: number): Promise<TurnWindow> {
  const load = runLoad({
    url: `${child.url}/`,
    connections: CONNECTIONS,
    rate: TURNS_RATE,
    durationMs: seconds * 1000 + 2 * CROWD_MS,
    core: LOAD_CORE,
  });
  await setTimeout(CROWD_MS);
  await child.server.ask('begin with turns');
  await setTimeout(seconds * 1000);
  const { busyTurns } = (await child.server.ask('end')) as Watched;
  const report = await load;
  child.requests += report.responses;
  return {
    busyTurns: busyTurns / seconds,
    loadShare: report.load.workShare,
    failures: failuresOf(report),
  };
}

/**
 * Of an open loop on a machine that stands still some requests may not be answered when the window
 * is over; they stand in its latencies.
 */
function failuresOf({ responses, errorCount, errors, statuses }: LoadReport): number {
  let refused = 0;
  for (const [status, count] of Object.entries(statuses)) {
    if (!status.startsWith('2')) refused += count;
  }
  const late = errors['unanswered'] ?? 0;
  return responses === 0 ? 1 : refused + errorCount - late;
}
