// Loads a server with a scenario at full rate for some seconds, by a load process of its own: what
// profilers and perf:compare use.

import type { ServerChild } from '../measure/child-process.ts';
import { type WindowFigures, WindowLoad } from '../measure/window-load.ts';

/** Rejects when a request failed or its response was not 200. */
export async function runScenario(
  scenario: string,
  server: Pick<ServerChild, 'pid' | 'port'>,
  seconds: number,
): Promise<WindowFigures> {
  const load = await WindowLoad.start();
  try {
    return await load.run(server, scenario, { windowMs: seconds * 1000, rate: 0 });
  } finally {
    await load.stop();
  }
}
