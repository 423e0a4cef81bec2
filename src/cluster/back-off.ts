// How long a worker slot waits before its next start, and when it has failed too often.

const FIRST_MS = 100;
const MAX_MS = 10_000;

/** A worker that listened for this long had started successfully. */
export const STARTED_MS = 1_000;

/** A worker that listened for this long is replaced without a wait. */
export const HEALTHY_MS = 10_000;

/** Failed starts in a row after which a slot is exhausted. */
export const STARTS_MAX = 5;

export class BackOff {
  /** Exits in a row before HEALTHY_MS. */
  #early = 0;
  /** Exits in a row that were failed starts. */
  #failed = 0;

  /**
   * A worker exited. `listenedMs` is how long it had listened, or -1; `byOthers`: it was killed or
   * closed from outside, which is not a failed start.
   */
  exited(listenedMs: number, byOthers: boolean): void {
    const isStarted = listenedMs >= STARTED_MS;
    if (listenedMs >= HEALTHY_MS || (isStarted && byOthers)) this.#early = 0;
    else this.#early += 1;
    if (isStarted) this.#failed = 0;
    else if (listenedMs < 0 || !byOthers) this.#failed += 1;
  }

  /** A reload replaces a worker that has listened for `listenedMs`. */
  replaced(listenedMs: number): void {
    if (listenedMs < STARTED_MS) return;
    this.#early = 0;
    this.#failed = 0;
  }

  get isExhausted(): boolean {
    return this.#failed >= STARTS_MAX;
  }

  /** When the next start is, for messages. */
  get nextStart(): string {
    return this.waitMs === 0 ? 'the next start is at once' : `next start in ${this.waitMs} ms`;
  }

  /** The first start after an exit is at once. */
  get waitMs(): number {
    return this.#early < 2 ? 0 : Math.min(FIRST_MS * 2 ** (this.#early - 2), MAX_MS);
  }
}
