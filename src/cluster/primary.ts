// The primary process: forks the workers, passes them the listeners, replaces workers that exit,
// and replaces all of them on reload(). It serves no requests itself.

import type { Address } from '../driver/driver.ts';
import { type Config, optionsOf, type ServerOptions } from '../server/config/config.ts';
import type { Log } from '../server/log.ts';
import type { Cluster, Listening } from '../server/server.ts';
import { placeOf, type SharedMetrics } from '../server/server-metrics.ts';
import { STARTED_MS } from './back-off.ts';
import { ClosedError } from './closed-error.ts';
import { workerCount } from './cores.ts';
import { changedKeys, type FixedValues, fixedValues } from './fixed-keys.ts';
import type { Listeners } from './listeners.ts';
import { type Assignment, LISTENER_FD, type Ready } from './messages.ts';
import { nodePorts } from './node-ports.ts';
import type { Cancel, Child, PrimaryPorts } from './ports.ts';
import { killStuckWorkers } from './stuck-workers.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import { StartError, WorkerProcess } from './worker-process.ts';
import { CLOSING_MS, exhaustedError, WorkerSlot } from './worker-slot.ts';

export class Primary implements Cluster {
  readonly failed: Promise<Error>;
  #metrics: WorkerMetrics | null = null;
  readonly #config: Config;
  readonly #log: Log;
  /** The values of keys that a reload cannot change. */
  readonly #fixed: FixedValues;
  readonly #activated: Address | null;
  readonly #ports: PrimaryPorts;
  readonly #workerSlots: WorkerSlot[] = [];
  /** All processes that run, with those that close. */
  readonly #processes = new Set<WorkerProcess>();
  #listeners: Listeners | null = null;
  /** Where workers listen that inherit no listener: those on `net`. */
  #address: Address = { host: '', port: 0 };
  /** The configuration of the worker that listened last, for workers that replace one that died. */
  #accepted: ServerOptions;
  readonly #reportedNotes = new Set<string>();
  /** Keys that a reload cannot change and has warned of. */
  readonly #reportedChanges = new Set<string>();
  /** listen() has resolved. */
  #isUp = false;
  #closed: Promise<void> | null = null;
  #allExited: () => void = () => {};
  #reloading: Promise<void> | null = null;
  #reloadingNext: Promise<void> | null = null;
  #fail: (error: Error) => void = () => {};
  #cancelExit: Cancel = () => {};
  #cancelReopen: Cancel = () => {};
  #cancelChecks: Cancel = () => {};

