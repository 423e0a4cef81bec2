// What idle connections cost: memory for each of them, and the rate of the load next to them.

import { setTimeout as sleep } from 'node:timers/promises';
import { BACKGROUND_RATIO_MIN, IDLE_CONNECTION_BYTES_MAX } from '../catalog/thresholds.ts';
import {
  type BackgroundFigures,
  measureBackgroundLoad,
  rateOf,
  WARM_UP_SECONDS,
} from '../measure/background-load.ts';
import { startConnections } from '../measure/scenario-servers.ts';
import { cell, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { startVibing } from '../servers/start-vibing.ts';
import { descriptorsOf } from '../system/prerequisites.ts';
import { descriptorCount, residentBytes } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';

/** Descriptors for wrk, listeners, and what a process has open anyway. */
const SPARE = 200;
const SETTLE_MS = 3_000;
const START_SECONDS = 150;

export interface IdleOptions {
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Figures extends BackgroundFigures {
  readonly connections: number;
  readonly bytes: number;
}

/** For one driver. */
export function idleSecondsMax({ rounds, seconds }: IdleOptions): number {
  return START_SECONDS + (2 * rounds + 3) * (seconds + 3);
}

export async function measureIdleConnections(
  drivers: readonly string[],
  options: IdleOptions,
): Promise<readonly Threshold[]> {
  const connections = descriptorsOf(options.connections + SPARE) - SPARE;
  if (connections < options.connections) {
    const limit = connections + SPARE;
    console.log(
      `a process may have ${limit} descriptors (ulimit -Hn): measuring ${connections} connections`,
    );
  }
  const rows = [['', 'connections', 'bytes each', 'without/s', 'with/s', 'ratio']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const figures = await attempt(driver, () => measure(driver, { ...options, connections }));
    const bytes = figures?.bytes ?? Number.NaN;
    const ratio = figures?.ratios.median ?? Number.NaN;
    const rates = [figures?.without, figures?.loaded].map((rate) => cell(rate ?? Number.NaN, 0));
    const open = String(figures?.connections ?? '-');
    rows.push([driver, open, cell(bytes, 0), ...rates, cell(ratio, 3)]);
    thresholds.push({
      name: `${driver}: bytes for a connection`,
      value: bytes,
      is: 'less than',
      bound: IDLE_CONNECTION_BYTES_MAX,
      digits: 0,
    });
    thresholds.push({
      name: `${driver}: rate with idle connections to rate without`,
      value: ratio,
      is: 'at least',
      bound: BACKGROUND_RATIO_MIN,
      digits: 3,
    });
  }
  console.log(tableText(rows));
  return thresholds;
}

async function measure(driver: string, options: IdleOptions): Promise<Figures> {
  const { connections, rounds, seconds } = options;
  const descriptors = connections + SPARE;
  const settings = [
    `connectionsMax=${connections + SPARE}`,
    `connectionTimeoutMs=${idleSecondsMax(options) * 1000}`,
  ];
  const loaded = await startVibing(driver, { settings, descriptors });
  const without = await startVibing(driver, { settings, descriptors });
  // Compiled code and the heap of full load are not memory of idle connections.
  for (const server of [loaded, without]) await rateOf(server, WARM_UP_SECONDS);
  await sleep(SETTLE_MS);
  const bytesBefore = residentBytes(loaded.pid, 'now');
  const openBefore = descriptorCount(loaded.pid);
  const idle = await startConnections(loaded, 'idle', connections, descriptors);
  await sleep(SETTLE_MS);
  const bytes = (residentBytes(loaded.pid, 'now') - bytesBefore) / connections;
  const rates = await measureBackgroundLoad({ without, loaded, rounds, seconds });
  const open = descriptorCount(loaded.pid) - openBefore;
  if (open < connections) throw new Error(`only ${open} of ${connections} connections stayed open`);
  for (const child of [idle, loaded, without]) await child.stop();
  return { ...rates, connections: open, bytes };
}
