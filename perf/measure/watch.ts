// Observes a process from inside: garbage collections, long turns, the heap. `node --import` loads
// it before the script, so that servers and floors are observed in the same way without any code of
// their own. Messages: 'begin' or 'begin with turns' and 'end' around a window, 'heap', 'held'.

import { createRequire } from 'node:module';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TURN_MS } from '../catalog/thresholds.ts';

export interface Watched {
  readonly gcPausesMs: readonly number[];
  /** Turns of Node's event loop that took longer than TURN_MS. */
  readonly lateTurns: number;
  /**
   * Those in which the main thread itself used the core for that long. A shared machine takes the
   * core away for milliseconds, many times a second, and V8 compiles in other threads: such turns
   * are late, but the server is not the cause.
   */
  readonly busyTurns: number;
}

/** Bytes that a process holds after a full garbage collection. */
export interface Held {
  /** Live objects, with the buffers that they own. */
  readonly heap: number;
  /** Resident memory outside of V8's spaces, which V8 grows and shrinks by its own rules. */
  readonly other: number;
  /** Timers of Node that are set. */
  readonly timers: number;
}

/** The timer fires once in every turn that is not longer than this. */
const TICK_MS = 1;

interface Koffi {
  load(path: null): { func(prototype: string): (id: number, into: BigInt64Array) => number };
}
/** Through koffi, loaded at first use: Node 20 has no clock for the time of a thread. */
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

/** Kept, since --expose-gc only affects contexts that are created after it. */
let collect: (() => void) | null = null;

process.on('message', (message) => {
  if (message === 'begin') begin(false);
  else if (message === 'begin with turns') begin(true);
  // The observer's last entries are delivered in a later turn of the loop.
  else if (message === 'end') setTimeout(() => process.send?.(end()), 5);
  else if (message === 'heap') process.send?.(heapBytes());
  else if (message === 'held') process.send?.(held());
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
    // The millisecond before the timer was due is not part of the delay.
    if (nowUsedMs - lastUsedMs > TURN_MS + TICK_MS) busyTurns += 1;
  }
  lastMs = nowMs;
  lastUsedMs = nowUsedMs;
}

/** Processor time of this thread: CLOCK_THREAD_CPUTIME_ID. */
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

/** After two full collections: the first may only find objects that the second can free. */
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
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  return { heap, other: process.memoryUsage.rss() - spaces, timers };
}
