// Takes a CPU profile of the server with V8's profiler, for some seconds in the middle of a load.

import { setTimeout as sleep } from 'node:timers/promises';
import { runScenario } from '../load/run-scenario.ts';
import { perfScript } from '../measure/child-process.ts';
import { startVibing } from '../servers/start-vibing.ts';

/** Long enough for the compiler to optimize hot code. */
const WARM_UP_SECONDS = 3;
/** The load begins this much before the profile, and ends this much after it. */
const MARGIN_SECONDS = 1;
/**
 * Code that was optimized before the profiler starts keeps the positions of inlined functions,
 * which would otherwise count as their callers.
 */
const NODE_FLAGS = [`--import=${perfScript('profile/profiler.ts')}`, '--detailed-line-info'];

/** The parts of V8's format that are read here. */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
}

export interface CpuProfileNode {
  /** Samples in which it was the innermost function. */
  readonly hitCount?: number;
  readonly callFrame: {
    readonly url: string;
    /** Both count from 0. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

export async function profileServer(
  driver: string,
  scenario: string,
  seconds: number,
): Promise<CpuProfile> {
  const server = await startVibing(driver, { nodeFlags: NODE_FLAGS });
  await runScenario(scenario, server, WARM_UP_SECONDS);
  const load = runScenario(scenario, server, seconds + 2 * MARGIN_SECONDS);
  // When the profiler fails, nothing awaits the load.
  load.catch(() => {});
  await sleep(MARGIN_SECONDS * 1000);
  await server.ask('start profile');
  await sleep(seconds * 1000);
  const profile = (await server.ask('stop profile')) as CpuProfile;
  await load;
  await server.stop();
  return profile;
}
