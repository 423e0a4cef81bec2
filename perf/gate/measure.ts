// Takes the windows of the gate: servers and floors in processes of their own on one core, the load
// in this process on the other.

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadError } from '../../src/load/recorder.ts';
import type { LoadReport } from '../../src/load/report.ts';
import { type Scenario, scenarioOf } from '../catalog/scenarios.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import {
  COUNTED_WINDOWS_MIN,
  LATENCY_RATE,
  TURNS_RATE,
  TURNS_SECONDS_MIN,
} from '../catalog/thresholds.ts';
import { preparedLoad, runPrepared } from '../load/scenario-load.ts';
import { perfScript, type ServerChild, startServer } from '../measure/child-process.ts';
import { probeScenario, startScenarioFloor } from '../measure/scenario-servers.ts';
import type { Watched } from '../measure/watch.ts';
import {
  othersShare,
  readCoreTicks,
  residentBytes,
  usedMicroseconds,
  workedMicroseconds,
} from '../system/process-figures.ts';
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

export interface GateOptions {
  readonly seconds: number;
  readonly rounds: number;
  /** Names of GATE_SCENARIOS. */
  readonly scenarios: readonly string[];
  readonly latency: boolean;
  readonly turns: boolean;
  /** Of the server. */
  readonly driver: string;
  /** The script of the server that is measured, and its arguments. */
  readonly server: string;
  readonly serverArgs: readonly string[];
  /** No further round begins after this moment. */
  readonly untilMs: number;
  readonly progress: (text: string) => void;
}

export const LATENCY_SCENARIO: Scenario = scenarioOf('static-1k');
export const TURNS_SCENARIO: Scenario = scenarioOf('hello');

/** Long enough for the compiler to optimize hot code; not counted. */
const WARM_UP_MS = 2_000;
/** In its first moments a window serves connections that were just opened. */
const WINDOW_WARM_UP_MS = 100;
/** All connections are opened within this, and none is closed before the last of it. */
const CONNECTING_MS = 250;

const NODE_FLAGS = [`--import=${perfScript('measure/watch.ts')}`];

interface MutableWindows<W> {
  readonly floors: W[];
  readonly servers: W[];
}

export async function measureGate(options: GateOptions): Promise<GateFigures> {
  const args = ['--driver', options.driver, ...options.serverArgs];
  const launch = { args, core: SERVER_CORE, nodeFlags: NODE_FLAGS };
  return new Measurement(options, await startServer(options.server, launch)).run();
}

class Measurement {
  readonly #options: GateOptions;
  readonly #server: ServerChild;
  /** Responses of the server since #heapBefore was read. */
  #requests = 0;
  /** Bytes of the heap after the first warm-up; -1 before. */
  #heapBefore = -1;
  #residentPeak = 0;

  constructor(options: GateOptions, server: ServerChild) {
    this.#options = options;
    this.#server = server;
  }

