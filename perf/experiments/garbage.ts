// Counts how often the collector of garbage runs while a synchronous handler answers requests at
// full load: npm run perf:garbage. Exit code 1 when it is ten times or more in a million. At a
// lower load a turn serves fewer requests, and the garbage of a turn (two clocks, one event) is
// shared by fewer.

import { parseArgs } from 'node:util';
import { pairingProblem, startServer } from '../measure/child-process.ts';
import { argumentProblem, refuse } from '../../testing/usage-error.ts';
import { type Collection, collectionsIn } from '../measure/trace-gc.ts';
import { runWrk } from '../load/wrk.ts';

const WARM_UP_SECONDS = 2;
const SECONDS = 12;
const MILLION = 1_000_000;
const CONNECTIONS = 64;
const SCAVENGES_BAR = 10;

/**
 * The collector's clock begins with V8, ours when the process is started, up to this much earlier.
 * Twice as long nothing is asked before the million, so that none of the warm-up is counted.
 */
const CLOCKS_APART_MS = 750;

const USAGE = `usage: npm run perf:garbage -- [--driver epoll|net]

Counts scavenges in ${SECONDS} s of full load, after ${WARM_UP_SECONDS} s to warm up.`;

process.exitCode = await main();

async function main(): Promise<number> {
  let driver: string | undefined;
  try {
    const options = { driver: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ options });
    if (values.help === true) {
      console.log(USAGE);
      return 0;
    }
    driver = values.driver;
    if (!/^(epoll|net)$/.test(driver ?? 'net')) throw new Error('--driver takes epoll or net');
  } catch (error) {
    return refuse(argumentProblem(error));
  }
  try {
    return report(await measure(driver === undefined ? [] : ['--driver', driver]));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

interface Measured {
  readonly line: string;
  readonly requests: number;
  readonly seconds: number;
  readonly collections: readonly Collection[];
}

async function measure(args: readonly string[]): Promise<Measured> {
  const startedMs = performance.now();
  const problem = pairingProblem();
  if (problem !== null) throw new Error(problem);
  const options = { args, core: 0, nodeFlags: ['--trace-gc'] };
  const server = await startServer('servers/vibing.ts', options);
  const url = `http://127.0.0.1:${server.port}/`;
  const load = { url, connections: CONNECTIONS, core: 1, script: '' };
  await runWrk({ ...load, seconds: WARM_UP_SECONDS });
  await pause(2 * CLOCKS_APART_MS);
  const fromMs = performance.now() - startedMs;
  const done = await runWrk({ ...load, seconds: SECONDS });
  const toMs = performance.now() - startedMs;
  // What V8 prints lies in a buffer of the C library until the process ends.
  await server.stop();
  const collections = collectionsIn(server.printed()).filter(
    ({ atMs }) => atMs >= fromMs - CLOCKS_APART_MS && atMs <= toMs,
  );
  const { requests } = done;
  return { line: server.line, requests, seconds: (toMs - fromMs) / 1000, collections };
}

function report({ line, requests, seconds, collections }: Measured): number {
  const scavenges = collections.filter(({ kind }) => kind === 'scavenge');
  const marks = collections.length - scavenges.length;
  const longestMs = collections.reduce((most, { pauseMs }) => Math.max(most, pauseMs), 0);
  const inMillion = (scavenges.length * MILLION) / requests;
  const passed = inMillion < SCAVENGES_BAR;
  console.log(`${line}; Node ${process.version}`);
  console.log(`${requests} requests, ${CONNECTIONS} connections, in ${seconds.toFixed(1)} s`);
  console.log(
    `${scavenges.length} scavenges, ${marks} mark-sweeps: ${inMillion.toFixed(1)} in a million`,
  );
  console.log(`longest pause ${longestMs.toFixed(2)} ms`);
  const verdict = passed ? 'met' : 'MISSED';
  console.log(`bar: fewer than ${SCAVENGES_BAR} scavenges in a million requests: ${verdict}`);
  return passed ? 0 : 1;
}

function pause(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, waitMs);
  });
}
