// What the server uses at low load: nothing while its connections are idle, and no more than nginx
// at a moderate rate; what a request costs at some rates, next to other servers.

import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER_CORE } from '../catalog/setup.ts';
import {
  IDLE_CORE_SHARE_MAX,
  IDLE_WAKE_UPS_MAX,
  NGINX_CPU_RATIO_MAX,
} from '../catalog/thresholds.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { startConnections } from '../measure/scenario-servers.ts';
import { WindowLoad } from '../measure/window-load.ts';
import { cell, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startNginx } from '../servers/nginx.ts';
import { peerProblem, startPeer } from '../servers/start-peer.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { wakeUps, workedMicroseconds } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';
import {
  costIn,
  LOADS,
  type LowRates,
  lowRatesTable,
  MANY_CONNECTIONS,
  measureLowRates,
  type RateOptions,
} from './low-load-rates.ts';

export const IDLE_CONNECTIONS = 1_000;
/** Some 8 s after the last request V8 collects its heap, once, for 50 ms. */
const SETTLE_MS = 12_000;
const START_SECONDS = 60;
/** The least time without load: wake-ups are few. */
const IDLE_SECONDS_MIN = 10;
/** Beside the drivers: nginx and, where it is installed, uWebSockets.js. */
const OTHERS = 2;

interface Idle {
  /** Of a core, 0 to 1. */
  readonly share: number;
  readonly wakeUps: number;
}

export function lowLoadSecondsMax(
  drivers: readonly string[],
  { rounds, seconds }: RateOptions,
): number {
  const servers = drivers.length + OTHERS;
  return START_SECONDS * 2 + servers * (LOADS + 1) * (rounds + 2) * (seconds + 10);
}

export async function measureLowLoad(
  drivers: readonly string[],
  options: RateOptions,
): Promise<readonly Threshold[]> {
  const idle = new Map<string, Idle>();
  const idleSeconds = Math.max(IDLE_SECONDS_MIN, options.seconds);
  for (const driver of drivers) {
    const figures = await attempt(driver, () => measureIdle(driver, idleSeconds));
    if (figures !== null) idle.set(driver, figures);
  }
  console.log(idleTable(idle));
  const rates = await measureRates(drivers, options);
  console.log(`\n${lowRatesTable(rates)}`);
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const figures = idle.get(driver);
    const share = figures?.share ?? Number.NaN;
    thresholds.push(...idleThresholds(driver, share, figures?.wakeUps ?? Number.NaN));
    if (!rates.many.has('nginx')) continue;
    const ratio = costIn(rates.many, driver) / costIn(rates.many, 'nginx');
    thresholds.push(costThreshold(driver, ratio));
  }
  return thresholds;
}

function idleTable(idle: ReadonlyMap<string, Idle>): string {
  const rows = [[`idle, ${IDLE_CONNECTIONS} connections`, 'share of a core', 'wake-ups/s']];
  for (const [name, { share, wakeUps: wakes }] of idle) {
    rows.push([name, `${(share * 100).toFixed(2)} %`, cell(wakes, 1)]);
  }
  return tableText(rows);
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
  const usedBefore = workedMicroseconds(server.pid);
  const wakesBefore = wakeUps(server.pid);
  const beganMs = performance.now();
  await sleep(seconds * 1000);
  const elapsedMs = performance.now() - beganMs;
  const figures = {
    share: (workedMicroseconds(server.pid) - usedBefore) / 1000 / elapsedMs,
    wakeUps: ((wakeUps(server.pid) - wakesBefore) * 1000) / elapsedMs,
  };
  await idle.stop();
  await server.stop();
  return figures;
}

function keepAliveFor(seconds: number): readonly string[] {
  return [`keepAliveTimeoutMs=${seconds * 1000}`];
}

/** All servers that run here; those that do not are left out with a line. */
async function measureRates(drivers: readonly string[], options: RateOptions): Promise<LowRates> {
  const servers = new Map<string, ServerChild>();
  const keepSeconds = lowLoadSecondsMax(drivers, options);
  const settings = keepAliveFor(keepSeconds);
  const start = async (name: string, act: () => Promise<ServerChild>): Promise<void> => {
    const server = await attempt(name, act);
    if (server !== null) servers.set(name, server);
  };
  const load = await WindowLoad.start();
  for (const driver of drivers) await start(driver, () => startVibing(driver, { settings }));
  // Those of the window before may not be closed yet.
  await start('nginx', () => startNginx(SERVER_CORE, 2 * MANY_CONNECTIONS));
  await start('uWebSockets.js', async () => {
    const problem = peerProblem('uws');
    if (problem !== null) throw new Error(problem);
    return startPeer('uws');
  });
  try {
    return await measureLowRates(servers, load, options);
  } finally {
    await load.stop();
    for (const server of servers.values()) await server.stop();
  }
}
