// Watches a process from inside: collections of garbage, turns that took too long, the heap. Loaded
// before the program by `node --import`, so that a server and a floor are watched in the same way
// and know nothing of it. Answers 'begin' or 'begin with turns' and 'end' around a window, 'heap'
// and 'held'.

import { createRequire } from 'node:module';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TURN_MS } from '../catalog/thresholds.ts';

export interface Watched {
  readonly gcPausesMs: readonly number[];
  /** How often Node's loop came round too late. */
  readonly lateTurns: number;
  /**
   * How often that was for work of the thread that serves: it had the core for so long. A machine
   * that is shared takes the core away for milliseconds, many times a second, and V8 compiles in
   * threads beside; neither holds a turn up by the server's doing.
   */
  readonly busyTurns: number;
}

/** Bytes that a process has after a collection of all garbage. */
export interface Held {
  /** What is alive, with the buffers that belong to it. */
  readonly heap: number;
  /** Resident beside V8's spaces, which grow and shrink as it pleases. */
  readonly beside: number;
}

/** A timer this short comes round with every turn that is not longer. */
const TICK_MS = 1;

interface Koffi {
  load(path: null): { func(prototype: string): (id: number, into: BigInt64Array) => number };
}
/** By koffi, as the floor's calls, at the first need: Node 20 has no clock of a thread. */
let readClock: ((id: number, into: BigInt64Array) => number) | null = null;
const THREAD_CLOCK = 3;
/** Seconds and nanoseconds. */
const clock = new BigInt64Array(2);

const gcPausesMs: number[] = [];
let lateTurns = 0;
let busyTurns = 0;
let lastMs = 0;
let lastUsedMs = 0;
let timer: NodeJS.Timeout | null = null;

const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) gcPausesMs.push(duration);
});

/** Kept for good: the flag is for contexts that are made after it. */
let collect: (() => void) | null = null;

process.on('message', (question) => {
  if (question === 'begin') begin(false);
  else if (question === 'begin with turns') begin(true);
  // What the observer was told last comes with a later round of the loop.
  else if (question === 'end') setTimeout(() => process.send?.(end()), 5);
  else if (question === 'heap') process.send?.(heapBytes());
  else if (question === 'held') process.send?.(held());
});

function begin(withTurns: boolean): void {
  gcPausesMs.length = 0;
  lateTurns = 0;
  busyTurns = 0;
  observer.observe({ entryTypes: ['gc'] });
  lastMs = performance.now();
  lastUsedMs = usedMs();
  if (withTurns) timer = setInterval(tick, TICK_MS);
  process.send?.('begun');
}

function tick(): void {
  const nowMs = performance.now();
  const nowUsedMs = usedMs();
  if (nowMs - lastMs > TURN_MS + TICK_MS) {
    lateTurns += 1;
    // What was done in the millisecond before the timer was due is not part of its being late.
    if (nowUsedMs - lastUsedMs > TURN_MS + TICK_MS) busyTurns += 1;
  }
  lastMs = nowMs;
  lastUsedMs = nowUsedMs;
}

/** Processor time of this thread, CLOCK_THREAD_CPUTIME_ID. */
function usedMs(): number {
  readClock ??= clockReader();
  readClock(THREAD_CLOCK, clock);
  return Number(clock[0]) * 1e3 + Number(clock[1]) / 1e6;
}

function clockReader(): (id: number, into: BigInt64Array) => number {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  return koffi.load(null).func('int clock_gettime(int, _Out_ void *)');
}

function end(): Watched {
  if (timer !== null) clearInterval(timer);
  timer = null;
  observer.disconnect();
  return { gcPausesMs: [...gcPausesMs], lateTurns, busyTurns };
}

/** What is left after two collections of everything: the first may only find what is to die. */
function heapBytes(): number {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { external, heapUsed } = process.memoryUsage();
  return heapUsed + external;
}

function held(): Held {
  const heap = heapBytes();
  const spaces = getHeapSpaceStatistics().reduce((sum, one) => sum + one.physical_space_size, 0);
  return { heap, beside: process.memoryUsage.rss() - spaces };
}
