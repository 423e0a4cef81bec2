// What a request costs at low rates: a thousand a second, ten thousand over many connections, and
// half of what the slowest server can do, there with latencies. All servers are up; one at a time
// has load.

import { scenarioOf } from '../catalog/scenarios.ts';
import { CONNECTIONS } from '../catalog/setup.ts';
import type { ServerChild } from '../measure/child-process.ts';
import { medianLatencies } from '../measure/latencies.ts';
import { median } from '../measure/pairs.ts';
import type { Latencies } from '../measure/results.ts';
import type { WindowFigures, WindowLoad } from '../measure/window-load.ts';
import { cell, countText, tableText } from '../runner/table.ts';

export const LOW_RATE = 1_000;
export const MANY_RATE = 10_000;
/** hello on so many connections. */
const MANY_SCENARIO = 'connections-1024';
export const MANY_CONNECTIONS: number = scenarioOf(MANY_SCENARIO).connections;
const SCENARIO = 'hello';
/** For the rate that a server reaches. */
const FULL_MS = 1_000;

export interface RateOptions {
  readonly rounds: number;
  readonly seconds: number;
}

export interface RateFigures {
  /** Of the server's core, in microseconds. */
  readonly cost: number;
  readonly latencyMs: Latencies;
}

/** By name of the server; only servers that ran. */
export interface LowRates {
  readonly low: ReadonlyMap<string, RateFigures>;
  readonly many: ReadonlyMap<string, RateFigures>;
  readonly half: ReadonlyMap<string, RateFigures>;
  /** Requests a second of `half`, the same for all. */
  readonly halfRate: number;
}

type Servers = ReadonlyMap<string, ServerChild>;

/** Windows of each load, for one server: the first of each is warm-up. */
export const LOADS = 3;

export async function measureLowRates(
  servers: Servers,
  load: WindowLoad,
  options: RateOptions,
): Promise<LowRates> {
  const at = (scenario: string, rate: number): Promise<ReadonlyMap<string, RateFigures>> =>
    measureRate(servers, load, scenario, rate, options);
  const low = await at(SCENARIO, LOW_RATE);
  const many = await at(MANY_SCENARIO, MANY_RATE);
  const halfRate = await halfOfSlowest(servers, load, options.rounds);
  return { low, many, half: await at(SCENARIO, halfRate), halfRate };
}

async function measureRate(
  servers: Servers,
  load: WindowLoad,
  scenario: string,
  rate: number,
  { rounds, seconds }: RateOptions,
): Promise<ReadonlyMap<string, RateFigures>> {
  const all = new Map<string, WindowFigures[]>([...servers.keys()].map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, server] of servers) {
      const window = await load
        .run(server, scenario, { windowMs: seconds * 1000, rate })
        .catch((error: Error) => {
          throw new Error(`${name} at ${rate} requests/s: ${error.message}`);
        });
      const { outstanding } = window;
      if (outstanding > 0) throw new Error(`${name}: ${outstanding} requests had no response`);
      // The first window is warm-up.
      if (round > 0) all.get(name)?.push(window);
    }
  }
  return new Map([...all].map(([name, windows]) => [name, figuresOf(windows)]));
}

function figuresOf(windows: readonly WindowFigures[]): RateFigures {
  return {
    cost: median(windows.map(({ cpuUs }) => cpuUs)),
    latencyMs: medianLatencies(windows.map(({ latencyMs }) => latencyMs)),
  };
}

/** Half of the median rate that the slowest server reaches, so that none is overloaded. */
async function halfOfSlowest(servers: Servers, load: WindowLoad, rounds: number): Promise<number> {
  const rates = new Map<string, number[]>([...servers.keys()].map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, server] of servers) {
      const { rate } = await load.run(server, SCENARIO, { windowMs: FULL_MS, rate: 0 });
      if (round > 0) rates.get(name)?.push(rate);
    }
  }
  const slowest = Math.min(...[...rates.values()].map((all) => median(all)));
  return Math.max(1, Math.round(slowest / 2));
}

/** One row for each server; `to nginx` are ratios of processor time, where less is better. */
export function lowRatesTable({ half, halfRate, low, many }: LowRates): string {
  const rows = [
    [
      'us CPU for a request at',
      `${countText(LOW_RATE)}/s`,
      'to nginx',
      `${countText(MANY_RATE)}/s, ${countText(MANY_CONNECTIONS)} conn.`,
      'to nginx',
      `half: ${countText(halfRate)}/s`,
      'to nginx',
      'P99 ms',
      'P99.9 ms',
    ],
  ];
  for (const name of low.keys()) {
    const latencyMs = half.get(name)?.latencyMs ?? {};
    rows.push([
      name,
      ...[low, many, half].flatMap((figures) => [
        cell(costIn(figures, name), 2),
        cell(costIn(figures, name) / costIn(figures, 'nginx'), 3),
      ]),
      cell(latencyMs['99'] ?? Number.NaN, 3),
      cell(latencyMs['99.9'] ?? Number.NaN, 3),
    ]);
  }
  const where = `${CONNECTIONS} connections where no other number is given; open loop`;
  return `${tableText(rows)}\n${where}; half is half of what the slowest of them reaches`;
}

/** NaN when the server did not run. */
export function costIn(figures: ReadonlyMap<string, RateFigures>, name: string): number {
  return figures.get(name)?.cost ?? Number.NaN;
}
