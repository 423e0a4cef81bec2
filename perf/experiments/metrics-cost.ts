// What metrics cost: two servers of ours on one core, one with metrics and one without, loaded in
// turn; and the time of the reactor's thread that a large response to a scraper takes.

import { Agent, get } from 'node:http';
import { scenarioOf } from '../catalog/scenarios.ts';
import { LINUX_DRIVERS } from '../catalog/setup.ts';
import {
  METRICS_RATIO_MIN,
  SCRAPE_MS_MAX,
  SCRAPE_PLAIN_MS_MAX,
  SCRAPE_ROUTES,
} from '../catalog/thresholds.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { median } from '../measure/pairs.ts';
import { connectionSettings, probeScenario } from '../measure/scenario-servers.ts';
import { type WindowFigures, WindowLoad, windowsInTurn } from '../measure/window-load.ts';
import { cell, shareText, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { threadMilliseconds } from '../system/process-figures.ts';

/** Long enough for the compiler to optimize hot code; not counted. */
const WARM_UP_MS = 1_500;
const SCRAPES = 7;

export interface MetricsCostOptions {
  readonly drivers: readonly string[];
  readonly scenarios: readonly string[];
  /** How often both servers are started; the order changes each time. */
  readonly starts: number;
  /** Windows of the server that was started second, for each start. */
  readonly windows: number;
  readonly seconds: number;
}

/** By rate and by processor time for a request: above 1 metrics cost less than nothing. */
export interface CostRatios {
  readonly rate: number;
  readonly cpu: number;
}

export async function measureMetricsCost(
  options: MetricsCostOptions,
): Promise<readonly Threshold[]> {
  const { drivers, scenarios, seconds, starts, windows } = options;
  const each = `${windows} windows of ${seconds} s each`;
  console.log(`${starts} starts of both servers, in alternating order, ${each}\n`);
  const rows = [['scenario', 'driver', 'rate', 'CPU', 'least', 'most', 'others']];
  const thresholds: Threshold[] = [];
  const load = await WindowLoad.start();
  try {
    for (const driver of drivers) {
      for (const scenario of scenarios) {
        const { all, othersShare } = await compare(load, driver, scenario, options);
        const rate = median(all.map((each) => each.rate));
        const cpu = median(all.map((each) => each.cpu));
        const rates = all.map((each) => each.rate);
        const ends = [Math.min(...rates), Math.max(...rates)].map((end) => cell(end, 3));
        rows.push([
          ...[scenario, driver, cell(rate, 3), cell(cpu, 3), ...ends],
          shareText(othersShare),
        ]);
        const name = `${scenario} on ${driver}, with metrics to without`;
        const common = { is: 'at least', bound: METRICS_RATIO_MIN, digits: 3 } as const;
        thresholds.push({ ...common, name: `${name}, by rate`, value: rate });
        thresholds.push({ ...common, name: `${name}, by processor time`, value: cpu });
      }
    }
  } finally {
    await load.stop();
  }
  console.log(tableText(rows));
  return thresholds;
}

async function compare(
  load: WindowLoad,
  driver: string,
  name: string,
  { seconds, starts, windows }: MetricsCostOptions,
): Promise<{ readonly all: readonly CostRatios[]; readonly othersShare: number }> {
  const scenario = scenarioOf(name);
  const all: CostRatios[] = [];
  const others: number[] = [];
  for (let start = 0; start < starts; start++) {
    const isMeteredFirst = start % 2 === 1;
    const servers: ServerChild[] = [];
    try {
      for (const metrics of [isMeteredFirst, !isMeteredFirst]) {
        const settings = connectionSettings(scenario);
        servers.push(await startVibing(driver, { settings, metrics }));
      }
      const run = (child: ServerChild, windowMs: number): Promise<WindowFigures> =>
        load.run(child, name, { windowMs, rate: 0 });
      for (const server of servers) {
        await probeScenario(server.port, scenario);
        await run(server, WARM_UP_MS);
      }
      const found = await windowsInTurn(servers, windows, (child) => run(child, 1_000 * seconds));
      const [first, second] = servers.map((server) => found.get(server) ?? []);
      all.push(...costRatios(first, second, isMeteredFirst));
      others.push(...[...first, ...second].map(({ othersShare }) => othersShare));
    } finally {
      for (const server of servers) await server.stop();
    }
  }
  return { all, othersShare: median(others) };
}

/** Each window of the second server with those of the first before and behind it. */
export function costRatios(
  first: readonly Pick<WindowFigures, 'rate' | 'cpuUs'>[],
  second: readonly Pick<WindowFigures, 'rate' | 'cpuUs'>[],
  isMeteredFirst: boolean,
): readonly CostRatios[] {
  if (first.length !== second.length + 1) throw new Error('the first server has one window more');
  return second.map((window, index) => {
    const around = [first[index], first[index + 1]];
    const rate = (around[0].rate + around[1].rate) / 2;
    const cpuUs = (around[0].cpuUs + around[1].cpuUs) / 2;
    const ofSecond = { rate: window.rate / rate, cpu: cpuUs / window.cpuUs };
    if (!isMeteredFirst) return ofSecond;
    return { rate: 1 / ofSecond.rate, cpu: 1 / ofSecond.cpu };
  });
}

/** The time of the reactor's thread for a response with all series of many routes. */
export async function measureScrapes(
  drivers: readonly string[] = LINUX_DRIVERS,
): Promise<readonly Threshold[]> {
  const pairs = 5 * SCRAPE_ROUTES;
  console.log(`\nresponses with ${pairs} pairs of route and method, of which each had a request\n`);
  const rows = [['driver', 'coding', 'bytes', 'ms of the reactor', 'ms until it is there']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const server = await startVibing(driver, { metrics: true, routes: SCRAPE_ROUTES });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        for (let route = 0; route < SCRAPE_ROUTES; route++) {
          await bytesFrom(server, agent, `/area${route}/things/7`, method, 'identity');
        }
      }
      for (const coding of ['gzip', 'identity']) {
        const { bytes, reactorMs, wallMs } = await scrapes(server, agent, coding);
        rows.push([driver, coding, String(bytes), cell(reactorMs, 1), cell(wallMs, 0)]);
        thresholds.push({
          name: `${pairs} pairs on ${driver}, ${coding}: ms of the reactor for a response`,
          value: reactorMs,
          is: 'at most',
          bound: coding === 'gzip' ? SCRAPE_MS_MAX : SCRAPE_PLAIN_MS_MAX,
          digits: 1,
        });
      }
    } finally {
      agent.destroy();
      await server.stop();
    }
  }
  console.log(tableText(rows));
  return thresholds;
}

interface ScrapeFigures {
  readonly bytes: number;
  readonly reactorMs: number;
  readonly wallMs: number;
}

/** Medians; the first response, for which the thread starts, is not among them. */
async function scrapes(server: ServerChild, agent: Agent, coding: string): Promise<ScrapeFigures> {
  const all: ScrapeFigures[] = [];
  for (let count = 0; count <= SCRAPES; count++) {
    const beganMs = performance.now();
    const usedMs = threadMilliseconds(server.pid);
    const bytes = await bytesFrom(server, agent, '/metrics', 'GET', coding);
    const reactorMs = threadMilliseconds(server.pid) - usedMs;
    if (count > 0) all.push({ bytes, reactorMs, wallMs: performance.now() - beganMs });
  }
  return {
    bytes: median(all.map(({ bytes }) => bytes)),
    reactorMs: median(all.map(({ reactorMs }) => reactorMs)),
    wallMs: median(all.map(({ wallMs }) => wallMs)),
  };
}

/** The length of the content of a response. */
function bytesFrom(
  { port }: ServerChild,
  agent: Agent,
  path: string,
  method: string,
  coding: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': coding };
    const request = get({ host: '127.0.0.1', port, path, method, agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new Error(`${method} ${path}: status ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}
