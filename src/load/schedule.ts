// Computes when each request of an open loop is due: evenly spaced at a rate that may change in
// steps or linearly. It reads no clock; times are milliseconds since the beginning.

/** A part of a run: a rate, or a linear change from one to another, for a time. */
export interface RateStep {
  /** Requests a second at the beginning and at the end of the step. */
  readonly from: number;
  readonly to: number;
  /** Infinity is allowed for the last step, when the run has another end. */
  readonly durationMs: number;
}

export class Schedule {
  readonly #steps: readonly RateStep[];
  #step = 0;
  #stepStartMs = 0;
  /** Requests of this step before the next one. */
  #taken = 0;
  #dueMs: number;

  constructor(steps: readonly RateStep[]) {
    this.#steps = steps;
    this.#dueMs = this.#next();
  }

  /** When the next request is due; Infinity when there is none. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Moves on to the request after the next one. */
  advance(): void {
    this.#taken += 1;
    this.#dueMs = this.#next();
  }

  #next(): number {
    for (; this.#step < this.#steps.length; this.#step++) {
      const step = this.#steps[this.#step];
      const offsetMs = offsetOf(this.#taken, step);
      if (offsetMs < step.durationMs) return this.#stepStartMs + offsetMs;
      this.#stepStartMs += step.durationMs;
      this.#taken = 0;
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** The sum of the durations. */
export function stepsDurationMs(steps: readonly RateStep[]): number {
  return steps.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

/** The scheduled rate at a time; 0 after the last step. */
export function rateAt(steps: readonly RateStep[], atMs: number): number {
  let startMs = 0;
  for (const { from, to, durationMs } of steps) {
    if (atMs < startMs + durationMs) {
      const share = durationMs === Number.POSITIVE_INFINITY ? 0 : (atMs - startMs) / durationMs;
      return from + (to - from) * share;
    }
    startMs += durationMs;
  }
  return 0;
}

/**
 * When request `index` of a step is due: when the area under the rate is `index`. Infinity when the
 * step never reaches it.
 */
function offsetOf(index: number, { from, to, durationMs }: RateStep): number {
  const perMs = from / 1000;
  if (from === to || durationMs === Number.POSITIVE_INFINITY) {
    return perMs === 0 ? Number.POSITIVE_INFINITY : index / perMs;
  }
  const growth = (to - from) / 1000 / durationMs;
  const square = perMs * perMs + 2 * growth * index;
  if (square < 0) return Number.POSITIVE_INFINITY;
  const speed = perMs + Math.sqrt(square);
  if (speed === 0) return index === 0 ? 0 : Number.POSITIVE_INFINITY;
  return (2 * index) / speed;
}
