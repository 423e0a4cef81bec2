// Takes stacks of a server at full load with perf, for a few seconds in the middle of the load.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, startServer } from '../measure/child-process.ts';
import { usedMicroseconds } from '../system/process-figures.ts';
import { SERVER_CORE } from '../catalog/setup.ts';
import { runScenario, type Scenario } from '../load/run-scenario.ts';

/** Long enough for hot code to be compiled well. */
const WARM_UP_SECONDS = 3;
/** The load begins and ends so much before and after what is recorded. */
const MARGIN_SECONDS = 1;
/** No multiple of a clock's rate, so that no timer falls on every sample. */
const SAMPLES_PER_SECOND = 997;
const SCRIPT_MS_MAX = 120_000;
const ANY_CORE = -1;

/** V8 tells perf where functions lie that it compiled. */
const NODE_FLAGS = ['--perf-basic-prof'];

export interface Recording {
  /** What `perf script` printed. */
  readonly text: string;
  readonly requestsPerSecond: number;
  /** Processor time of the server for a request while it was recorded. */
  readonly microseconds: number;
  /** Whether the load's core was full, not the server's. */
  readonly isLoadBound: boolean;
}

export async function recordServer(
  driver: string,
  scenario: Scenario,
  seconds: number,
): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-record-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'perf.data');
  const server = await startServer('servers/vibing.ts', {
    args: ['--driver', driver],
    nodeFlags: NODE_FLAGS,
    core: SERVER_CORE,
  });
  if (driver !== 'auto' && !server.line.includes(` ${driver} `)) {
    throw new Error(`not what was asked: ${server.line}`);
  }
  await runScenario(scenario, server.port, WARM_UP_SECONDS);
  const load = runScenario(scenario, server.port, seconds + 2 * MARGIN_SECONDS);
  // Where the recording fails, the load is not waited for.
  load.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, MARGIN_SECONDS * 1000));
  const usedBefore = usedMicroseconds(server.pid);
  const beganMs = performance.now();
  await perf([
    ...['record', '-q', '-e', 'cpu-clock', '-F', String(SAMPLES_PER_SECOND), '-g'],
    ...['-p', String(server.pid), '-o', file, '--', 'sleep', String(seconds)],
  ]);
  const used = usedMicroseconds(server.pid) - usedBefore;
  const elapsedSeconds = (performance.now() - beganMs) / 1000;
  const { requestsPerSecond, load: itself } = await load;
  await server.stop();
  const text = await perf(['script', '-i', file]);
  rmSync(join(tmpdir(), `perf-${server.pid}.map`), { force: true });
  const microseconds = used / elapsedSeconds / requestsPerSecond;
  return { text, requestsPerSecond, microseconds, isLoadBound: itself.isBound };
}

async function perf(args: readonly string[]): Promise<string> {
  const { code, output } = await runProgram(['perf', ...args], ANY_CORE, SCRIPT_MS_MAX);
  if (code !== 0) {
    const why = 'it may need root, or kernel.perf_event_paranoid at most 1';
    throw new Error(`perf ${args[0]} ended with ${code ?? 'a signal'}: ${why}`);
  }
  return output;
}
