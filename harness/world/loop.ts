// Node's event loop in virtual time: timers, poll and immediates, in Node's order. The pump and
// close() call the global functions, so a run replaces those. Promises stay real: one real
// setImmediate after each phase drains them.

import type { Clock } from './clock.ts';
import { ensure } from './violation.ts';

type Callback = () => void;

/** Turns of the server that one callback of the loop may cause. */
const TURNS_IN_A_ROW_MAX = 32;

class VirtualTimer {
  readonly atMs: number;
  readonly sequence: number;
  run: Callback | null;
  /** It keeps the process alive. */
  isRef = true;

  constructor(atMs: number, sequence: number, run: Callback) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.run = run;
  }

  unref(): this {
    this.isRef = false;
    return this;
  }
}

const realSetImmediate = globalThis.setImmediate;
const realNextTick = process.nextTick;

/** Runs all pending promise callbacks, ticks and steps of streams. */
export function drain(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

export class VirtualLoop {
  readonly #clock: Clock;
  #timers: VirtualTimer[] = [];
  #immediates: Callback[] = [];
  #polled: Callback[] = [];
  #sequence = 0;
  #restore: Callback | null = null;
  /** What a callback threw: Node would end the process for it. */
  failure: unknown = null;
  /** Finished phases, each with the promise callbacks that followed. */
  phases = 0;
  /** Turns of the server since the last callback of the loop. */
  #turnsInARow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces the global timers until restore(). */
  install(): void {
    const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
    const { nextTick } = process;
    this.#restore = () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate, clearImmediate });
      process.nextTick = nextTick;
    };
    Object.assign(globalThis, {
      setTimeout: (run: Callback, ms = 1) => this.after(ms, run),
      clearTimeout: (timer: VirtualTimer | null) => {
        if (timer !== null && timer !== undefined) timer.run = null;
      },
      setImmediate: (run: Callback) => {
        this.#immediates.push(run);
        return run;
      },
      clearImmediate: (run: Callback) => {
        this.#immediates = this.#immediates.filter((other) => other !== run);
      },
    });
    // An error that the server throws in a tick of its own would end this process.
    process.nextTick = ((run: (...given: unknown[]) => void, ...given: unknown[]) => {
      realNextTick(() => this.#guard(() => run(...given)));
    }) as typeof process.nextTick;
  }

  restore(): void {
    this.#restore?.();
    this.#restore = null;
  }

  after(ms: number, run: Callback): VirtualTimer {
    // Like Node: whole milliseconds, one at least.
    const wholeMs = ms >= 1 && ms <= 0x7fffffff ? Math.trunc(ms) : 1;
    this.#sequence += 1;
    const timer = new VirtualTimer(this.#clock.nowMs + wholeMs, this.#sequence, run);
    this.#timers.push(timer);
    return timer;
  }

  /** Runs `run` in the next poll phase, as for an event of the kernel or of the thread pool. */
  announce(run: Callback): void {
    this.#polled.push(run);
  }

  /** The server takes a turn; promises, timers and files of handlers wait meanwhile. */
  countTurn(): void {
    this.#turnsInARow += 1;
    const isFew = this.#turnsInARow <= TURNS_IN_A_ROW_MAX;
    ensure(isFew, 'liveness', `${this.#turnsInARow} turns in a row block Node's event loop`);
  }

  /** Timers that keep the process alive. */
  get timerCount(): number {
    return this.#timers.filter(({ run, isRef }) => run !== null && isRef).length;
  }

  /** When the loop has something to do: now, later, or Infinity. */
  get nextMs(): number {
    if (this.#immediates.length > 0 || this.#polled.length > 0) return this.#clock.nowMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs, run } of this.#timers) {
      if (run !== null && atMs < nextMs) nextMs = atMs;
    }
    return nextMs;
  }

  /** One iteration: timers, poll, immediates. Promise callbacks run after each. */
  async turn(): Promise<void> {
    if (this.#runTimers()) {
      await drain();
      this.phases += 1;
    }
    const polled = this.#polled;
    if (polled.length > 0) {
      this.#polled = [];
      for (const run of polled) this.#guard(run);
      await drain();
      this.phases += 1;
    }
    const immediates = this.#immediates;
    if (immediates.length > 0) {
      this.#immediates = [];
      for (const run of immediates) this.#guard(run);
      await drain();
      this.phases += 1;
    }
  }

  #runTimers(): boolean {
    const nowMs = this.#clock.nowMs;
    const due: VirtualTimer[] = [];
    const later: VirtualTimer[] = [];
    for (const timer of this.#timers) {
      if (timer.run === null) continue;
      if (timer.atMs <= nowMs) due.push(timer);
      else later.push(timer);
    }
    this.#timers = later;
    due.sort((one, other) => one.atMs - other.atMs || one.sequence - other.sequence);
    for (const timer of due) if (timer.run !== null) this.#guard(timer.run);
    return due.length > 0;
  }

  #guard(run: Callback): void {
    this.#turnsInARow = 0;
    try {
      run();
    } catch (error) {
      this.failure ??= error;
    }
  }
}
