// Measures scenarios one after another, each next to its floor, and writes their results.

import { scenarioOf } from '../catalog/scenarios.ts';
import { runFacts } from '../measure/machine.ts';
import { appendResults, type ResultLine } from '../measure/results.ts';
import { measureScenario } from '../measure/scenario.ts';
import { WindowLoad } from '../measure/window-load.ts';
import { SECOND_OPINION, secondOpinion } from './second-opinion.ts';

export interface AllOptions {
  readonly driver: string;
  readonly windows: number;
  readonly windowMs: number;
  readonly rates: readonly ('rate' | 'half')[];
}

export interface AllResults {
  readonly lines: readonly ResultLine[];
  readonly failed: readonly string[];
}

export async function measureAll(
  names: readonly string[],
  { driver, rates, windowMs, windows }: AllOptions,
): Promise<AllResults> {
  const common = { facts: runFacts(), driver, windows, windowMs };
  const load = await WindowLoad.start();
  const lines: ResultLine[] = [];
  const failed: string[] = [];
  for (const name of names) {
    const progress = (what: string): void => console.error(`${name}: ${what}`);
    try {
      const measured =
        name === SECOND_OPINION
          ? await secondOpinion({ ...common, progress })
          : await measureScenario(scenarioOf(name), { ...common, load, rates, progress });
      lines.push(...measured);
      // Written at once: an interrupted run keeps the scenarios that it finished.
      appendResults(measured);
    } catch (error) {
      failed.push(name);
      console.log(`${name}: NOT MEASURED: ${(error as Error).message.trim()}`);
    }
  }
  await load.stop();
  return { lines, failed };
}
