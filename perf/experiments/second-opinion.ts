// hello once more, asked by autocannon: a load generator that is not ours and that people know. It
// is slower than the servers it asks, so what it says of rates is said of itself; processor time
// for a request is the server's.

import { perfScript, runProgram, type ServerChild } from '../measure/child-process.ts';
import { busyShare, othersShare, readCoreTicks, workedMicroseconds } from '../system/process-figures.ts';
import { resultLine } from '../measure/result-lines.ts';
import type { Latencies, ResultLine, RunFacts } from '../measure/results.ts';
import { askAll, startScenarioFloor, startScenarioServer } from '../measure/scenario-servers.ts';
import { scenarioOf } from '../catalog/scenarios.ts';
import { type WindowFigures, windowsInTurn } from '../measure/window-load.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';

export const SECOND_OPINION = 'hello-autocannon';

/** It counts whole seconds, and its first one is its own warm-up. */
const SECONDS_MIN = 2;
const WINDOWS_MAX = 3;
const GRACE_MS = 15_000;
const FULL = 0.97;

/** What autocannon-load prints. */
export interface AutocannonReport {
  readonly responses: number;
  readonly rate: number;
  readonly problems: number;
  readonly latencyMs: Latencies;
}

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
    const floor = await startScenarioFloor(scenario, await askAll(server.port, scenario));
    try {
      progress('asked by autocannon');
      const all = await windowsInTurn([floor, server], windows, (child) =>
        autocannonWindow(child, scenario.connections, seconds),
      );
      const named = { ...scenario, name: SECOND_OPINION };
      const line = resultLine({
        kind: 'perf',
        facts,
        scenario: named,
        server: 'vibing',
        driver: server.line.split(' ')[1] ?? driver,
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
  const args = [perfScript('autocannon-load.ts'), url, String(connections), String(seconds)];
  const usedBefore = workedMicroseconds(pid);
  const serverBefore = readCoreTicks(SERVER_CORE);
  const loadBefore = readCoreTicks(LOAD_CORE);
  const timeoutMs = seconds * 1000 + GRACE_MS;
  const { code, output } = await runProgram([process.execPath, ...args], LOAD_CORE, timeoutMs);
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
    // Its start and its end are in that share, too.
    isLoadBound: loadShare >= FULL * (seconds / (seconds + 1)),
    outstanding: 0,
    latencyMs,
  };
}
