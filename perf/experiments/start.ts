// The beginning of a server: the time to its first response, the first second of a worker that
// replaces another one, and the memory after full load. Processor time is shown, too: other work on
// the machine changes it less.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runLoad } from '../../src/load/run-load.ts';
import { LOAD_CORE, SERVER_CORE } from '../catalog/setup.ts';
import {
  FIRST_SECOND_P99_MS_MAX,
  LOADED_RESIDENT_BYTES_MAX,
  RELOADED_MS_MAX,
  START_MORE_MS_MAX,
} from '../catalog/thresholds.ts';
import { probe } from '../load/probe.ts';
import {
  perfScript,
  runProgram,
  type ServerChild,
  startCommand,
} from '../measure/child-process.ts';
import { pinSelf } from '../measure/machine.ts';
import { median } from '../measure/pairs.ts';
import { cell, tableText } from '../runner/table.ts';
import type { Threshold } from '../runner/threshold.ts';
import { childrenOf, residentBytes, workedMicroseconds } from '../system/process-figures.ts';
import { attempt } from './attempt.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SERVE: readonly string[] = ['dist/cli/main.js', 'serve', 'examples/site', '--port', '0'];
const MIB = 1024 * 1024;

export const RATE = 10_000;
export const NEW_CONNECTIONS = 1_024;
const LOAD_MS = 1_000;
export const CONNECTIONS_LOADED = 1_000;
const RELOADED_SECONDS_MAX = 20;
const POLL_MS = 5;
const START_MS_MAX = 15_000;
const OTHER_SECONDS = 60;

export interface StartOptions {
  readonly rounds: number;
  readonly reloads: number;
  readonly seconds: number;
}

export function startSecondsMax({ reloads, rounds, seconds }: StartOptions): number {
  return OTHER_SECONDS + rounds * 10 + reloads * (RELOADED_SECONDS_MAX + 20) + 2 * seconds;
}

export async function measureStart(options: StartOptions): Promise<readonly Threshold[]> {
  pinSelf(LOAD_CORE);
  const starts = await measureFirstResponses(options.rounds);
  const reloads = (await attempt('reloads', () => measureReloads(options.reloads))) ?? [];
  const resident = await attempt('memory', () => measureMemory(options.seconds));
  return [...starts, ...reloads, ...(resident ?? [])];
}

interface Start {
  /** From the start of the process until its first response was received. */
  readonly ms: number;
  /** Processor time of the process until then, in all of its threads. */
  readonly cpuMs: number;
}

/** On any core: helper threads of V8 run beside the main thread. */
async function measureFirstResponses(rounds: number): Promise<readonly Threshold[]> {
  const bare: number[] = [];
  const served: Start[] = [];
  const small: Start[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareMs());
    served.push(await firstResponse('vibing serve', SERVE));
    small.push(await firstResponse('small program', [perfScript('servers/small.ts')]));
  }
  const bareMedian = median(bare);
  const rows = [['', 'first response: ms', 'more than node -e 0', 'ms CPU']];
  rows.push(['node -e 0', cell(bareMedian, 1), '', '']);
  const thresholds: Threshold[] = [];
  for (const [name, all] of [
    ['vibing serve', served],
    ['small program', small],
  ] as const) {
    const ms = median(all.map((one) => one.ms));
    const cpuMs = median(all.map((one) => one.cpuMs));
    const more = ms - bareMedian;
    rows.push([name, cell(ms, 1), cell(more, 1), cell(cpuMs, 1)]);
    thresholds.push({
      name: `${name}: ms to the first response, more than node -e 0`,
      value: more,
      is: 'at most',
      bound: START_MORE_MS_MAX,
      digits: 1,
    });
  }
  console.log(tableText(rows));
  return thresholds;
}

async function bareMs(): Promise<number> {
  const beganMs = performance.now();
  await runProgram([process.execPath, '-e', '0'], -1, START_MS_MAX);
  return performance.now() - beganMs;
}

