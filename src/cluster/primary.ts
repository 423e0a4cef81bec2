// The primary: forks one worker a core, hands each its listener, replaces those that die, and
// serves nothing itself.

import cluster, { type ClusterSettings, type Worker } from 'node:cluster';
import { createServer as createListener } from 'node:net';
import type { Address } from '../driver/driver.ts';
import { epollProblem } from '../driver/epoll.ts';
import { allowedCores } from '../driver/linux/affinity.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import { resolveHost } from '../driver/resolve.ts';
import type { Config } from '../server/config.ts';
import { listenError } from '../server/listen-error.ts';
import { addressOf, type Cluster, type Listening, type Log } from '../server/server.ts';
import { availableCores } from './cores.ts';
import { type Listeners, openListeners } from './listeners.ts';
import {
  CORE_VARIABLE,
  type FromPrimary,
  type FromWorker,
  INDEX_VARIABLE,
  isFromWorker,
  LISTENER_VARIABLE,
  PORT_VARIABLE,
  SHARED_VARIABLE,
} from './messages.ts';
import { removeStaleSocket } from './stale-socket.ts';

/** How long to wait before a dead worker is replaced: the first time, and at most. */
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 10_000;

/** A worker that lived this long starts again without a longer wait. */
const HEALTHY_MS = 10_000;

/** A worker that does not end in time after close() is killed. */
const KILL_SLACK_MS = 2_000;

interface Seat {
  readonly index: number;
  worker: Worker | null;
  startedMs: number;
  backoffMs: number;
  timer: NodeJS.Timeout | null;
}

/** How many processes a configuration asks for. */
export function workerCount(config: Config): number {
  return config.workers === 'auto' ? availableCores() : config.workers;
}

export class Primary implements Cluster {
  readonly #config: Config;
  readonly #log: Log;
  readonly #activated: Address | null;
  readonly #seats: Seat[] = [];
  #listeners: Listeners | null = null;
  /** The port for workers that make their own listeners when any was asked for, else 0. */
  #port = 0;
  #closing = false;
  #ended: (() => void) | null = null;

  /** `activated` is a listener that was there before us, and stands over the configuration. */
  constructor(config: Config, log: Log, activated: Address | null = null) {
    this.#config = config;
    this.#activated = activated;
    this.#log = log;
  }

  async listen(): Promise<Listening> {
    const config = this.#config;
    const count = workerCount(config);
    this.#warnOfCrowding(count);
    const calls = linuxSyscalls();
    const ownListeners = config.driver !== 'net' && epollProblem() === null;
    if (ownListeners && typeof calls !== 'string') {
      const address = this.#activated ?? (await addressOf(config));
      const opened = openListeners(calls, address, count, config.limits.backlog);
      if (typeof opened === 'number') throw listenError(-opened, config);
      this.#listeners = opened;
    } else if (config.socket !== undefined) {
      if (this.#activated === null) await removeStaleSocket(config.socket);
    } else if (this.#activated === null && config.port === 0) {
      this.#port = await freePort(await resolveHost(config.host));
    }
    for (let index = 0; index < count; index++) {
      this.#seats.push({ index, worker: null, startedMs: 0, backoffMs: 0, timer: null });
    }
    try {
      // The first alone: on `net` it is the one that finds the port taken, and gives port 0 a
      // number.
      const first = await this.#start(this.#seats[0]);
      await Promise.all(this.#seats.slice(1).map((seat) => this.#start(seat)));
      return { port: first.port, host: config.host, driver: first.driver, workers: count };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #warnOfCrowding(count: number): void {
    const cores = allowedCores().length;
    if (cores === 0 || count <= cores) return;
    this.#log.warn(`${count} workers share ${cores} cores: more than one a core only adds cost`);
  }

  /** Resolves when the worker accepts, rejects when it cannot or dies before. */
  #start(seat: Seat): Promise<Extract<FromWorker, { vibing: 'listening' }>> {
    const worker = this.#fork(seat);
    return new Promise((resolve, reject) => {
      let ready = false;
      worker.on('message', (message: unknown) => {
        if (!isFromWorker(message)) return;
        if (message.vibing === 'listening') {
          ready = true;
          resolve(message);
        } else {
          reject(Object.assign(new Error(message.message), { code: message.code }));
        }
      });
      worker.on('exit', (code, signal) => {
        seat.worker = null;
        if (!ready) reject(diedError(code, signal));
        this.#exited(seat, ready, signal ?? `code ${code}`);
      });
    });
  }

  #fork(seat: Seat): Worker {
    const { index } = seat;
    const listeners = this.#listeners;
    const stdio = [
      'inherit',
      'inherit',
      'inherit',
      'ipc',
      ...(listeners ? [listeners.fd(index)] : []),
    ];
    cluster.setupPrimary({ stdio: stdio as NonNullable<ClusterSettings['stdio']> });
    const environment: Record<string, string> = { [INDEX_VARIABLE]: String(index) };
    const cores = allowedCores();
    if (cores.length > 0) environment[CORE_VARIABLE] = String(cores[index % cores.length]);
    if (listeners !== null) environment[LISTENER_VARIABLE] = '1';
    if (listeners === null && this.#activated !== null && 'fd' in this.#activated) {
      environment[SHARED_VARIABLE] = String(this.#activated.fd);
    }
    if (this.#port !== 0) environment[PORT_VARIABLE] = String(this.#port);
    seat.worker = cluster.fork(environment);
    seat.startedMs = Date.now();
    return seat.worker;
  }

  #exited(seat: Seat, wasReady: boolean, how: string): void {
    if (this.#closing) {
      if (this.#seats.every(({ worker }) => worker === null)) this.#ended?.();
      return;
    }
    // A worker that never accepted fails listen(), or the restart that it was.
    if (!wasReady && seat.backoffMs === 0) return;
    const lived = Date.now() - seat.startedMs;
    seat.backoffMs =
      lived > HEALTHY_MS || seat.backoffMs === 0 ? BACKOFF_FIRST_MS : seat.backoffMs * 2;
    seat.backoffMs = Math.min(seat.backoffMs, BACKOFF_MAX_MS);
    this.#log.error(`worker ${seat.index} ended (${how}); next start in ${seat.backoffMs} ms`);
    seat.timer = setTimeout(() => {
      seat.timer = null;
      // A failure is told by its exit, which comes here again.
      this.#start(seat).catch(() => {});
    }, seat.backoffMs);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    let running = 0;
    for (const seat of this.#seats) {
      if (seat.timer !== null) clearTimeout(seat.timer);
      if (seat.worker === null) continue;
      running += 1;
      if (seat.worker.isConnected()) seat.worker.send({ vibing: 'close' } satisfies FromPrimary);
    }
    const killer = setTimeout(
      () => this.#kill(),
      this.#config.limits.shutdownTimeoutMs + KILL_SLACK_MS,
    );
    if (running > 0) await ended;
    clearTimeout(killer);
    this.#listeners?.close();
    this.#listeners = null;
  }

  #kill(): void {
    for (const { worker } of this.#seats) worker?.process.kill('SIGKILL');
  }
}

function diedError(code: number | null, signal: string | null): Error {
  const how = signal === null ? `exit code ${code}` : signal;
  return Object.assign(new Error(`a worker ended before it listened (${how})`), { code: 'ECHILD' });
}

/**
 * A port that nobody has. Workers that share a listener by asking for any port would get another
 * one when all of them are replaced at once.
 */
function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createListener();
    listener.once('error', reject);
    listener.listen(0, host, () => {
      const address = listener.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      listener.close(() => resolve(port));
    });
  });
}
