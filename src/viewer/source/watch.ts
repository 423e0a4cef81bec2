// Watches a server: fetches a snapshot each interval, keeps the history, and says when snapshots do
// not come. It goes on for as long as it is not stopped, whatever the server does.

import type { Absence } from '../health.ts';
import { History, type Step, Stepper } from '../history.ts';
import { HISTORY_SECONDS_MAX } from '../limits.ts';
import type { ServerFacts } from '../snapshot.ts';
import { FetchProblem, type SnapshotSource } from './fetch-snapshot.ts';

export interface WatchListener {
  /** After each attempt; without a step nothing is new but the absence. */
  changed(step: Step | null): void;
}

/** So many snapshots without progress are an absence. */
const STANDING_MAX = 5;
const STANDING = 'the snapshots do not advance: is a cache in between?';

export interface WatchOptions {
  readonly intervalMs: number;
  /** Whether the history is kept; a reader of single steps needs none. */
  readonly keepsHistory?: boolean;
}

export class Watch {
  readonly history: History;
  readonly #keepsHistory: boolean;
  readonly #source: SnapshotSource;
  readonly #intervalMs: number;
  readonly #listener: WatchListener;
  readonly #stepper = new Stepper();
  #problem = '';
  /** When snapshots stopped, in milliseconds since the epoch; 0 while they come. */
  #absentMs = 0;
  #server: ServerFacts | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Snapshots, one after another, that were not newer than those before them. */
  #standing = 0;
  #isStopped = false;
  #dueMs = 0;

  constructor(source: SnapshotSource, options: WatchOptions, listener: WatchListener) {
    const { intervalMs, keepsHistory = true } = options;
    // A longer interval has as many points.
    this.history = new History(HISTORY_SECONDS_MAX * Math.max(1, intervalMs / 1000));
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#keepsHistory = keepsHistory;
    this.#listener = listener;
  }

  /** Null while snapshots come. */
  get absence(): Absence | null {
    if (this.#absentMs === 0) return null;
    const seconds = Math.max(0, (Date.now() - this.#absentMs) / 1000);
    return { seconds, problem: this.#problem };
  }

  /** On the clock here, in seconds since the epoch. */
  get now(): number {
    return Date.now() / 1000;
  }

  /** Of the last snapshot; null before the first. */
  get server(): ServerFacts | null {
    return this.#server;
  }

  /** Rejects with a FetchProblem when the first snapshot cannot be had. */
  async start(): Promise<void> {
    const { snapshot } = await this.#source.fetch();
    this.#stepper.next(snapshot);
    this.#server = snapshot.server;
    this.#dueMs = Date.now();
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#source.close();
  }

  /** Keeps to the beat of the interval; what is late is left out. */
  #schedule(): void {
    if (this.#isStopped) return;
    const nowMs = Date.now();
    const missed = Math.max(0, Math.floor((nowMs - this.#dueMs) / this.#intervalMs));
    this.#dueMs += (missed + 1) * this.#intervalMs;
    // The clock of the system may be set back.
    const delayMs = Math.min(this.#intervalMs, this.#dueMs - nowMs);
    this.#timer = setTimeout(() => void this.#attempt(), delayMs);
  }

  async #attempt(): Promise<void> {
    let step: Step | null = null;
    try {
      const { snapshot } = await this.#source.fetch();
      if (this.#isStopped) return;
      this.#server = snapshot.server;
      step = this.#stepper.next(snapshot);
      this.#checkProgress(step !== null);
      if (step !== null && this.#keepsHistory) this.history.add(step);
    } catch (error) {
      if (!(error instanceof FetchProblem)) throw error;
      if (this.#isStopped) return;
      this.#stepper.interrupt();
      this.#miss(error.message);
    }
    this.#listener.changed(step);
    this.#schedule();
  }

  /** One snapshot may be as old as the one before it; several come from somewhere else. */
  #checkProgress(advances: boolean): void {
    this.#standing = advances ? 0 : this.#standing + 1;
    if (advances || this.#standing < STANDING_MAX) {
      this.#absentMs = 0;
      return;
    }
    this.#miss(STANDING);
  }

  #miss(problem: string): void {
    if (this.#absentMs === 0) this.#absentMs = Date.now();
    this.#problem = problem;
  }
}
