// The primary: forks one worker a core, hands each the listeners, replaces those that end, renews
// all of them on reload(), and serves nothing itself.

import cluster, { type ClusterSettings, type Worker } from 'node:cluster';
import type { Address } from '../driver/driver.ts';
import { allowedCores } from '../driver/linux/affinity.ts';
import { epollProblem } from '../driver/linux/epoll.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import { type Config, optionsOf, type ServerOptions } from '../server/config/config.ts';
import { listenError } from '../server/listen-error.ts';
import type { Log } from '../server/log.ts';
import { addressOf, type Cluster, type Listening } from '../server/server.ts';
import { STARTED_MS, STARTS_MAX } from './back-off.ts';
import { changedKeys, fixedValues } from './fixed-keys.ts';
import { freePort } from './free-port.ts';
import { type Listeners, openListeners } from './listeners.ts';
import { ASSIGNMENT_VARIABLE, type Assignment, type Ready } from './messages.ts';
import { removeStaleSocket } from './stale-socket.ts';
import { workerCount } from './worker-count.ts';
import { workerOptions } from './worker-options.ts';
import { StartError, WorkerProcess } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';

export class Primary implements Cluster {
  readonly failed: Promise<Error>;
  readonly #config: Config;
  readonly #log: Log;
  readonly #activated: Address | null;
  readonly #workerSlots: WorkerSlot[] = [];
  /** All that run, also those that are on their way out. */
  readonly #processes = new Set<WorkerProcess>();
  #listeners: Listeners | null = null;
  /** Where workers listen that inherit no listener. */
  #address: Address = { host: '', port: 0 };
  /** The configuration of the worker that came up last, for those that replace one that died. */
  #accepted: ServerOptions;
  readonly #notesTold = new Set<string>();
  /** Changes that a reload cannot make and has warned of. */
  readonly #changesTold = new Set<string>();
  /** listen() has resolved. */
  #isUp = false;
  #closed: Promise<void> | null = null;
  #emptied: () => void = () => {};
  #reloading: Promise<void> | null = null;
  #reloadingNext: Promise<void> | null = null;
  #fail: (error: Error) => void = () => {};
  /** However this process ends, short of being killed, no worker outlives it. */
  readonly #killAll = () => {
    for (const worker of this.#processes) worker.kill();
  };

