// The rate of GET / with background load versus without: windows of two servers in turn, of which
// one has the background connections.

import { CONNECTIONS, LOAD_CORE } from '../catalog/setup.ts';
import { runWrk } from '../load/wrk.ts';
import type { ServerChild } from './child-process.ts';
import { pairUp, type Summary, summary } from './pairs.ts';

/** Long enough for the compiler to optimize hot code; not counted. */
export const WARM_UP_SECONDS = 2;

export interface BackgroundFigures {
  /** Requests a second: the medians of both. */
  readonly without: number;
  readonly loaded: number;
  /** Loaded to without. */
  readonly ratios: Summary;
}

export interface BackgroundOptions {
  readonly without: ServerChild;
  readonly loaded: ServerChild;
  readonly rounds: number;
  readonly seconds: number;
  /** Called before each window: turns background traffic on or off, as both share a core. */
  readonly setTraffic?: (on: boolean) => Promise<unknown>;
}

export async function measureBackgroundLoad(
  options: BackgroundOptions,
): Promise<BackgroundFigures> {
  const { loaded, rounds, seconds, setTraffic, without } = options;
  const ratesWithout: number[] = [];
  const ratesLoaded: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await setTraffic?.(false);
    ratesWithout.push(await rateOf(without, seconds));
    if (round === rounds) break;
    await setTraffic?.(true);
    ratesLoaded.push(await rateOf(loaded, seconds));
  }
  const ratios = summary(pairUp(ratesWithout, ratesLoaded).map(({ ratio }) => ratio));
  return { without: summary(ratesWithout).median, loaded: summary(ratesLoaded).median, ratios };
}

/** Requests a second of GET / by wrk. */
export async function rateOf(server: ServerChild, seconds: number): Promise<number> {
  const url = `http://127.0.0.1:${server.port}/`;
  const load = { url, connections: CONNECTIONS, seconds, core: LOAD_CORE, script: '' };
  return (await runWrk(load)).requestsPerSecond;
}
