// One scenario: windows of the server between windows of its floor, as fast as it goes and at rates
// of our own.

import type { ServerChild } from './child-process.ts';
import { median } from './pairs.ts';
import { halfOf, resultLine } from './result-lines.ts';
import type { ResultLine, RunFacts } from './results.ts';
import { askAll, startIdle, startScenarioFloor, startScenarioServer } from './scenario-servers.ts';
import type { Scenario } from '../catalog/scenarios.ts';
import { type WindowFigures, type WindowLoad, windowsInTurn } from './window-load.ts';

/** Long enough for the code to be compiled well; not counted. */
const SERVER_WARM_UP_MS = 1_000;
const FLOOR_WARM_UP_MS = 400;
export const FIXED_RATE = 10_000;
/** A rate nearer to the most than this is no rate at which anything is at ease. */
const EASE = 0.8;

export interface MeasureOptions {
  readonly load: WindowLoad;
  readonly facts: RunFacts;
  readonly driver: string;
  readonly windows: number;
  readonly windowMs: number;
  /** Which loads besides the full one, where the scenario wants any. */
  readonly rates: readonly ('rate' | 'half')[];
  /** Told before each load. */
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
    const response = await askAll(server.port, scenario);
    const floor = keep(await startScenarioFloor(scenario, response));
    for (const one of [server, floor]) keep(await startIdle(scenario, one));
    const run = (child: ServerChild, windowMs: number, rate: number): Promise<WindowFigures> =>
      options.load.run(child, scenario.name, { windowMs, rate });
    // What goes wrong here goes wrong in what counts as well, or was nothing but a slow start.
    await run(floor, FLOOR_WARM_UP_MS, 0).catch(() => undefined);
    await run(server, SERVER_WARM_UP_MS, 0).catch(() => undefined);
    const lines = await measureLoads(scenario, options, server, floor, run);
    await askAll(server.port, scenario);
    return lines;
  } finally {
    for (const child of started.reverse()) await child.stop().catch(() => undefined);
  }
}

type Run = (child: ServerChild, windowMs: number, rate: number) => Promise<WindowFigures>;

async function measureLoads(
  scenario: Scenario,
  options: MeasureOptions,
  server: ServerChild,
  floor: ServerChild,
  run: Run,
): Promise<readonly ResultLine[]> {
  const { facts, progress, windowMs } = options;
  const lines: ResultLine[] = [];
  const measure = async (load: ResultLine['load'], rate: number): Promise<void> => {
    progress(rate === 0 ? 'as fast as it goes' : `${rate} requests/s`);
    const all = await windowsInTurn([floor, server], options.windows, (child) =>
      run(child, windowMs, rate),
    );
    const windows = all.get(server) ?? [];
    const floors = all.get(floor) ?? [];
    const driver = options.driver === 'auto' ? (server.line.split(' ')[1] ?? '') : options.driver;
    const common = { kind: 'perf', facts, scenario, server: 'vibing', driver, windowMs } as const;
    lines.push(resultLine({ ...common, load, askedRate: rate, windows, floors }));
    if (load !== 'full' || !scenario.atRates) return;
    const most = median(windows.map((window) => window.rate));
    for (const next of options.rates) {
      const asked = next === 'half' ? halfOf(windows) : FIXED_RATE;
      if (next === 'half' || asked <= EASE * most) await measure(next, asked);
    }
  };
  await measure('full', 0);
  return lines;
}