  async run(): Promise<GateFigures> {
    const { latency, scenarios, turns } = this.#options;
    const throughput: GateFigures['throughput'][number][] = [];
    for (const name of scenarios) {
      const scenario = scenarioOf(name);
      throughput.push({ scenario, ...(await this.#rates(scenario)) });
    }
    const latencies = latency ? await this.#latencies() : null;
    const pauses = turns ? await this.#turns() : null;
    await this.#readHeapOnce();
    const kept = (await this.#heapBytes()) - this.#heapBefore;
    await this.#server.stop();
    return {
      throughput,
      latency: latencies,
      turns: pauses,
      heapBytesPerRequest: kept / Math.max(1, this.#requests),
      residentBytes: this.#residentPeak,
    };
  }

  #rates(scenario: Scenario): Promise<Windows<RateWindow>> {
    const isEnough = (windows: Windows<RateWindow>): boolean =>
      quietRatios(windows).length >= COUNTED_WINDOWS_MIN &&
      (scenario.name !== 'hello' || countedRates(windows).length >= COUNTED_WINDOWS_MIN);
    const take = (child: ServerChild): Promise<RateWindow> => this.#rateWindow(child, scenario);
    const warmUp = (child: ServerChild): Promise<unknown> =>
      runPrepared(preparedLoad(scenario, child.port, { durationMs: WARM_UP_MS }));
    return this.#windows(scenario.name, scenario, warmUp, take, isEnough);
  }

  #latencies(): Promise<Windows<LatencyWindow>> {
    const isEnough = (windows: Windows<LatencyWindow>): boolean =>
      splitLatencies(windows).counted.length >= COUNTED_WINDOWS_MIN;
    const take = (child: ServerChild): Promise<LatencyWindow> => this.#latencyWindow(child);
    return this.#windows('latency', LATENCY_SCENARIO, take, take, isEnough);
  }

  #turns(): Promise<Windows<TurnWindow>> {
    const isEnough = (windows: Windows<TurnWindow>): boolean =>
      quietPauses(windows).length >= COUNTED_WINDOWS_MIN;
    const take = (child: ServerChild): Promise<TurnWindow> => this.#turnWindow(child);
    return this.#windows('turns', TURNS_SCENARIO, take, take, isEnough);
  }

  /** A window of the floor before and after each of the server; more rounds while too few count. */
  async #windows<W>(
    name: string,
    scenario: Scenario,
    warmUp: (child: ServerChild) => Promise<unknown>,
    take: (child: ServerChild) => Promise<W>,
    isEnough: (windows: Windows<W>) => boolean,
  ): Promise<Windows<W>> {
    const { progress, rounds, untilMs } = this.#options;
    const response = await probeScenario(this.#server.port, scenario);
    const floor = await startScenarioFloor(scenario, response, { nodeFlags: NODE_FLAGS });
    await warmUp(floor);
    await warmUp(this.#server);
    await this.#readHeapOnce();
    const windows: MutableWindows<W> = { floors: [await take(floor)], servers: [] };
    const needsMore = (): boolean => {
      const taken = windows.servers.length;
      if (taken < rounds) return true;
      return taken < 3 * rounds && !isEnough(windows) && performance.now() < untilMs;
    };
    while (needsMore()) {
      windows.servers.push(await take(this.#server));
      windows.floors.push(await take(floor));
      progress(`${name}: ${windows.servers.length} windows`);
    }
    await floor.stop();
    this.#residentPeak = Math.max(this.#residentPeak, residentBytes(this.#server.pid, 'peak'));
    return windows;
  }

  async #readHeapOnce(): Promise<void> {
    if (this.#heapBefore >= 0) return;
    this.#heapBefore = await this.#heapBytes();
    this.#requests = 0;
  }

  async #heapBytes(): Promise<number> {
    return (await this.#server.ask('heap')) as number;
  }

  #count(child: ServerChild, { responses }: LoadReport): void {
    if (child === this.#server) this.#requests += responses;
  }

  async #rateWindow(child: ServerChild, scenario: Scenario): Promise<RateWindow> {
    const durationMs = this.#options.seconds * 1000;
    await child.ask('begin');
    const before = workedMicroseconds(child.pid);
    const loadBefore = usedMicroseconds(process.pid);
    const coresBefore = [readCoreTicks(SERVER_CORE), readCoreTicks(LOAD_CORE)];
    const report = await runPrepared(preparedLoad(scenario, child.port, { durationMs }));
    const used = workedMicroseconds(child.pid) - before;
    const loadUsed = usedMicroseconds(process.pid) - loadBefore;
    const others = Math.max(
      othersShare(coresBefore[0], readCoreTicks(SERVER_CORE), used),
      othersShare(coresBefore[1], readCoreTicks(LOAD_CORE), loadUsed),
    );
    const { gcPausesMs } = (await child.ask('end')) as Watched;
    this.#count(child, report);
    return {
      rate: report.requestsPerSecond,
      microseconds: used / report.responses,
      loadShare: report.load.workShare,
      othersShare: others,
      failures: failuresOf(report),
      gcPauseMs: Math.max(0, ...gcPausesMs),
    };
  }

  async #latencyWindow(child: ServerChild): Promise<LatencyWindow> {
    const { seconds } = this.#options;
    await child.ask('begin with turns');
    const report = await runPrepared(
      preparedLoad(LATENCY_SCENARIO, child.port, {
        rate: LATENCY_RATE,
        warmUpMs: WINDOW_WARM_UP_MS,
        durationMs: seconds * 1000,
      }),
    );
    const { gcPausesMs, lateTurns } = (await child.ask('end')) as Watched;
    this.#count(child, report);
    const { percentiles } = report.latencyMs;
    return {
      p50Ms: percentiles['50'],
      p99Ms: percentiles['99'],
      p999Ms: percentiles['99.9'],
      lateTurns: lateTurns / (seconds + WINDOW_WARM_UP_MS / 1000),
      loadShare: report.load.workShare,
      failures: failuresOf(report),
      gcPauseMs: Math.max(0, ...gcPausesMs),
    };
  }

  /** Opening or closing all connections at once is work, not a pause, and is left out. */
  async #turnWindow(child: ServerChild): Promise<TurnWindow> {
    const seconds = Math.max(this.#options.seconds, TURNS_SECONDS_MIN);
    const durationMs = seconds * 1000 + 2 * CONNECTING_MS;
    const load = runPrepared(
      preparedLoad(TURNS_SCENARIO, child.port, { rate: TURNS_RATE, durationMs }),
    );
    await sleep(CONNECTING_MS);
    await child.ask('begin with turns');
    await sleep(seconds * 1000);
    const { busyTurns } = (await child.ask('end')) as Watched;
    const report = await load;
    this.#count(child, report);
    return {
      busyTurns: busyTurns / seconds,
      loadShare: report.load.workShare,
      failures: failuresOf(report),
    };
  }
}

/**
 * In an open loop on a machine that stalls, some requests may have no response when the window
 * ends: their latencies count, and they are no failures.
 */
function failuresOf({ responses, errorCount, errors, statuses }: LoadReport): number {
  let badStatuses = 0;
  for (const [status, count] of Object.entries(statuses)) {
    if (!status.startsWith('2')) badStatuses += count;
  }
  const outstanding = errors[LoadError.Unanswered] ?? 0;
  return responses === 0 ? 1 : badStatuses + errorCount - outstanding;
}
