// Counts how often the collector of garbage runs while a synchronous handler answers a million
// requests: npm run perf:garbage. Exit code 1 when it is ten times or more.

import { parseArgs } from 'node:util';
import { startServer } from './child.ts';
import { runClosedLoop } from './closed-loop.ts';
import { type Collection, collectionsIn } from './trace-gc.ts';

const WARM_UP_REQUESTS = 100_000;
const REQUESTS = 1_000_000;
const CONNECTIONS = 64;
const SCAVENGES_BAR = 10;
const TIMEOUT_MS = 300_000;

/**
 * The collector's clock begins with V8, ours when the process is started, up to this much earlier.
 * Twice as long nothing is asked before the million, so that none of the warm-up is counted.
 */
const CLOCKS_APART_MS = 750;

const USAGE = `usage: npm run perf:garbage -- [--driver epoll|net]

Counts scavenges in a million requests after ${WARM_UP_REQUESTS} to warm up.`;

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
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
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
  readonly seconds: number;
  readonly collections: readonly Collection[];
}

async function measure(args: readonly string[]): Promise<Measured> {
  const startedMs = performance.now();
  const server = await startServer('servers/vibing.ts', { args, nodeFlags: ['--trace-gc'] });
  const load = { port: server.port, path: '/', connections: CONNECTIONS, timeoutMs: TIMEOUT_MS };
  await runClosedLoop({ ...load, requests: WARM_UP_REQUESTS });
  await pause(2 * CLOCKS_APART_MS);
  const fromMs = performance.now() - startedMs;
  await runClosedLoop({ ...load, requests: REQUESTS });
  const toMs = performance.now() - startedMs;
  // What V8 prints lies in a buffer of the C library until the process ends.
  await server.stop();
  const collections = collectionsIn(server.printed()).filter(
    ({ atMs }) => atMs >= fromMs - CLOCKS_APART_MS && atMs <= toMs,
  );
  return { line: server.line, seconds: (toMs - fromMs) / 1000, collections };
}

function report({ line, seconds, collections }: Measured): number {
  const scavenges = collections.filter(({ kind }) => kind === 'scavenge');
  const marks = collections.length - scavenges.length;
  const longestMs = collections.reduce((most, { pauseMs }) => Math.max(most, pauseMs), 0);
  const passed = scavenges.length < SCAVENGES_BAR;
  console.log(`${line}; Node ${process.version}`);
  console.log(`${REQUESTS} requests, ${CONNECTIONS} connections, in ${seconds.toFixed(1)} s`);
  console.log(`${scavenges.length} scavenges, ${marks} mark-sweeps`);
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
