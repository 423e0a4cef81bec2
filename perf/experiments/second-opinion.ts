// hello once more, with load by autocannon: a widely known load generator of another project. It is
// slower than the servers it loads, so its rate is its own limit; processor time for a request is
// the server's.

import { scenarioOf } from '../catalog/scenarios.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import { LOAD_BOUND_SHARE } from '../catalog/thresholds.ts';
import type { AutocannonReport } from '../load/autocannon-process.ts';
import { perfScript, runProgram, type ServerChild } from '../measure/child-process.ts';
import { resultLine } from '../measure/result-lines.ts';
import type { ResultLine, RunFacts } from '../measure/results.ts';
import {
  probeScenario,
  startScenarioFloor,
  startScenarioServer,
} from '../measure/scenario-servers.ts';
import { type WindowFigures, windowsInTurn } from '../measure/window-load.ts';
import { driverOf } from '../servers/start-vibing.ts';
import {
  busyShare,
  othersShare,
  readCoreTicks,
  workedMicroseconds,
} from '../system/process-figures.ts';

export const SECOND_OPINION = 'hello-autocannon';

/** autocannon counts whole seconds, and its first one is its own warm-up. */
const SECONDS_MIN = 2;
const WINDOWS_MAX = 3;
const GRACE_MS = 15_000;

export interface SecondOpinionOptions {
  readonly facts: RunFacts;
  readonly driver: string;
  readonly windows: number;
  readonly windowMs: number;
  progress(what: string): void;
}

export async function secondOpinion(options: SecondOpinionOptions): Promise<readonly ResultLine[]> {
  const { driver, facts, progress } = options;
  const scenario = scenarioOf('hello');
  const seconds = Math.max(SECONDS_MIN, Math.round(options.windowMs / 1000));
  const windows = Math.min(options.windows, WINDOWS_MAX);
  const server = await startScenarioServer(scenario, driver);
  try {
    const response = await probeScenario(server.port, scenario);
    const floor = await startScenarioFloor(scenario, response);
    try {
      progress('load by autocannon');
      const all = await windowsInTurn([floor, server], windows, (child) =>
        autocannonWindow(child, scenario.connections, seconds),
      );
      const line = resultLine({
        kind: 'perf',
        facts,
        scenario: { ...scenario, name: SECOND_OPINION },
        server: 'vibing',
        driver: driverOf(server),
        load: 'full',
        askedRate: 0,
        windowMs: seconds * 1000,
        windows: all.get(server) ?? [],
        floors: all.get(floor) ?? [],
      });
      return [line];
    } finally {
      await floor.stop();
    }
  } finally {
    await server.stop();
  }
}

async function autocannonWindow(
  { pid, port }: ServerChild,
  connections: number,
  seconds: number,
): Promise<WindowFigures> {
  const url = `http://127.0.0.1:${port}/`;
  const script = perfScript('load/autocannon-process.ts');
  const command = [process.execPath, script, url, String(connections), String(seconds)];
  const usedBefore = workedMicroseconds(pid);
  const serverBefore = readCoreTicks(SERVER_CORE);
  const loadBefore = readCoreTicks(LOAD_CORE);
  const { code, output } = await runProgram(command, LOAD_CORE, seconds * 1000 + GRACE_MS);
  if (code !== 0) throw new Error(`autocannon ended with ${code}\n${output}`);
  const used = workedMicroseconds(pid) - usedBefore;
  const { responses, latencyMs, problems, rate } = JSON.parse(output) as AutocannonReport;
  if (problems > 0 || responses === 0) throw new Error(`autocannon: ${problems} requests failed`);
  const loadShare = busyShare(loadBefore, readCoreTicks(LOAD_CORE));
  return {
    rate,
    cpuUs: used / responses,
    othersShare: othersShare(serverBefore, readCoreTicks(SERVER_CORE), used),
    loadShare,
    // The share includes a second in which autocannon starts and ends.
    isLoadBound: loadShare >= LOAD_BOUND_SHARE * (seconds / (seconds + 1)),
    outstanding: 0,
    latencyMs,
  };
}
