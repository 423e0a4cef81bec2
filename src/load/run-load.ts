// Runs a load in this process: looks up the server, chooses a driver, and makes the report.

import { ERRNO } from '../base/errno.ts';
import { Slab } from '../base/slab.ts';
import { chooseDriver } from '../driver/choose.ts';
import type { Address } from '../driver/driver.ts';
import { findHost } from '../driver/find-host.ts';
import { pinTo } from '../driver/linux/affinity.ts';
import { descriptorsMax } from '../driver/linux/descriptors.ts';
import { Load } from './load.ts';
import { type LoadOptions, type Prepared, prepareLoad } from './options.ts';
import { Phase } from './phase.ts';
import { LoadPump } from './pump.ts';
import { type LoadReport, reportOf } from './report.ts';

/** A block is released as soon as it is read, so few are enough. */
const BLOCK_BYTES = 32 * 1024;
const BLOCK_COUNT = 512;
/** Descriptors of a Node process other than connections, with some to spare. */
const OTHER_DESCRIPTORS = 64;

/** The state of a load, reported every second. */
export interface Progress {
  readonly phase: 'connecting' | 'warm-up' | 'running' | 'ending';
  /** Since the counted time began; negative in the warm-up. */
  readonly elapsedMs: number;
  /** Length of the counted time; Infinity when a count ends it. */
  readonly durationMs: number;
  readonly responses: number;
  readonly count: number;
  readonly errors: number;
  /** Of the last second. */
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** Functions that a load calls while it runs. */
export interface LoadHooks {
  /** Is called every second. */
  readonly progress?: (progress: Progress) => void;
  /** The counted time begins. */
  readonly counting?: () => void;
  /** The counted time ended. */
  readonly counted?: () => void;
}

/** A load that has been started. */
export interface RunningLoad {
  /** Rejects with LoadProblem when the load cannot begin. */
  readonly report: Promise<LoadReport>;
  /** Ends the load early; the report has the results so far. */
  stop(): void;
}

/** A load cannot start. */
export class LoadProblem extends Error {
  override readonly name = 'LoadProblem';
  /** One line each. */
  readonly problems: readonly string[];
  /** True when the options are wrong, false when the system or the network is the cause. */
  readonly isUsageError: boolean;

  constructor(problems: readonly string[], isUsageError: boolean) {
    super(problems.join('\n'));
    this.problems = problems;
    this.isUsageError = isUsageError;
  }
}

/** Runs a load to its end and resolves with its report. */
export function runLoad(options: LoadOptions, hooks: LoadHooks = {}): Promise<LoadReport> {
  return startLoad(options, hooks).report;
}

/** Starts a load, which can be stopped. Its report rejects with LoadProblem. */
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

/** Runs a load whose requests are any bytes, which options cannot express. */
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
    secondEnded: () => hooks.progress?.(progressOf(load, prepared, driver.now())),
  });
  const pump = new LoadPump(load, driver, () => {
    driver.destroy();
    if (load.fault < 0) reject(new LoadProblem([faultLine(prepared, load.fault)], false));
    else resolve(reportOf({ prepared, load, driver: driver.name, startedAtMs, cpuMicroseconds }));
  });
  pump.start();
  return load;
}

/**
 * The problem when the limit of descriptors is too low for all connections, or ''. Node raises the
 * soft limit to the hard one at its start, so the limit cannot grow later.
 */
export function descriptorProblem(connections: number, limit: number): string {
  const needed = connections + OTHER_DESCRIPTORS;
  if (needed <= limit) return '';
  return (
    `${connections} connections need ${needed} open files, this process may have ${limit}: ` +
    `raise it with ulimit -n ${needed} (as root, or LimitNOFILE= of a service), or use at most ` +
    `${Math.max(1, limit - OTHER_DESCRIPTORS)} connections`
  );
}

/** Why nothing could be connected to, as -errno in `fault`. */
export function faultLine({ host, port, socket }: Prepared, fault: number): string {
  const where = socket ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `cannot connect to ${where}: ${FAULTS[-fault] ?? `errno ${-fault}`}`;
}

/** By their Linux numbers, which all drivers return. */
const FAULTS: Readonly<Record<number, string>> = {
  [ERRNO.ENOENT]: 'no such socket (ENOENT)',
  [ERRNO.EACCES]: 'permission denied (EACCES)',
  [ERRNO.EMFILE]: 'too many open files, see ulimit -n (EMFILE)',
  [ERRNO.EADDRNOTAVAIL]: 'no local address or port left (EADDRNOTAVAIL)',
  [ERRNO.ENETUNREACH]: 'network is unreachable (ENETUNREACH)',
  [ERRNO.ECONNRESET]: 'connection reset (ECONNRESET)',
  [ERRNO.ETIMEDOUT]: 'connection timed out (ETIMEDOUT)',
  [ERRNO.ECONNREFUSED]: 'connection refused (ECONNREFUSED)',
  [ERRNO.EHOSTUNREACH]: 'no route to host (EHOSTUNREACH)',
};

const PHASES = ['connecting', 'running', 'ending', 'ending', 'ending'] as const;

/** The state of a load at a time. */
export function progressOf(load: Load, prepared: Prepared, nowMs: number): Progress {
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
