// The child process for one mutant: runs seeds until one of them fails, and reports it. The parent
// kills a child that hangs.

import { register } from 'node:module';
import type { Patch } from './patch.ts';

/** A message to the parent: a seed begins, or the result. */
export interface ChildMessage {
  readonly seed: number;
  readonly caughtBy?: string;
  readonly message?: string;
}

function report(message: ChildMessage): void {
  process.send?.(message);
}

const patch = JSON.parse(process.argv[2]) as Patch;
const seeds = Number(process.argv[3]);
let seed = 0;

function end(caughtBy: string, message: string): void {
  report({ seed, caughtBy, message });
  process.disconnect?.();
  process.exit(0);
}

process.on('uncaughtException', (error) => end('crash', String(error)));
process.on('unhandledRejection', (error) => end('crash', String(error)));

register('./hook.js', import.meta.url, { data: patch });
const { hostileScenarioOf, scenarioOf } = await import('../run/scenario.ts');
const { simulate } = await import('../simulation/simulation.ts');
for (seed = 1; seed <= seeds; seed++) {
  report({ seed });
  const scenario = patch.hostile === true ? hostileScenarioOf(seed) : scenarioOf(seed);
  const { violation } = await simulate(scenario);
  if (violation !== null) end(violation.check, violation.message);
}
end('', '');
