// Counts garbage collections while a synchronous handler responds at full load. At a lower load a
// turn serves fewer requests, so the garbage of a turn (two clock readings, one event) is divided
// among fewer requests.

import { setTimeout as sleep } from 'node:timers/promises';
import { CONNECTIONS, LOAD_CORE } from '../catalog/setup.ts';
import { SCAVENGES_MAX } from '../catalog/thresholds.ts';
import { runWrk } from '../load/wrk.ts';
import { type Collection, collectionsIn } from '../measure/trace-gc.ts';
import { countText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';

export const WARM_UP_SECONDS = 2;
const MILLION = 1_000_000;

/**
 * V8's clock starts up to this much later than our reading of the process's start. Twice as long
 * there is no load before the measurement, so that no collection of the warm-up is counted.
 */
const CLOCK_DIFFERENCE_MS = 750;

export async function countCollections(
  driver: string,
  seconds: number,
): Promise<readonly Threshold[]> {
  const measured = await measure(driver, seconds);
  const { collections, elapsedSeconds, line, requests } = measured;
  const scavenges = collections.filter(({ kind }) => kind === 'scavenge').length;
  const longestMs = collections.reduce((most, { pauseMs }) => Math.max(most, pauseMs), 0);
  const inMillion = (scavenges * MILLION) / requests;
  console.log(line);
  console.log(
    `${countText(requests)} requests in ${elapsedSeconds.toFixed(1)} s, ${CONNECTIONS} connections`,
  );
  console.log(`${scavenges} scavenges, ${collections.length - scavenges} mark-sweeps`);
  console.log(`longest pause ${longestMs.toFixed(2)} ms`);
  return [
    {
      name: 'scavenges in a million requests',
      value: inMillion,
      is: 'less than',
      bound: SCAVENGES_MAX,
      digits: 1,
    },
  ];
}

interface Measured {
  readonly line: string;
  readonly requests: number;
  readonly elapsedSeconds: number;
  readonly collections: readonly Collection[];
}

async function measure(driver: string, seconds: number): Promise<Measured> {
  const startedMs = performance.now();
  const server = await startVibing(driver, { nodeFlags: ['--trace-gc'] });
  const url = `http://127.0.0.1:${server.port}/`;
  const load = { url, connections: CONNECTIONS, core: LOAD_CORE, script: '' };
  await runWrk({ ...load, seconds: WARM_UP_SECONDS });
  await sleep(2 * CLOCK_DIFFERENCE_MS);
  const fromMs = performance.now() - startedMs;
  const { requests } = await runWrk({ ...load, seconds });
  const toMs = performance.now() - startedMs;
  // The C library buffers what V8 prints until the process ends.
  await server.stop();
  const collections = collectionsIn(server.printed()).filter(
    ({ atMs }) => atMs >= fromMs - CLOCK_DIFFERENCE_MS && atMs <= toMs,
  );
  return { line: server.line, requests, elapsedSeconds: (toMs - fromMs) / 1000, collections };
}
