// Measures one scenario: windows of the server between windows of its floor, as fast as possible
// and at fixed rates.

import type { Scenario } from '../catalog/scenarios.ts';
import type { ProbedResponse } from '../load/probe.ts';
import { driverOf } from '../servers/start-vibing.ts';
import type { ServerChild } from './child-process.ts';
import { startFloorInC } from './floor-in-c.ts';
import { median } from './pairs.ts';
import { halfOf, resultLine } from './result-lines.ts';
import type { ResultLine, RunFacts } from './results.ts';
import {
  descriptorsFor,
  probeScenario,
  startIdle,
  startScenarioFloor,
  startScenarioServer,
} from './scenario-servers.ts';
import { type WindowFigures, type WindowLoad, windowsInTurn } from './window-load.ts';

/** Long enough for the compiler to optimize hot code; not counted. */
const SERVER_WARM_UP_MS = 1_000;
const FLOOR_WARM_UP_MS = 400;
export const FIXED_RATE = 10_000;
/** The fixed rate is left out when it is above this share of the maximum. */
const FIXED_RATE_SHARE_MAX = 0.8;

export interface MeasureOptions {
  readonly load: WindowLoad;
  readonly facts: RunFacts;
  readonly driver: string;
  readonly windows: number;
  readonly windowMs: number;
  /** Which loads besides the full one, where the scenario has any. */
  readonly rates: readonly ('rate' | 'half')[];
  /** Called before each load. */
  progress(what: string): void;
}

/** A line for each load. */
export async function measureScenario(
  scenario: Scenario,
  options: MeasureOptions,
): Promise<readonly ResultLine[]> {
  const started: ServerChild[] = [];
  const keep = <T extends ServerChild | null>(child: T): T => {
    if (child !== null) started.push(child);
    return child;
  };
  try {
    const server = keep(await startScenarioServer(scenario, options.driver));
    const response = await probeScenario(server.port, scenario);
    const floor = keep(await startScenarioFloor(scenario, response));
    const inC = keep(await floorInCOrNull(scenario, response, options));
    const all = inC === null ? [floor, server] : [floor, server, inC];
    for (const one of all) keep(await startIdle(scenario, one));
    const run = (child: ServerChild, windowMs: number, rate: number): Promise<WindowFigures> =>
      options.load.run(child, scenario.name, { windowMs, rate });
    // A failure during warm-up is ignored: a persistent one fails the counted windows as well.
    await run(floor, FLOOR_WARM_UP_MS, 0).catch(() => undefined);
    await run(server, SERVER_WARM_UP_MS, 0).catch(() => undefined);
    const lines = await measureLoads(scenario, options, { server, floor, inC }, run);
    await probeScenario(server.port, scenario);
    return lines;
  } finally {
    for (const child of started.reverse()) await child.stop().catch(() => undefined);
  }
}

/** Null, with the reason printed, where it cannot run. */
async function floorInCOrNull(
  scenario: Scenario,
  response: ProbedResponse,
  { progress }: MeasureOptions,
): Promise<ServerChild | null> {
  try {
    return await startFloorInC(scenario, response, descriptorsFor(scenario));
  } catch (error) {
    progress(`without the floor in C: ${(error as Error).message}`);
    return null;
  }
}

interface Measured {
  readonly server: ServerChild;
  readonly floor: ServerChild;
  readonly inC: ServerChild | null;
}

type Run = (child: ServerChild, windowMs: number, rate: number) => Promise<WindowFigures>;

async function measureLoads(
  scenario: Scenario,
  options: MeasureOptions,
  { floor, inC, server }: Measured,
  run: Run,
): Promise<readonly ResultLine[]> {
  const { facts, progress, windowMs } = options;
  const driver = driverOf(server);
  const lines: ResultLine[] = [];
  const measure = async (load: ResultLine['load'], rate: number): Promise<void> => {
    progress(rate === 0 ? 'as fast as possible' : `${rate} requests/s`);
    const children = inC === null ? [floor, server] : [floor, server, inC];
    const all = await windowsInTurn(children, options.windows, (child) =>
      run(child, windowMs, rate),
    );
    const windows = all.get(server) ?? [];
    const floors = all.get(floor) ?? [];
    const floorsInC = inC === null ? [] : (all.get(inC) ?? []);
    const common = { kind: 'perf', facts, scenario, server: 'vibing', driver, windowMs } as const;
    lines.push(resultLine({ ...common, load, askedRate: rate, windows, floors, floorsInC }));
    if (load !== 'full' || !scenario.atRates) return;
    const most = median(windows.map((window) => window.rate));
    for (const next of options.rates) {
      const fixedRate = next === 'half' ? halfOf(windows) : FIXED_RATE;
      if (next === 'half' || fixedRate <= FIXED_RATE_SHARE_MAX * most) {
        await measure(next, fixedRate);
      }
    }
  };
  await measure('full', 0);
  return lines;
}
