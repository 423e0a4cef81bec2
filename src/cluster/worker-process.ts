// One worker process as its primary sees it: whether it listens, its messages, how it exits.

import { type FromPrimary, isFromWorker, type Published, type Ready } from './messages.ts';
import type { Cancel, Child, Timers } from './ports.ts';

/** A worker that does not listen by then is killed: a guess, far more than loading code takes. */
export const START_MS_MAX = 60_000;

/** How much longer than shutdown_timeout_ms a worker may take to exit before it is killed. */
export const KILL_SLACK_MS = 2_000;

/** Published messages that wait to be sent to one worker: some from each of many others. */
const UNDELIVERED_MAX = 256;

export interface WorkerEvents {
  /** It closes by itself, not because the primary asked for it. */
  closing(): void;
  exited(): void;
  /** It did not exit in time, and is killed. */
  overdue(text: string): void;
  note(text: string): void;
  served(connections: number, requests: number): void;
  /** To be passed to every other worker. */
  published(message: Published): void;
}

/** Why a worker does not listen. */
export class StartError extends Error {
  /** Whether the worker reported the error. Another worker would report the same. */
  readonly isReported: boolean;
  readonly code: string;

  constructor(message: string, code: string, isReported: boolean) {
    super(message);
    this.code = code;
    this.isReported = isReported;
  }
}

export class WorkerProcess {
  readonly index: number;
  /** Resolves when it listens; rejects with a StartError when it exits before. */
  readonly ready: Promise<Ready>;
  /** Resolves when it has exited. */
  readonly exited: Promise<void>;
  /** How it exited, as text; null while it runs. */
  exitReason: string | null = null;
  /** Whether it exited by SIGKILL. */
  wasKilled = false;
  readonly #child: Child;
  readonly #timers: Timers;
  readonly #events: WorkerEvents;
  #listening: Ready | null = null;
  #shutdownTimeoutMs = 0;
  #listeningSinceMs = 0;
  #retired = false;
  #mayListen = false;
  #wasKilledHere = false;
  #undelivered = 0;
  /** It was asked whether its event loop runs, and has not responded. */
  #isAsked = false;
  /** Checks since it was asked that count, as long as it has not responded. */
  #silentChecks = 0;
  #isDebugged = false;
  #cancelKill: Cancel;
  #resolve: (ready: Ready) => void = () => {};
  #reject: (error: StartError) => void = () => {};
  #resolveExited: () => void = () => {};

  constructor(index: number, child: Child, timers: Timers, events: WorkerEvents) {
    this.index = index;
    this.#child = child;
    this.#timers = timers;
    this.#events = events;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve;
    });
    // A rejection that nothing awaits must not end the process.
    this.ready.catch(() => {});
    this.#cancelKill = timers.after(START_MS_MAX, () => this.kill());
    child.watch({
      received: (message) => this.#received(message),
      exited: (how, wasKilled) => {
        this.wasKilled = wasKilled;
        this.#processExited(how);
      },
    });
  }

  get name(): string {
    return `worker ${this.index} (pid ${this.#child.pid})`;
  }

  /** Whether it was allowed to listen, so it may have clients. */
  get mayListen(): boolean {
    return this.#mayListen;
  }

  /** Whether it neither closes nor has exited. */
  get isUsable(): boolean {
    return !this.#retired && this.exitReason === null;
  }

  /** How long it has listened; -1 if it never has. */
  get listenedMs(): number {
    return this.#listening === null ? -1 : this.#timers.now() - this.#listeningSinceMs;
  }

  #received(message: unknown): void {
    if (!isFromWorker(message)) return;
    switch (message.vibing) {
      case 'starting':
        if (this.#wasKilledHere) break;
        this.#mayListen = true;
        this.#shutdownTimeoutMs = message.shutdownTimeoutMs;
        this.#isDebugged = message.isDebugged;
        this.#send({ vibing: 'listen' });
        break;
      case 'listening':
        this.#cancelKill();
        this.#listening = message;
        this.#listeningSinceMs = this.#timers.now();
        if (this.#retired) this.#killLater();
        this.#resolve(message);
        break;
      case 'failed':
        this.#reject(new StartError(message.message, message.code, true));
        break;
      case 'note':
        this.#events.note(message.text);
        break;
      case 'pong':
        this.#isAsked = false;
        this.#isDebugged = message.isDebugged;
        break;
      case 'published':
        this.#events.published(message);
        break;
      case 'closing':
        if (this.#retired) break;
        this.#retired = true;
        if (this.#listening === null) {
          const message = `worker ${this.index} was closed while it started`;
          this.#reject(new StartError(message, 'ECHILD', false));
        }
        this.#killLater();
        this.#events.closing();
        break;
      case 'served':
        this.#events.served(message.connections, message.requests);
        this.#send({ vibing: 'exit' });
        break;
      default:
        message satisfies never;
    }
  }

  #processExited(how: string): void {
    if (this.exitReason !== null) return;
    this.#cancelKill();
    this.exitReason = how;
    const message = `worker ${this.index} exited before it listened (${how})`;
    this.#reject(new StartError(message, 'ECHILD', false));
    this.#events.exited();
    this.#resolveExited();
  }

  /**
   * Asks a worker that serves whether its event loop runs, at equal intervals. Returns for how many
   * of them it has not responded. One that `isLate` does not count; they begin anew for a worker
   * that is debugged or stopped.
   */
  check(isLate: boolean): number {
    if (this.#listening === null || !this.isUsable || this.#wasKilledHere) return 0;
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#silentChecks = 0;
      this.#send({ vibing: 'ping' });
    } else if (this.#isDebugged || this.#child.isStopped()) this.#silentChecks = 0;
    else if (!isLate) this.#silentChecks += 1;
    return this.#silentChecks;
  }

  /** Asks it to finish its requests and exit; kills it if it does not. */
  retire(last = false): void {
    if (this.#retired || this.exitReason !== null) return;
    this.#retired = true;
    this.#send({ vibing: 'close', last });
    this.#killLater();
  }

  #killLater(): void {
    // Messages may come after the exit.
    if (this.exitReason !== null) return;
    this.#cancelKill();
    const delayMs = this.#shutdownTimeoutMs + KILL_SLACK_MS;
    this.#cancelKill = this.#timers.after(delayMs, () => {
      const why = `it did not exit within ${delayMs} ms after it began to close`;
      this.#events.overdue(`worker ${this.index} is killed: ${why}`);
      this.kill();
    });
  }

  /**
   * Passes on what another worker has published. What is published while the process takes no
   * messages, because it is stopped or busy, is dropped: it would take memory without bound.
   */
  deliver(message: Published): void {
    if (!this.#mayListen || this.#undelivered === UNDELIVERED_MAX) return;
    this.#undelivered += 1;
    this.#child.send(message, () => {
      this.#undelivered -= 1;
    });
  }

  reopenLogs(): void {
    this.#send({ vibing: 'reopen' });
  }

  acceptAlso(listener: number, on: boolean): void {
    this.#send({ vibing: 'accept', listener, on });
  }

  #send(message: FromPrimary): void {
    this.#child.send(message);
  }

  kill(): void {
    this.#wasKilledHere = true;
    if (this.exitReason === null) this.#child.kill();
  }
}
