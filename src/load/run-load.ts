// Runs a load in this process: looks up its server, takes a driver, and gives a report in the end.

import { ERRNO } from '../base/errno.ts';
import { Slab } from '../base/slab.ts';
import { chooseDriver } from '../driver/choose.ts';
import type { Address } from '../driver/driver.ts';
import { findHost } from '../driver/find-host.ts';
import { pinTo } from '../driver/linux/affinity.ts';
import { descriptorsMax } from '../driver/linux/descriptors.ts';
import { descriptorProblem } from './descriptors.ts';
import { Load, Phase } from './load.ts';
import { type LoadOptions, type Prepared, prepareLoad } from './options.ts';
import { LoadPump } from './pump.ts';
import { type LoadReport, reportOf } from './report.ts';

/** Blocks come back as soon as they are read, so they need not be many. */
const BLOCK_BYTES = 32 * 1024;
const BLOCK_COUNT = 512;

/** Where a load stands, every second. */
export interface Progress {
  readonly phase: 'connecting' | 'warm-up' | 'running' | 'ending';
  /** Since counting began, and until it ends (Infinity when a count ends it). */
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly responses: number;
  readonly count: number;
  readonly errors: number;
  /** Of the last second. */
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

export interface LoadHooks {
  readonly progress?: (progress: Progress) => void;
  /** The time that counts begins; and ends. */
  readonly counting?: () => void;
  readonly counted?: () => void;
}

export interface RunningLoad {
  /** Rejects with LoadProblem when the load cannot begin. */
  readonly report: Promise<LoadReport>;
  /** Ends it; the report tells what there is. */
  stop(): void;
}

/** What keeps a load from beginning: a line for each thing that is wrong. */
export class LoadProblem extends Error {
  override readonly name = 'LoadProblem';
  readonly problems: readonly string[];
  /** Whether the options are wrong, rather than the world. */
  readonly isMisuse: boolean;

  constructor(problems: readonly string[], isMisuse: boolean) {
    super(problems.join('\n'));
    this.problems = problems;
    this.isMisuse = isMisuse;
  }
}

/** The report of a load that runs to its end. */
export function runLoad(options: LoadOptions, hooks: LoadHooks = {}): Promise<LoadReport> {
  return startLoad(options, hooks).report;
}

export function startLoad(options: LoadOptions, hooks: LoadHooks = {}): RunningLoad {
  let load: Load | null = null;
  let isStopped = false;
  const begin = async (): Promise<LoadReport> => {
    const prepared = prepareLoad(options);
    if (!('requests' in prepared)) throw new LoadProblem(prepared, true);
    const shortage = descriptorProblem(prepared.connections, descriptorsMax());
    if (shortage !== '') throw new LoadProblem([shortage], false);
    const address = await addressOf(prepared);
    return new Promise((resolve, reject) => {
      load = launch(prepared, address, hooks, resolve, reject);
      if (isStopped) load?.stop();
    });
  };
  return {
    report: begin(),
    stop: () => {
      isStopped = true;
      load?.stop();
    },
  };
}

/** A load of requests that options cannot say: they may be any bytes. */
export async function runPrepared(prepared: Prepared, hooks: LoadHooks = {}): Promise<LoadReport> {
  const address = await addressOf(prepared);
  return new Promise((resolve, reject) => {
    launch(prepared, address, hooks, resolve, reject);
  });
}

async function addressOf({ host, port, socket }: Prepared): Promise<Address> {
  if (socket !== null) return { path: socket };
  try {
    return { host: await findHost(host, port), port };
  } catch (error) {
    throw new LoadProblem([(error as Error).message], false);
  }
}

function launch(
  prepared: Prepared,
  address: Address,
  hooks: LoadHooks,
  resolve: (report: LoadReport) => void,
  reject: (problem: Error) => void,
): Load | null {
  const slab = new Slab(BLOCK_BYTES, BLOCK_COUNT);
  let driver: ReturnType<typeof chooseDriver>['driver'];
  try {
    ({ driver } = chooseDriver(prepared.driver, { slab, slots: prepared.connections, backlog: 1 }));
  } catch (error) {
    reject(new LoadProblem([(error as Error).message], false));
    return null;
  }
  if (prepared.core >= 0 && !pinTo(prepared.core)) {
    driver.destroy();
    reject(new LoadProblem([`this process may not run on core ${prepared.core}`], false));
    return null;
  }
  const startedAtMs = driver.wall();
  let used = process.cpuUsage();
  let cpuMicroseconds = 0;
  const load: Load = new Load({ ...prepared, address }, driver, slab, {
    counting: () => {
      hooks.counting?.();
      used = process.cpuUsage();
    },
    counted: () => {
      const { user, system } = process.cpuUsage(used);
      cpuMicroseconds = user + system;
      hooks.counted?.();
    },
    secondOver: () => hooks.progress?.(progressOf(load, prepared, driver.now())),
  });
  const pump = new LoadPump(load, driver, () => {
    driver.destroy();
    if (load.fault < 0) reject(new LoadProblem([faultLine(prepared, load.fault)], false));
    else resolve(reportOf({ prepared, load, driver: driver.name, startedAtMs, cpuMicroseconds }));
  });
  pump.start();
  return load;
}

function faultLine({ host, port, socket }: Prepared, fault: number): string {
  const where = socket ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `cannot connect to ${where}: ${FAULTS[-fault] ?? `errno ${-fault}`}`;
}

/** By their Linux numbers, as drivers give them. */
const FAULTS: Readonly<Record<number, string>> = {
  [ERRNO.ENOENT]: 'there is no such socket (ENOENT)',
  [ERRNO.EACCES]: 'permission denied (EACCES)',
  [ERRNO.EMFILE]: 'too many open files, see ulimit -n (EMFILE)',
  [ERRNO.EADDRNOTAVAIL]: 'no address or no port left to call from (EADDRNOTAVAIL)',
  [ERRNO.ENETUNREACH]: 'network is unreachable (ENETUNREACH)',
  [ERRNO.ECONNRESET]: 'connection reset (ECONNRESET)',
  [ERRNO.ETIMEDOUT]: 'no response in time (ETIMEDOUT)',
  [ERRNO.ECONNREFUSED]: 'connection refused (ECONNREFUSED)',
  [ERRNO.EHOSTUNREACH]: 'no route to host (EHOSTUNREACH)',
};

const PHASES = ['connecting', 'running', 'ending', 'ending', 'ending'] as const;

function progressOf(load: Load, prepared: Prepared, nowMs: number): Progress {
  const { recorder } = load;
  const last = recorder.seconds.at(-1);
  const isWarmUp = load.phase === Phase.Running && nowMs < load.beginMs;
  return {
    phase: isWarmUp ? 'warm-up' : PHASES[load.phase],
    elapsedMs: nowMs - load.beginMs,
    durationMs: prepared.durationMs,
    responses: recorder.responses,
    count: prepared.count,
    errors: recorder.errors,
    requestsPerSecond: last === undefined ? 0 : (last.responses * 1000) / last.lengthMs,
    p99Ms: last?.p99Ms ?? 0,
  };
}
