// The rate of the load next to slow clients: some send a byte of a head every second, others read
// nothing of a megabyte. The server has to close their connections when their timeouts have passed.

import { setTimeout as sleep } from 'node:timers/promises';
import { BACKGROUND_RATIO_MIN } from '../catalog/thresholds.ts';
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
import { descriptorCount } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';

/** From the first connection to the first window; more than it takes. */
const OPEN_SECONDS = 8;
/** lingerTimeoutMs follows the timeout, and the server checks timeouts only now and then. */
const LINGER_MS = 1_000;
const SLACK_MS = 3_000;
const POLL_MS = 200;
const START_SECONDS = 60;

export interface SlowOptions {
  /** Of each kind. */
  readonly clients: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Figures extends BackgroundFigures {
  readonly slow: number;
  /** Still connected when their time had passed. */
  readonly left: number;
  /** From the last connection opened to the last one closed. */
  readonly closedSeconds: number;
  readonly timeoutSeconds: number;
}

/** For one driver. */
export function slowSecondsMax(options: SlowOptions): number {
  return START_SECONDS + 2 * timeoutSecondsOf(options);
}

export async function measureSlowClients(
  drivers: readonly string[],
  options: SlowOptions,
): Promise<readonly Threshold[]> {
  const rows = [['', 'slow', 'without/s', 'with/s', 'ratio', 'timeout', 'closed after', 'left']];
  const thresholds: Threshold[] = [];
  for (const driver of drivers) {
    const figures = await attempt(driver, () => measure(driver, options));
    rows.push([driver, ...cells(figures)]);
    thresholds.push(...thresholdsOf(driver, figures));
  }
  console.log(tableText(rows));
  return thresholds;
}

function cells(figures: Figures | null): readonly string[] {
  if (figures === null) return Array.from({ length: 7 }, () => '-');
  const { closedSeconds, left, loaded, ratios, slow, timeoutSeconds, without } = figures;
  const rates = [cell(without, 0), cell(loaded, 0), cell(ratios.median, 3)];
  return [String(slow), ...rates, `${timeoutSeconds} s`, `${cell(closedSeconds, 1)} s`, `${left}`];
}

function thresholdsOf(driver: string, figures: Figures | null): readonly Threshold[] {
  const ratio = figures?.ratios.median ?? Number.NaN;
  const left = figures?.left ?? Number.NaN;
  return [
    {
      name: `${driver}: rate with slow clients to rate without`,
      value: ratio,
      is: 'at least',
      bound: BACKGROUND_RATIO_MIN,
      digits: 3,
    },
    { name: `${driver}: slow clients left`, value: left, is: 'at most', bound: 0, digits: 0 },
  ];
}

/** Long enough for the windows, and no longer. */
function timeoutSecondsOf({ rounds, seconds }: SlowOptions): number {
  return OPEN_SECONDS + (2 * rounds + 1) * (seconds + 1);
}

async function measure(driver: string, options: SlowOptions): Promise<Figures> {
  const { clients, rounds, seconds } = options;
  const timeoutSeconds = timeoutSecondsOf(options);
  const settings = [`connectionTimeoutMs=${timeoutSeconds * 1000}`, `lingerTimeoutMs=${LINGER_MS}`];
  const loaded = await startVibing(driver, { settings });
  const without = await startVibing(driver, { settings });
  for (const server of [loaded, without]) await rateOf(server, WARM_UP_SECONDS);
  // The connections of wrk are closed before the count begins.
  await sleep(POLL_MS);
  const openBefore = descriptorCount(loaded.pid);
  const slowCount = (): number => descriptorCount(loaded.pid) - openBefore;
  const unread = await startConnections(loaded, 'unread', clients);
  const trickle = await startConnections(loaded, 'trickle', clients);
  const openedMs = performance.now();
  const setTraffic = (on: boolean): Promise<unknown> => trickle.ask(on ? 'resume' : 'pause');
  const rates = await measureBackgroundLoad({ without, loaded, rounds, seconds, setTraffic });
  await sleep(POLL_MS);
  const slow = slowCount();
  if (slow < 2 * clients)
    throw new Error(`${2 * clients - slow} slow clients were closed too early`);
  await trickle.ask('resume');
  const untilMs = openedMs + timeoutSeconds * 1000 + LINGER_MS + SLACK_MS;
  while (slowCount() > 0 && performance.now() < untilMs) await sleep(POLL_MS);
  const closedSeconds = (performance.now() - openedMs) / 1000;
  const left = slowCount();
  for (const child of [unread, trickle, loaded, without]) await child.stop();
  return { ...rates, slow, left, closedSeconds, timeoutSeconds };
}
