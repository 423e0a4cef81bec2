// A process of its own for one mutant: runs seeds until one of them fails, and says which. The
// parent ends it when a mutant turns in a circle.

import { register } from 'node:module';
import type { Patch } from './patch.ts';

/** What the parent hears: a seed begins, or the end. */
export interface Told {
  readonly seed: number;
  readonly caughtBy?: string;
  readonly message?: string;
}

function tell(told: Told): void {
  process.send?.(told);
}

const patch = JSON.parse(process.argv[2]) as Patch;
const seeds = Number(process.argv[3]);
let seed = 0;

function end(caughtBy: string, message: string): void {
  tell({ seed, caughtBy, message });
  process.disconnect?.();
  process.exit(0);
}

process.on('uncaughtException', (error) => end('crash', String(error)));
process.on('unhandledRejection', (error) => end('crash', String(error)));

register('./hook.js', import.meta.url, { data: patch });
const { hostileScenarioOf, scenarioOf } = await import('../run/scenario.ts');
const { simulate } = await import('../simulation/simulation.ts');
for (seed = 1; seed <= seeds; seed++) {
  tell({ seed });
  const scenario = patch.hostile === true ? hostileScenarioOf(seed) : scenarioOf(seed);
  const { violation } = await simulate(scenario);
  if (violation !== null) end(violation.check, violation.message);
}
end('', '');
