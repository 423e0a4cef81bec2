// One worker process as its primary sees it: whether it listens, what it says, how it ends.

import type { Worker } from 'node:cluster';
import { type FromPrimary, isFromWorker, type Ready } from './messages.ts';

/** A worker that does not listen by then is killed: a guess, far beyond what loading code takes. */
const START_MS_MAX = 60_000;

/** How much longer than shutdown_timeout_ms a worker may take to end before it is killed. */
const KILL_SLACK_MS = 2_000;

export interface WorkerEvents {
  /** It stops by itself: nobody told it to. */
  leaving(): void;
  ended(): void;
  note(text: string): void;
  served(connections: number, requests: number): void;
}

/** Why a worker does not listen. */
export class StartError extends Error {
  /** Whether the worker itself gave the reason. A fresh one would say the same. */
  readonly isTold: boolean;
  readonly code: string;

  constructor(message: string, code: string, isTold: boolean) {
    super(message);
    this.code = code;
    this.isTold = isTold;
  }
}

export class WorkerProcess {
  readonly index: number;
  /** Resolves when it accepts; rejects with a StartError when it ended before. */
  readonly ready: Promise<Ready>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** How it ended, in words; null while it runs. */
  ending: string | null = null;
  /** Whether somebody killed it. */
  wasKilled = false;
  readonly #worker: Worker;
  readonly #events: WorkerEvents;
  #listening: Ready | null = null;
  #shutdownTimeoutMs = 0;
  #listeningSinceMs = 0;
  #retired = false;
  #mayListen = false;
  #wasKilledHere = false;
  #killer: NodeJS.Timeout;
  #resolve: (ready: Ready) => void = () => {};
  #reject: (error: StartError) => void = () => {};
  #hasEnded: () => void = () => {};

  constructor(index: number, worker: Worker, events: WorkerEvents) {
    this.index = index;
    this.#worker = worker;
    this.#events = events;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended = new Promise((resolve) => {
      this.#hasEnded = resolve;
    });
    // Whoever waits hears of it; nobody may be waiting.
    this.ready.catch(() => {});
    this.#killer = setTimeout(() => this.kill(), START_MS_MAX);
    worker.on('message', (message: unknown) => this.#told(message));
    worker.on('exit', (code, signal) => {
      this.wasKilled = signal === 'SIGKILL';
      this.#end(signal ?? `exit code ${code}`);
    });
    // A process that could not even be made has no exit. Other errors are of messages to a worker
    // that is about to go, which is then told by its exit.
    worker.on('error', (error: Error) => {
      if (worker.process.pid === undefined) this.#end(error.message);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Whether it may have clients, told or not that it listens. */
  get mayListen(): boolean {
    return this.#mayListen;
  }

  /** How long it has listened; -1 if it never did. */
  get listenedMs(): number {
    return this.#listening === null ? -1 : performance.now() - this.#listeningSinceMs;
  }

  #told(message: unknown): void {
    if (!isFromWorker(message)) return;
    switch (message.vibing) {
      case 'asking':
        if (this.#wasKilledHere) break;
        this.#mayListen = true;
        this.#shutdownTimeoutMs = message.shutdownTimeoutMs;
        this.#tell({ vibing: 'listen' });
        break;
      case 'listening':
        clearTimeout(this.#killer);
        this.#listening = message;
        this.#listeningSinceMs = performance.now();
        if (this.#retired) this.#killLater();
        this.#resolve(message);
        break;
      case 'failed':
        this.#reject(new StartError(message.message, message.code, true));
        break;
      case 'note':
        this.#events.note(message.text);
        break;
      case 'closing':
        if (this.#retired) break;
        this.#retired = true;
        if (this.#listening === null) {
          const message = `worker ${this.index} was ended while it started`;
          this.#reject(new StartError(message, 'ECHILD', false));
        }
        this.#killLater();
        this.#events.leaving();
        break;
      case 'served':
        this.#events.served(message.connections, message.requests);
        this.#tell({ vibing: 'leave' });
        break;
      default:
        message satisfies never;
    }
  }

  #end(how: string): void {
    if (this.ending !== null) return;
    clearTimeout(this.#killer);
    this.ending = how;
    const message = `worker ${this.index} ended before it listened (${how})`;
    this.#reject(new StartError(message, 'ECHILD', false));
    this.#events.ended();
    this.#hasEnded();
  }

  /** Lets it finish what is in flight and end; kills it if it does not. */
  retire(last = false): void {
    if (this.#retired || this.ending !== null) return;
    this.#retired = true;
    this.#tell({ vibing: 'close', last });
    this.#killLater();
  }

  #killLater(): void {
    clearTimeout(this.#killer);
    this.#killer = setTimeout(() => this.kill(), this.#shutdownTimeoutMs + KILL_SLACK_MS);
  }

  acceptAlso(listener: number, on: boolean): void {
    this.#tell({ vibing: 'accept', listener, on });
  }

  #tell(message: FromPrimary): void {
    // One that has gone meanwhile is told by its exit.
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }

  kill(): void {
    this.#wasKilledHere = true;
    if (this.ending === null) this.#worker.process.kill('SIGKILL');
  }
}