async function firstResponse(name: string, args: readonly string[]): Promise<Start> {
  const beganMs = performance.now();
  const server = await startCommand(name, commandOf(args), { core: -1 });
  const { status } = await probe(server.port, '/');
  const ms = performance.now() - beganMs;
  const cpuMs = workedMicroseconds(server.pid) / 1_000;
  await server.stop();
  if (status !== 200) throw new Error(`${name}: the first response has status ${status}`);
  return { ms, cpuMs };
}

function commandOf([script, ...args]: readonly string[]): readonly string[] {
  const path = script.startsWith('/') ? script : `${ROOT}${script}`;
  return [process.execPath, path, ...args.map((arg) => arg.replace(/^examples/, `${ROOT}$&`))];
}

async function measureReloads(count: number): Promise<readonly Threshold[]> {
  const server = await startCommand('vibing serve', commandOf([...SERVE, '--supervise']), {
    core: SERVER_CORE,
  });
  const reloadMs: number[] = [];
  const first: number[] = [];
  const later: number[] = [];
  for (let reload = 0; reload < count; reload++) {
    reloadMs.push(await reloaded(server));
    first.push(await p99Of(server));
    later.push(await p99Of(server));
  }
  await server.stop();
  const [ms, firstMs, laterMs] = [reloadMs, first, later].map(median);
  console.log(
    tableText([
      ['', 'ms'],
      ['SIGHUP until the next worker alone serves', cell(ms, 0)],
      ['P99 of its first second', cell(firstMs, 2)],
      ['P99 of its second one', cell(laterMs, 2)],
    ]),
  );
  return [
    atMost('reload: ms until the next worker alone serves', ms, RELOADED_MS_MAX),
    atMost('P99 of the first second of a worker, in ms', firstMs, FIRST_SECOND_P99_MS_MAX),
  ];
}

/** Milliseconds from the signal until the worker before has ended. */
async function reloaded(server: ServerChild): Promise<number> {
  const [before] = childrenOf(server.pid);
  const beganMs = performance.now();
  server.signal('SIGHUP');
  const untilMs = beganMs + RELOADED_SECONDS_MAX * 1_000;
  while (performance.now() < untilMs) {
    const workers = childrenOf(server.pid);
    if (workers.length === 1 && workers[0] !== before) return performance.now() - beganMs;
    await sleep(POLL_MS);
  }
  throw new Error(`the worker was not replaced within ${RELOADED_SECONDS_MAX} s`);
}

async function p99Of({ port }: ServerChild): Promise<number> {
  const report = await runLoad({
    url: `http://127.0.0.1:${port}/`,
    connections: NEW_CONNECTIONS,
    rate: RATE,
    durationMs: LOAD_MS,
    core: LOAD_CORE,
  });
  if (report.errorCount > 0) {
    const kinds = Object.entries(report.errors).map(([kind, count]) => `${kind} ${count}`);
    throw new Error(`requests failed at ${RATE}/s: ${kinds.join(', ')}`);
  }
  return report.latencyMs.percentiles['99'];
}

async function measureMemory(seconds: number): Promise<readonly Threshold[]> {
  const command = commandOf([perfScript('servers/small.ts')]);
  const server = await startCommand('small program', command, { core: SERVER_CORE });
  const atStart = residentBytes(server.pid, 'now');
  await runLoad({
    url: `http://127.0.0.1:${server.port}/`,
    connections: CONNECTIONS_LOADED,
    durationMs: seconds * 1_000,
    core: LOAD_CORE,
  });
  const loaded = residentBytes(server.pid, 'now');
  const peak = residentBytes(server.pid, 'peak');
  await server.stop();
  console.log(
    tableText([
      ['resident memory', 'MiB'],
      ['at the start', cell(atStart / MIB, 1)],
      [`after ${seconds} s of full load`, cell(loaded / MIB, 1)],
      ['at most', cell(peak / MIB, 1)],
    ]),
  );
  const name = `MiB of memory after full load over ${CONNECTIONS_LOADED} connections`;
  return [atMost(name, loaded / MIB, LOADED_RESIDENT_BYTES_MAX / MIB)];
}

function atMost(name: string, value: number, bound: number): Threshold {
  return { name, value, is: 'at most', bound, digits: 1 };
}