  /** `activated` is a listener that was there before us, and stands over the configuration. */
  constructor(config: Config, log: Log, activated: Address | null = null) {
    this.#config = config;
    this.#accepted = optionsOf(config);
    this.#activated = activated;
    this.#log = log;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  async listen(): Promise<Listening> {
    const config = this.#config;
    const count = workerCount(config);
    this.#warnOfCrowding(count);
    await this.#openListeners(count);
    for (let index = 0; index < count; index++) this.#workerSlots.push(new WorkerSlot(index));
    process.on('exit', this.#killAll);
    try {
      // The first alone: on `net` it is the one that finds the port taken.
      const first = await this.#fill(this.#workerSlots[0]);
      await Promise.all(this.#workerSlots.slice(1).map((workerSlot) => this.#fill(workerSlot)));
      this.#isUp = true;
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

  async #openListeners(count: number): Promise<void> {
    const config = this.#config;
    const address = this.#activated ?? (await addressOf(config));
    const calls = linuxSyscalls();
    this.#address = address;
    // Where epoll does not run io_uring does not either; both take listeners that are inherited.
    const isLinux = config.driver !== 'net' && epollProblem() === null;
    if (isLinux && typeof calls !== 'string') {
      const opened = openListeners(calls, address, count, config.limits.backlog);
      if (typeof opened === 'number') throw listenError(-opened, config);
      this.#listeners = opened;
    } else if ('path' in address) {
      await removeStaleSocket(address.path);
    } else if ('host' in address && address.port === 0) {
      this.#address = { host: address.host, port: await freePort(address.host) };
    }
  }

  /** Starts workers until one listens. Rejects when there is no sense in going on. */
  #fill(workerSlot: WorkerSlot): Promise<Ready> {
    return workerSlot.fill(async () => {
      for (;;) {
        await workerSlot.wait();
        if (this.#closed !== null) throw new Error('the server closes');
        try {
          return await this.#start(workerSlot);
        } catch (error) {
          if (this.#closed !== null || !(error instanceof StartError)) throw error;
          if (error.isTold && !this.#isUp) throw error;
          workerSlot.backOff.ended(-1, false);
          if (this.#isHopeless(workerSlot)) throw hopeless(workerSlot, error);
          workerSlot.attemptFailed(error);
          this.#log.error(`${error.message}; next start in ${workerSlot.backOff.waitMs} ms`);
        }
      }
    });
  }

  /** Starts a worker, which takes the seat over when it listens. */
  async #start(workerSlot: WorkerSlot): Promise<Ready> {
    const started = this.#fork(workerSlot);
    let ready: Ready;
    try {
      ready = await started.ready;
    } catch (error) {
      started.retire();
      throw error;
    }
    // It may have gone as soon as it listened.
    if (started.ending !== null) {
      throw new StartError(`worker ${workerSlot.index} ended (${started.ending})`, 'ECHILD', false);
    }
    this.#accepted = ready.options;
    const before = workerSlot.worker;
    workerSlot.worker = started;
    this.#uncover(workerSlot);
    for (const other of this.#workerSlots) if (other.worker === null) this.#cover(other);
    if (before !== null) this.#letGo(before);
    this.#warnOfChanges(ready);
    return ready;
  }

  #fork(workerSlot: WorkerSlot): WorkerProcess {
    let worker: Worker;
    try {
      const stdio = ['inherit', 'inherit', 'inherit', 'ipc', ...(this.#listeners?.fds ?? [])];
      cluster.setupPrimary({
        stdio: stdio as NonNullable<ClusterSettings['stdio']>,
        execArgv: workerOptions(this.#workerSlots.length),
      });
      worker = cluster.fork({
        [ASSIGNMENT_VARIABLE]: JSON.stringify(this.#assignment(workerSlot)),
      });
    } catch (error) {
      throw new StartError(`worker ${workerSlot.index} cannot start: ${error}`, 'ECHILD', false);
    }
    const started = new WorkerProcess(workerSlot.index, worker, {
      leaving: () => this.#leaving(workerSlot, started),
      ended: () => this.#ended(workerSlot, started),
      note: (text) => this.#note(text),
      served: (connections, requests) => {
        const what = `${connections} connections, ${requests} requests`;
        this.#log.notice(`worker ${workerSlot.index} served ${what}`);
      },
    });
    this.#processes.add(started);
    return started;
  }

  #assignment({ index }: WorkerSlot): Assignment {
    const cores = allowedCores();
    const listeners = this.#listeners?.fds.length ?? 0;
    return {
      index,
      core: cores.length === 0 ? null : cores[index % cores.length],
      listeners,
      listener: listeners > 1 ? index : 0,
      address: this.#address,
      driver: this.#config.driver,
      // Only a reload may find that what is to be read is wrong.
      options: this.#reloading === null ? this.#accepted : null,
    };
  }

  /** It is the same for all of them. */
  #note(text: string): void {
    if (!this.#notesTold.has(text)) this.#log.notice(text);
    this.#notesTold.add(text);
  }

  #warnOfChanges({ fixed }: Ready): void {
    for (const key of changedKeys(fixedValues(this.#config), fixed)) {
      if (!this.#changesTold.has(key)) this.#log.warn(`${key}: a restart is needed`);
      this.#changesTold.add(key);
    }
  }

  /** A worker stops without having been told: somebody sent it SIGTERM, or its code closed it. */
  #leaving(workerSlot: WorkerSlot, worker: WorkerProcess): void {
    if (workerSlot.worker !== worker || this.#closed !== null) return;
    this.#log.notice(`worker ${workerSlot.index} finishes and ends; a new one starts`);
    this.#exited(workerSlot, worker, true);
  }

  #ended(workerSlot: WorkerSlot, worker: WorkerProcess): void {
    this.#processes.delete(worker);
    if (this.#processes.size === 0) this.#emptied();
    if (workerSlot.worker !== worker || this.#closed !== null) return;
    this.#exited(workerSlot, worker, worker.wasKilled);
  }

  #exited(workerSlot: WorkerSlot, worker: WorkerProcess, byOthers: boolean): void {
    workerSlot.worker = null;
    workerSlot.backOff.ended(worker.listenedMs, byOthers);
    this.#cover(workerSlot);
    this.#recover(worker);
    const error = new Error(`worker ${workerSlot.index} ended (${worker.ending})`);
    if (this.#isHopeless(workerSlot)) {
      this.#giveUp(hopeless(workerSlot, error));
      return;
    }
    if (worker.ending !== null) {
      this.#log.error(`${error.message}; next start in ${workerSlot.backOff.waitMs} ms`);
    }
    // A reload may be starting the next one already.
    if (!workerSlot.isRenewing) this.#refill(workerSlot);
  }

  #refill(workerSlot: WorkerSlot): void {
    this.#fill(workerSlot).catch((error: Error) => this.#giveUp(error));
  }

  /** Where others serve well, a seat that does not must not take them down: it goes on trying. */
  #isHopeless(workerSlot: WorkerSlot): boolean {
    if (!workerSlot.backOff.isHopeless) return false;
    return (
      !this.#isUp ||
      !this.#workerSlots.some(({ worker }) => (worker?.listenedMs ?? -1) > STARTED_MS)
    );
  }

  #giveUp(error: Error): void {
    if (this.#closed !== null) return;
    if (!this.#isUp) {
      // listen() tells of it.
      for (const workerSlot of this.#workerSlots) workerSlot.abandon(error);
      return;
    }
    this.#log.error(`${error.message}; everything is closed`);
    process.exitCode = 1;
    void this.close();
    this.#fail(error);
  }

  /** A sibling takes the clients of a seat that has no worker. */
  #cover(workerSlot: WorkerSlot): void {
    if (workerSlot.helper !== null || (this.#listeners?.fds.length ?? 0) < 2) return;
    const { length } = this.#workerSlots;
    for (let step = 1; step < length && workerSlot.helper === null; step++) {
      workerSlot.helper = this.#workerSlots[(workerSlot.index + step) % length].worker;
    }
    workerSlot.helper?.acceptAlso(workerSlot.index, true);
  }

  #uncover(workerSlot: WorkerSlot): void {
    workerSlot.helper?.acceptAlso(workerSlot.index, false);
    workerSlot.helper = null;
  }

  /** Somebody else covers what this worker has covered. */
  #recover(worker: WorkerProcess): void {
    for (const workerSlot of this.#workerSlots) {
      if (workerSlot.helper !== worker) continue;
      workerSlot.helper = null;
      this.#cover(workerSlot);
    }
  }

  #letGo(worker: WorkerProcess): void {
    this.#recover(worker);
    worker.retire();
  }

  /** Calls during a reload are answered by one more, which begins when this one is over. */
  reload(): Promise<void> {
    if (this.#closed !== null) return Promise.reject(new Error('the server closes'));
    if (this.#reloading === null) {
      this.#reloading = this.#reloadNow().finally(() => {
        this.#reloading = null;
      });
      return this.#reloading;
    }
    this.#reloadingNext ??= this.#reloading
      .catch(() => {})
      .then(() => {
        this.#reloadingNext = null;
        return this.reload();
      });
    return this.#reloadingNext;
  }

  async #reloadNow(): Promise<void> {
    this.#changesTold.clear();
    for (const workerSlot of this.#workerSlots) {
      try {
        // One that is starting has perhaps read what was there before.
        await workerSlot.whenFilled();
        await this.#renew(workerSlot);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (this.#closed !== null) throw new Error(`reload stopped: ${why}`);
        throw new Error(`reload stopped, the workers of before go on: ${why}`);
      }
    }
    const { length } = this.#workerSlots;
    this.#log.notice(
      `reloaded: ${length} fresh ${length === 1 ? 'worker serves' : 'workers serve'}`,
    );
  }

  async #renew(workerSlot: WorkerSlot): Promise<void> {
    if (this.#closed !== null) throw new Error('the server closes');
    workerSlot.isRenewing = true;
    try {
      await this.#start(workerSlot);
    } finally {
      workerSlot.isRenewing = false;
      if (workerSlot.worker === null && this.#closed === null) this.#refill(workerSlot);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeNow();
    return this.#closed;
  }

  async #closeNow(): Promise<void> {
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const workerSlot of this.#workerSlots) workerSlot.abandon(new Error('the server closes'));
    // Who starts serves nobody, and holds listeners open: clients that came when all others have
    // finished with them would be reset.
    const starting = [...this.#processes].filter((worker) => !worker.mayListen);
    for (const worker of starting) worker.kill();
    await Promise.all(starting.map((worker) => worker.ended));
    // Now, so that clients go elsewhere while the workers finish.
    this.#listeners?.close();
    this.#listeners = null;
    // A socket that was handed over has somebody who keeps it, and its queue.
    const last = this.#activated === null;
    for (const worker of this.#processes) worker.retire(last);
    if (this.#processes.size > 0) await emptied;
    process.off('exit', this.#killAll);
  }
}

function hopeless(workerSlot: WorkerSlot, last: Error): Error {
  const what = `worker ${workerSlot.index} failed to start ${STARTS_MAX} times in a row`;
  return Object.assign(new Error(`${what}: ${last.message}`), { code: 'ECHILD' });
}
