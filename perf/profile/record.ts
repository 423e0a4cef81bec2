// Records stacks of a server at full load with perf, for some seconds in the middle of the load.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runScenario } from '../load/run-scenario.ts';
import { runProgram } from '../measure/child-process.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { usedMicroseconds } from '../system/process-figures.ts';

/** Long enough for the compiler to optimize hot code. */
const WARM_UP_SECONDS = 3;
/** The load begins this much before the recording, and ends this much after it. */
const MARGIN_SECONDS = 1;
/** Not a multiple of a timer's rate, so that no timer coincides with every sample. */
const SAMPLES_PER_SECOND = 997;
const PERF_MS_MAX = 120_000;
const ANY_CORE = -1;

/** V8 writes the addresses of compiled functions to a file for perf. */
const NODE_FLAGS = ['--perf-basic-prof'];

export interface Recording {
  /** The output of `perf script`. */
  readonly text: string;
  readonly requestsPerSecond: number;
  /** Processor time of the server for a request during the recording. */
  readonly microseconds: number;
  /** Whether the load's core was full, not the server's. */
  readonly isLoadBound: boolean;
}

export async function recordServer(
  driver: string,
  scenario: string,
  seconds: number,
): Promise<Recording> {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-perf-record-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'perf.data');
  const server = await startVibing(driver, { nodeFlags: NODE_FLAGS });
  await runScenario(scenario, server, WARM_UP_SECONDS);
  const load = runScenario(scenario, server, seconds + 2 * MARGIN_SECONDS);
  // When the recording fails, nothing awaits the load.
  load.catch(() => {});
  await sleep(MARGIN_SECONDS * 1000);
  const usedBefore = usedMicroseconds(server.pid);
  const beganMs = performance.now();
  await perf([
    ...['record', '-q', '-e', 'cpu-clock', '-F', String(SAMPLES_PER_SECOND), '-g'],
    ...['-p', String(server.pid), '-o', file, '--', 'sleep', String(seconds)],
  ]);
  const used = usedMicroseconds(server.pid) - usedBefore;
  const elapsedSeconds = (performance.now() - beganMs) / 1000;
  const { isLoadBound, rate } = await load;
  await server.stop();
  const text = await perf(['script', '-i', file]);
  rmSync(join(tmpdir(), `perf-${server.pid}.map`), { force: true });
  const microseconds = used / elapsedSeconds / rate;
  return { text, requestsPerSecond: rate, microseconds, isLoadBound };
}

async function perf(args: readonly string[]): Promise<string> {
  const { code, output } = await runProgram(['perf', ...args], ANY_CORE, PERF_MS_MAX);
  if (code !== 0) {
    const why = 'it may need root, or kernel.perf_event_paranoid at most 1';
    throw new Error(`perf ${args[0]} ended with ${code ?? 'a signal'}: ${why}`);
  }
  return output;
}
