// The time in which a load had nothing to do: turns without work, and sleeps.

/** Processor time of a turn without work, at most. In a longer one other processes had the core. */
const IDLE_TURN_MS_MAX = 0.05;

export class RestTime {
  /** In turns that had nothing to do, also while other processes had the core. */
  idleMs = 0;
  /** Processor time of these turns. */
  idleCpuMs = 0;
  /** In sleeps. */
  sleptMs = 0;
  #sinceMs = 0;

  /** A turn or a sleep has ended. */
  ended(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Since the last end there was a turn without work. */
  wasIdle(nowMs: number): void {
    this.idleMs += nowMs - this.#sinceMs;
    this.idleCpuMs += Math.min(nowMs - this.#sinceMs, IDLE_TURN_MS_MAX);
  }

  /** Since the last end there was a sleep, which takes no processor time. */
  wasAsleep(nowMs: number): void {
    this.sleptMs += nowMs - this.#sinceMs;
  }

  clear(): void {
    this.idleMs = 0;
    this.idleCpuMs = 0;
    this.sleptMs = 0;
  }
}
