// Measures one application of hono on this server, on @hono/node-server and on Bun, with windows in
// turn on one core.

import { existsSync } from 'node:fs';
import { scenarioOf } from '../catalog/scenarios.ts';
import { SERVER_CORE } from '../catalog/setup.ts';
import { FETCH_RATIO_MIN } from '../catalog/thresholds.ts';
import { type ServerChild, startServer } from '../measure/child-process.ts';
import { packageFolder } from '../measure/packages.ts';
import { median } from '../measure/pairs.ts';
import { probeScenario } from '../measure/scenario-servers.ts';
import { type WindowFigures, WindowLoad, windowsInTurn } from '../measure/window-load.ts';
import { cell, countText, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startBun } from '../servers/start-peer.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { attempt } from './attempt.ts';

const WARM_UP_MS = 700;
const PEERS_PACKAGE = `${packageFolder('peers')}/package.json`;
const NODE_SERVER = `${packageFolder('peers')}/node_modules/@hono/node-server/package.json`;

export const FETCH_SCENARIOS = ['hello', 'json'] as const;

/** In the order of the table. */
const SERVERS = {
  lean: 'hono on Vibing, lean Response',
  native: "hono on Vibing, Node's Response",
  'node-server': 'hono on @hono/node-server',
  bun: 'hono on Bun',
  vibing: 'Vibing without hono',
} as const;
type ServerName = keyof typeof SERVERS;

export interface FetchOptions {
  readonly driver: string;
  readonly rounds: number;
  readonly seconds: number;
}

type Rates = ReadonlyMap<ServerName, readonly number[]>;

/** Prints a table for each scenario; returns the thresholds of the first. */
export async function measureFetch({
  driver,
  rounds,
  seconds,
}: FetchOptions): Promise<readonly Threshold[]> {
  const running = await startAll(driver);
  const load = await WindowLoad.start();
  const all: Rates[] = [];
  for (const name of FETCH_SCENARIOS) {
    const figures = await measure(name, { load, running, rounds, windowMs: seconds * 1000 });
    console.log(`${name}: ${scenarioOf(name).about}\n${table(figures)}\n`);
    all.push(ratesOf(figures, rounds));
  }
  await load.stop();
  for (const child of running.values()) await child.stop();
  return FETCH_RATIO_MIN.map(([other, bound]) => ({
    name: `${SERVERS.lean} to ${SERVERS[other]}`,
    value: ratio(all[0], 'lean', other),
    is: 'at least',
    bound,
    digits: 2,
  }));
}

async function startAll(driver: string): Promise<ReadonlyMap<ServerName, ServerChild>> {
  const core = SERVER_CORE;
  const script = 'servers/hono-vibing.ts';
  const starts: Readonly<Record<ServerName, () => Promise<ServerChild>>> = {
    lean: () => startServer(script, { core, args: [driver, 'lean'] }),
    native: () => startServer(script, { core, args: [driver] }),
    'node-server': () => {
      if (!existsSync(NODE_SERVER)) {
        throw new Error('it is not installed: npm ci --prefix perf/packages/peers');
      }
      return startServer('servers/hono-node.ts', { core, args: [PEERS_PACKAGE] });
    },
    bun: () => startBun('servers/hono-bun.ts'),
    vibing: () => startVibing(driver),
  };
  const running = new Map<ServerName, ServerChild>();
  for (const name of Object.keys(SERVERS) as ServerName[]) {
    const child = await attempt(SERVERS[name], async () => starts[name]());
    if (child !== null) running.set(name, child);
  }
  return running;
}

interface MeasureOptions {
  readonly load: WindowLoad;
  readonly running: ReadonlyMap<ServerName, ServerChild>;
  readonly rounds: number;
  readonly windowMs: number;
}

type Figures = ReadonlyMap<ServerName, readonly WindowFigures[]>;

async function measure(
  scenario: string,
  { load, running, rounds, windowMs }: MeasureOptions,
): Promise<Figures> {
  const children = new Map<ServerName, ServerChild>();
  for (const [name, child] of running) {
    const probed = await attempt(SERVERS[name], () =>
      probeScenario(child.port, scenarioOf(scenario)),
    );
    if (probed !== null) children.set(name, child);
  }
  const run = (name: ServerName, ms: number): Promise<WindowFigures> =>
    load.run(children.get(name) as ServerChild, scenario, { windowMs: ms, rate: 0 });
  const order = [...children.keys()];
  for (const name of order) await run(name, WARM_UP_MS);
  return windowsInTurn(order, rounds, (name) => run(name, windowMs));
}

function ratesOf(figures: Figures, rounds: number): Rates {
  return new Map(
    [...figures].map(([name, windows]) => [name, windows.slice(0, rounds).map(({ rate }) => rate)]),
  );
}

/** The median ratio of rates within each round; NaN when one of the two did not run. */
function ratio(rates: Rates | undefined, name: ServerName, other: ServerName): number {
  const own = rates?.get(name) ?? [];
  const others = rates?.get(other) ?? [];
  const rounds = Math.min(own.length, others.length);
  if (rounds === 0) return Number.NaN;
  return median(own.slice(0, rounds).map((rate, round) => rate / others[round]));
}

function table(figures: Figures): string {
  const rates = ratesOf(figures, Number.POSITIVE_INFINITY);
  const rows = [['', 'requests/s', 'to node-server', 'to Bun', 'us CPU']];
  for (const [name, windows] of figures) {
    const ratios = (['node-server', 'bun'] as const).map((other) =>
      cell(ratio(rates, name, other), 2),
    );
    const us = median(windows.map(({ cpuUs }) => cpuUs));
    rows.push([SERVERS[name], countText(median(rates.get(name) ?? [])), ...ratios, cell(us, 2)]);
  }
  return tableText(rows);
}
