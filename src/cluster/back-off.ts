// How long a seat waits before it starts its next worker, and when there is no sense in going on.

const FIRST_MS = 100;
const MAX_MS = 10_000;

/** A worker that listened for this long was no failure of its start. */
export const STARTED_MS = 1_000;

/** One that listened for this long starts again without a wait. */
const HEALTHY_MS = 10_000;

/** Starts in a row that came to nothing before a seat is given up. */
export const STARTS_MAX = 5;

export class BackOff {
  /** Ends in a row that were early, and those among them that were failures of the start. */
  #early = 0;
  #failed = 0;

  /**
   * A worker ended. `listenedMs` is how long it had listened, or -1; `byOthers` says that it was
   * killed from outside, which a bad start does not do to itself.
   */
  ended(listenedMs: number, byOthers: boolean): void {
    const isStarted = listenedMs >= STARTED_MS;
    if (listenedMs >= HEALTHY_MS || (isStarted && byOthers)) this.#early = 0;
    else this.#early += 1;
    if (isStarted) this.#failed = 0;
    else if (listenedMs < 0 || !byOthers) this.#failed += 1;
  }

  get isHopeless(): boolean {
    return this.#failed >= STARTS_MAX;
  }

  /** The first start after an end is at once. */
  get waitMs(): number {
    return this.#early < 2 ? 0 : Math.min(FIRST_MS * 2 ** (this.#early - 2), MAX_MS);
  }
}
