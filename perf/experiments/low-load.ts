// What the server uses at low load: nothing while its connections are idle, and no more than nginx
// at a moderate rate.

import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_CORE } from '../catalog/setup.ts';
import {
  IDLE_CORE_SHARE_MAX,
  IDLE_WAKE_UPS_MAX,
  NGINX_CPU_RATIO_MAX,
} from '../catalog/thresholds.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { median } from '../measure/pairs.ts';
import { startConnections } from '../measure/scenario-servers.ts';
import { WindowLoad } from '../measure/window-load.ts';
import { cell, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startNginx } from '../servers/nginx.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { usedMicroseconds, wakeUps } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';

export const IDLE_CONNECTIONS = 1_000;
/** hello on LOAD_CONNECTIONS connections. */
const SCENARIO = 'connections-1024';
export const LOAD_CONNECTIONS = 1_024;
export const RATE = 10_000;
/** Some 8 s after the last request V8 collects its heap, once, for 50 ms. */
const SETTLE_MS = 12_000;
const START_SECONDS = 60;

export interface LowLoadOptions {
  readonly rounds: number;
  readonly seconds: number;
}

interface Idle {
  /** Of a core, 0 to 1. */
  readonly share: number;
  readonly wakeUps: number;
}

const NOT_MEASURED: Idle = { share: Number.NaN, wakeUps: Number.NaN };

export function lowLoadSecondsMax(
  drivers: readonly string[],
  { rounds, seconds }: LowLoadOptions,
): number {
  return START_SECONDS * 2 + (drivers.length + 1) * (rounds + 2) * (seconds + 10);
}

export async function measureLowLoad(
  drivers: readonly string[],
  options: LowLoadOptions,
): Promise<readonly Threshold[]> {
  const idle = new Map<string, Idle>();
  for (const driver of drivers) {
    const figures = await attempt(driver, () => measureIdle(driver, options.seconds));
    if (figures !== null) idle.set(driver, figures);
  }
  const costs = await measureLoad(drivers, options);
  const nginx = costs.get('nginx') ?? Number.NaN;
  const rows = [['', 'idle: share of a core', 'wake-ups/s', 'loaded: us CPU', 'to nginx']];
  const thresholds: Threshold[] = [];
  for (const name of [...drivers, 'nginx']) {
    const { share, wakeUps: wakes } = idle.get(name) ?? NOT_MEASURED;
    const cost = costs.get(name) ?? Number.NaN;
    const percent = Number.isNaN(share) ? '-' : `${(share * 100).toFixed(2)} %`;
    rows.push([name, percent, cell(wakes, 1), cell(cost, 2), cell(cost / nginx, 3)]);
    if (name === 'nginx') continue;
    thresholds.push(...idleThresholds(name, share, wakes));
    if (costs.has('nginx')) thresholds.push(costThreshold(name, cost / nginx));
  }
  console.log(tableText(rows));
  return thresholds;
}

function idleThresholds(driver: string, share: number, wakes: number): readonly Threshold[] {
  return [
    {
      name: `${driver}, idle: % of a core`,
      value: share * 100,
      is: 'less than',
      bound: IDLE_CORE_SHARE_MAX * 100,
      digits: 2,
    },
    {
      name: `${driver}, idle: wake-ups a second`,
      value: wakes,
      is: 'less than',
      bound: IDLE_WAKE_UPS_MAX,
      digits: 1,
    },
  ];
}

function costThreshold(driver: string, value: number): Threshold {
  const name = `${driver}: processor time for a request, to nginx`;
  return { name, value, is: 'at most', bound: NGINX_CPU_RATIO_MAX, digits: 3 };
}

async function measureIdle(driver: string, seconds: number): Promise<Idle> {
  const server = await startVibing(driver, { settings: keepAliveFor(seconds + START_SECONDS) });
  const idle = await startConnections(server, 'idle', IDLE_CONNECTIONS);
  // By then V8 has collected and compiled what the requests left.
  await sleep(SETTLE_MS);
  const usedBefore = usedMicroseconds(server.pid);
  const wakesBefore = wakeUps(server.pid);
  const beganMs = performance.now();
  await sleep(seconds * 1000);
  const elapsedMs = performance.now() - beganMs;
  const figures = {
    share: (usedMicroseconds(server.pid) - usedBefore) / 1000 / elapsedMs,
    wakeUps: ((wakeUps(server.pid) - wakesBefore) * 1000) / elapsedMs,
  };
  await idle.stop();
  await server.stop();
  return figures;
}

function keepAliveFor(seconds: number): readonly string[] {
  return [`keepAliveTimeoutMs=${seconds * 1000}`];
}

interface Measured {
  readonly server: ServerChild;
  readonly costs: number[];
}

/** Microseconds for a request, by name. All servers are up; one at a time has load. */
async function measureLoad(
  drivers: readonly string[],
  { rounds, seconds }: LowLoadOptions,
): Promise<ReadonlyMap<string, number>> {
  const all = new Map<string, Measured>();
  const load = await WindowLoad.start();
  const keepSeconds = (drivers.length + 1) * (rounds + 1) * (seconds + 10) + START_SECONDS;
  const settings = keepAliveFor(keepSeconds);
  for (const name of [...drivers, 'nginx']) {
    const server = await attempt(name, () =>
      name === 'nginx'
        ? startNginx(SERVER_CORE, LOAD_CONNECTIONS)
        : startVibing(name, { settings }),
    );
    if (server !== null) all.set(name, { server, costs: [] });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const [name, { server, costs }] of all) {
      const window = { windowMs: seconds * 1000, rate: RATE };
      const { cpuUs, outstanding } = await load.run(server, SCENARIO, window);
      if (outstanding > 0) throw new Error(`${name}: ${outstanding} requests had no response`);
      // The first window is warm-up.
      if (round > 0) costs.push(cpuUs);
    }
  }
  await load.stop();
  for (const { server } of all.values()) await server.stop();
  return new Map([...all].map(([name, { costs }]) => [name, median(costs)]));
}
