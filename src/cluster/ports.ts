// What a primary uses of its process: clock, timers, child processes, listeners, cores; and what a
// worker uses of its own. Tests pass in a model of these; node-ports.ts and node-worker-ports.ts
// have the real ones.

import type { Address } from '../driver/driver.ts';
import type { Syscalls } from '../driver/linux/syscalls.ts';
import type { Config } from '../server/config/config.ts';
import type { MetricsPlace } from '../server/server-metrics.ts';
import type { Listeners } from './listeners.ts';
import type { Assignment, FromPrimary } from './messages.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

export type Cancel = () => void;

export interface Timers {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls `due` after `delayMs`, unless it is cancelled before. */
  after(delayMs: number, due: () => void): Cancel;
}

/** What workers listen on. */
export interface Opened {
  /** The listeners that workers inherit; null when each listens by itself, as on `net`. */
  readonly listeners: Listeners | null;
  /** Where workers listen that inherit no listener. */
  readonly address: Address;
}

export interface ChildEvents {
  received(message: unknown): void;
  /** `how` is the exit code or the signal as text. */
  exited(how: string, wasKilled: boolean): void;
}

/** A child process that becomes a worker. */
export interface Child {
  /** Undefined when no process could be spawned. */
  readonly pid: number | undefined;
  /** To be called once, in the turn of the fork. */
  watch(events: ChildEvents): void;
  /** Messages to a process that has exited are dropped; `sent` is called when one has left. */
  send(message: FromPrimary, sent?: () => void): void;
  /** Sends SIGKILL. */
  kill(): void;
  /** Whether a signal or a debugger has stopped it; false where the system does not say. */
  isStopped(): boolean;
}

export interface PrimaryPorts extends Timers {
  /** The cores that this process may use; empty when they are unknown. */
  cores(): readonly number[];
  /** Rejects with an error that says what cannot be listened on. */
  open(config: Config, activated: Address | null, count: number): Promise<Opened>;
  /** Opens the file of the metrics of so many workers. */
  openMetrics(workers: number, place: MetricsPlace): WorkerMetrics;
  /** Starts one of `count` workers, which inherits `fds`. Throws when there can be no process. */
  fork(assignment: Assignment, fds: readonly number[], count: number): Child;
  /** Calls `listener` when this process exits, unless it is cancelled before. */
  onExit(listener: () => void): Cancel;
  /** Calls `listener` when log files are to be opened again, unless it is cancelled before. */
  onReopen(listener: () => void): Cancel;
  /** Calls `due` when all that has arrived is received, unless it is cancelled before. */
  afterEvents(due: () => void): Cancel;
  /** The exit code of this process from now on is that of a failure. */
  setFailed(): void;
}

/** The process of a worker: its channel to the primary, its signals, its end. */
export type HostProcess = Pick<
  NodeJS.Process,
  'connected' | 'disconnect' | 'exit' | 'on' | 'once' | 'send'
>;

export interface WorkerPorts {
  readonly process: HostProcess;
  /** Null without the foreign function library. */
  calls(): Syscalls | null;
  /** Runs this thread on one core, where the system has that. */
  pinTo(core: number): unknown;
  /** Opens log files again. */
  reopenLogs(): void;
  /** Whether the inspector of this process is open, so that a debugger may pause it. */
  isDebugged(): boolean;
  /** Otherwise node:cluster exits the process at once when its primary is gone. */
  outlivePrimary(): void;
  /** Calls `due` after `delayMs`, unless the process has ended by then. */
  afterAtMost(delayMs: number, due: () => void): void;
}
