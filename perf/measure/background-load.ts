// How fast good traffic is beside a burden: windows of a server that has it and of one that has
// not, in turn.

import type { ServerChild } from './child-process.ts';
import { pairUp, type Summary, summary } from './pairs.ts';
import { CONNECTIONS, LOAD_CORE } from '../catalog/setup.ts';
import { runWrk } from '../load/wrk.ts';

/** Long enough for the code to be compiled well; not counted. */
export const WARM_UP_SECONDS = 2;

export interface Beside {
  /** Requests a second: the medians of both. */
  readonly free: number;
  readonly burdened: number;
  readonly ratios: Summary;
}

export interface BesideOptions {
  readonly free: ServerChild;
  readonly burdened: ServerChild;
  readonly rounds: number;
  readonly seconds: number;
  /** Told before each window whether the burden is to weigh: both servers share a core. */
  readonly weigh?: (on: boolean) => Promise<unknown>;
}

export async function measureBeside(options: BesideOptions): Promise<Beside> {
  const { free, burdened, rounds, seconds, weigh } = options;
  const frees: number[] = [];
  const burdeneds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    await weigh?.(false);
    frees.push(await rate(free, seconds));
    if (round === rounds) break;
    await weigh?.(true);
    burdeneds.push(await rate(burdened, seconds));
  }
  const ratios = summary(pairUp(frees, burdeneds).map(({ ratio }) => ratio));
  return { free: summary(frees).median, burdened: summary(burdeneds).median, ratios };
}

/** Requests a second of GET / on 64 connections. */
export async function rate(server: ServerChild, seconds: number): Promise<number> {
  const url = `http://127.0.0.1:${server.port}/`;
  const load = { url, connections: CONNECTIONS, seconds, core: LOAD_CORE, script: '' };
  return (await runWrk(load)).requestsPerSecond;
}