  /** `activated` is a listener that the service manager opened; it overrides the configuration. */
  constructor(
    config: Config,
    log: Log,
    activated: Address | null = null,
    ports: PrimaryPorts = nodePorts,
  ) {
    this.#config = config;
    this.#ports = ports;
    this.#accepted = optionsOf(config);
    this.#fixed = fixedValues(config);
    this.#activated = activated;
    this.#log = log;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  async listen(): Promise<Listening> {
    const config = this.#config;
    const count = workerCount(config);
    this.#warnOfTooManyWorkers(count);
    await this.#openListeners(count);
    const place = placeOf(config);
    if (place.path !== null) this.#metrics = this.#ports.openMetrics(count, place);
    for (let index = 0; index < count; index++)
      this.#workerSlots.push(new WorkerSlot(index, this.#ports));
    // No worker outlives this process, unless it is killed by SIGKILL.
    this.#cancelExit = this.#ports.onExit(() => {
      for (const worker of this.#processes) worker.kill();
    });
    // SIGUSR1 comes to this process; its workers have log files of their own.
    this.#cancelReopen = this.#ports.onReopen(() => {
      for (const worker of this.#processes) worker.reopenLogs();
    });
    const { workerTimeoutMs } = config.limits;
    const report = (text: string): void => this.#log.error(text);
    this.#cancelChecks = killStuckWorkers(this.#processes, workerTimeoutMs, this.#ports, report);
    try {
      // The first starts alone: on `net` it reports that the port is taken.
      const first = await this.#startWorker(this.#workerSlots[0]);
      await Promise.all(this.#workerSlots.slice(1).map((slot) => this.#startWorker(slot)));
      this.#isUp = true;
      return { port: first.port, host: config.host, driver: first.driver, workers: count };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #warnOfTooManyWorkers(count: number): void {
    const cores = this.#ports.cores().length;
    if (cores === 0 || count <= cores) return;
    this.#log.warn(
      `${count} workers share ${cores} cores; more than one for each core adds no speed`,
    );
  }

  get metrics(): SharedMetrics | null {
    return this.#metrics?.file ?? null;
  }

  async #openListeners(count: number): Promise<void> {
    const opened = await this.#ports.open(this.#config, this.#activated, count);
    if (this.#closed !== null) {
      opened.listeners?.close();
      throw new ClosedError();
    }
    this.#listeners = opened.listeners;
    this.#address = opened.address;
  }

  /**
   * Starts workers until one listens, the first after `delayMs`, which is that of a worker that is
   * closing. Rejects when too many starts in a row fail.
   */
  #startWorker(workerSlot: WorkerSlot, delayMs = 0): Promise<Ready> {
    return workerSlot.start(async () => {
      for (let waitMs = delayMs; ; waitMs = 0) {
        await workerSlot.wait(waitMs);
        if (this.#closed !== null) throw new ClosedError();
        if (waitMs > 0)
          this.#log.notice(`worker ${workerSlot.index} is closing; its replacement starts`);
        try {
          return await this.#startOnce(workerSlot, this.#accepted);
        } catch (error) {
          if (this.#closed !== null || !(error instanceof StartError)) throw error;
          if (error.isReported && !this.#isUp) throw error;
          workerSlot.backOff.exited(-1, false);
          if (this.#isExhausted(workerSlot)) throw exhaustedError(workerSlot, error);
          workerSlot.attemptFailed(error);
          this.#log.error(`${error.message}; ${workerSlot.backOff.nextStart}`);
        }
      }
    });
  }

  /**
   * Starts one worker, which takes the slot over when it listens. `options` is its configuration;
   * null to read it again.
   */
  async #startOnce(workerSlot: WorkerSlot, options: ServerOptions | null): Promise<Ready> {
    const started = this.#fork(workerSlot, options);
    let ready: Ready;
    try {
      ready = await started.ready;
    } catch (error) {
      started.retire();
      throw error;
    }
    // It may have exited, or been closed, as soon as it listened.
    if (!started.isUsable) {
      const how = started.exitReason === null ? 'was closed' : `exited (${started.exitReason})`;
      throw new StartError(`worker ${workerSlot.index} ${how}`, 'ECHILD', false);
    }
    this.#accepted = ready.options;
    const before = workerSlot.worker;
    workerSlot.worker = started;
    workerSlot.releaseSibling();
    for (const other of this.#workerSlots) if (other.worker === null) this.#assignSibling(other);
    if (before !== null) this.#retire(workerSlot, before);
    this.#warnOfFixedKeys(ready);
    return ready;
  }

  #fork(workerSlot: WorkerSlot, options: ServerOptions | null): WorkerProcess {
    let child: Child;
    const assignment = this.#assignment(workerSlot, options);
    const { metrics } = assignment;
    const release = (): void => {
      if (metrics !== null) this.#metrics?.release(metrics);
    };
    try {
      const fds = [...(this.#listeners?.fds ?? [])];
      if (this.#metrics !== null) fds.push(this.#metrics.fd);
      child = this.#ports.fork(assignment, fds, this.#workerSlots.length);
    } catch (error) {
      release();
      throw new StartError(`worker ${workerSlot.index} cannot start: ${error}`, 'ECHILD', false);
    }
    const started = new WorkerProcess(workerSlot.index, child, this.#ports, {
      closing: () => this.#workerClosing(workerSlot, started),
      exited: () => {
        release();
        this.#workerExited(workerSlot, started);
      },
      overdue: (text) => this.#log.warn(text),
      note: (text) => this.#logNote(text),
      served: (connections, requests) => {
        const what = `${connections} connections, ${requests} requests`;
        this.#log.notice(`worker ${workerSlot.index} served ${what}`);
      },
      published: (message) => {
        for (const other of this.#processes) if (other !== started) other.deliver(message);
      },
    });
    this.#processes.add(started);
    return started;
  }

  #assignment({ index }: WorkerSlot, options: ServerOptions | null): Assignment {
    const cores = this.#ports.cores();
    const listeners = this.#listeners?.fds.length ?? 0;
    return {
      index,
      core: cores.length === 0 ? null : cores[index % cores.length],
      listeners,
      listener: listeners > 1 ? index : 0,
      address: this.#address,
      driver: this.#config.driver,
      metrics: this.#metrics?.assign(index, LISTENER_FD + listeners) ?? null,
      options,
    };
  }

  /** Every worker sends the same notes: each is logged once. */
  #logNote(text: string): void {
    if (!this.#reportedNotes.has(text)) this.#log.notice(text);
    this.#reportedNotes.add(text);
  }

  #warnOfFixedKeys({ fixed }: Ready): void {
    for (const key of changedKeys(this.#fixed, fixed)) {
      if (!this.#reportedChanges.has(key))
        this.#log.warn(`${key}: a reload cannot change it, restart the server`);
      this.#reportedChanges.add(key);
    }
  }

  /** A worker closes by itself: it got SIGTERM, or its code called close(). */
  #workerClosing(workerSlot: WorkerSlot, worker: WorkerProcess): void {
    if (workerSlot.worker !== worker || this.#closed !== null) return;
    this.#exited(workerSlot, worker, true, CLOSING_MS);
  }

  #workerExited(workerSlot: WorkerSlot, worker: WorkerProcess): void {
    this.#processes.delete(worker);
    if (this.#processes.size === 0) this.#allExited();
    if (workerSlot.worker !== worker || this.#closed !== null) return;
    this.#exited(workerSlot, worker, worker.wasKilled);
  }

  #exited(slot: WorkerSlot, worker: WorkerProcess, byOthers: boolean, delayMs = 0): void {
    slot.worker = null;
    slot.backOff.exited(worker.listenedMs, byOthers);
    this.#assignSibling(slot);
    this.#replaceSibling(worker);
    const error = new Error(`worker ${slot.index} exited (${worker.exitReason})`);
    if (this.#isExhausted(slot)) {
      this.#giveUp(exhaustedError(slot, error));
      return;
    }
    if (worker.exitReason !== null) {
      this.#log.error(`${error.message}; ${slot.backOff.nextStart}`);
    }
    // A reload may have started the next one already.
    if (!slot.isRenewing) this.#restart(slot, delayMs);
  }

  #restart(workerSlot: WorkerSlot, delayMs = 0): void {
    this.#startWorker(workerSlot, delayMs).catch((error: Error) => this.#giveUp(error));
  }

  /** Whether to give up. While another worker serves, a slot that cannot start keeps trying. */
  #isExhausted(workerSlot: WorkerSlot): boolean {
    if (!workerSlot.backOff.isExhausted) return false;
    return (
      !this.#isUp ||
      !this.#workerSlots.some(({ worker }) => (worker?.listenedMs ?? -1) > STARTED_MS)
    );
  }

  #giveUp(error: Error): void {
    if (this.#closed !== null) return;
    if (!this.#isUp) {
      // listen() rejects with it.
      for (const workerSlot of this.#workerSlots) workerSlot.abandon(error);
      return;
    }
    this.#log.error(`${error.message}; the server closes`);
    this.#ports.setFailed();
    void this.close();
    this.#fail(error);
  }

  /** Another worker accepts from the listener of a slot that has no worker. */
  #assignSibling(workerSlot: WorkerSlot): void {
    if (workerSlot.sibling !== null || (this.#listeners?.fds.length ?? 0) < 2) return;
    const { length } = this.#workerSlots;
    for (let step = 1; step < length && workerSlot.sibling === null; step++) {
      workerSlot.sibling = this.#workerSlots[(workerSlot.index + step) % length].worker;
    }
    workerSlot.sibling?.acceptAlso(workerSlot.index, true);
  }

  /** Other workers accept from the listeners that this worker accepted from as a sibling. */
  #replaceSibling(worker: WorkerProcess): void {
    for (const workerSlot of this.#workerSlots) {
      if (workerSlot.sibling !== worker) continue;
      workerSlot.sibling = null;
      this.#assignSibling(workerSlot);
    }
  }

  /** `worker` of this slot is replaced by the next one. */
  #retire(workerSlot: WorkerSlot, worker: WorkerProcess): void {
    workerSlot.backOff.replaced(worker.listenedMs);
    this.#replaceSibling(worker);
    worker.retire();
  }

  /** Calls during a reload share one further reload, which starts when this one has ended. */
  reload(): Promise<void> {
    if (this.#closed !== null) return Promise.reject(new ClosedError());
    if (!this.#isUp) return Promise.reject(new Error('the server cannot reload: it is starting'));
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
    this.#reportedChanges.clear();
    for (const workerSlot of this.#workerSlots) {
      try {
        // A worker that is starting may have read the configuration of before. Another start may
        // begin while this waits.
        while (workerSlot.isStarting) await workerSlot.whenStarted();
        await this.#renew(workerSlot);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (this.#closed !== null) throw new Error(`reload failed: ${why}`);
        throw new Error(`reload failed, workers that were not replaced keep serving: ${why}`);
      }
    }
    const { length } = this.#workerSlots;
    this.#log.notice(`reloaded: ${length} new ${length === 1 ? 'worker serves' : 'workers serve'}`);
  }

  async #renew(workerSlot: WorkerSlot): Promise<void> {
    if (this.#closed !== null) throw new ClosedError();
    workerSlot.isRenewing = true;
    try {
      // Only workers of a reload read the configuration file again.
      await this.#startOnce(workerSlot, null);
    } finally {
      workerSlot.isRenewing = false;
      if (workerSlot.worker === null && this.#closed === null) this.#restart(workerSlot);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeNow();
    return this.#closed;
  }

  async #closeNow(): Promise<void> {
    const allExited = new Promise<void>((resolve) => {
      this.#allExited = resolve;
    });
    for (const workerSlot of this.#workerSlots) workerSlot.abandon(new ClosedError());
    // A worker that starts serves no client but holds listeners open: clients that connect after
    // all others closed theirs would be reset.
    const starting = [...this.#processes].filter((worker) => !worker.mayListen);
    for (const worker of starting) worker.kill();
    await Promise.all(starting.map((worker) => worker.exited));
    // Before the workers finish, so that new clients are refused at once.
    this.#listeners?.close();
    this.#listeners = null;
    // The service manager keeps an activated socket open, and with it the queue of clients.
    const last = this.#activated === null;
    for (const worker of this.#processes) worker.retire(last);
    if (this.#processes.size > 0) await allExited;
    this.#cancelExit();
    this.#cancelReopen();
    this.#cancelChecks();
    this.#metrics?.file.close();
  }
}
