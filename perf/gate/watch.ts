// Watches a process from inside: collections of garbage, turns that took too long, the heap. Loaded
// before the program by `node --import`, so that a server and a floor are watched in the same way
// and know nothing of it. Answers 'begin' and 'end' around a window, and 'heap'.

import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TURN_MS } from './bars.ts';

export interface Watched {
  readonly gcPausesMs: readonly number[];
  /** How often Node's loop came round this much too late. */
  readonly longTurns: number;
}

/** A timer this short comes round with every turn that is not longer. */
const TICK_MS = 1;

const gcPausesMs: number[] = [];
let longTurns = 0;
let lastMs = 0;
let timer: NodeJS.Timeout | null = null;

const observer = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) gcPausesMs.push(duration);
});

/** Kept for good: the flag is for contexts that are made after it. */
let collect: (() => void) | null = null;

process.on('message', (question) => {
  if (question === 'begin') begin();
  // What the observer was told last comes with a later round of the loop.
  else if (question === 'end') setTimeout(() => process.send?.(end()), 5);
  else if (question === 'heap') process.send?.(heapBytes());
});

function begin(): void {
  gcPausesMs.length = 0;
  longTurns = 0;
  observer.observe({ entryTypes: ['gc'] });
  lastMs = performance.now();
  timer = setInterval(tick, TICK_MS);
  process.send?.('begun');
}

function tick(): void {
  const nowMs = performance.now();
  if (nowMs - lastMs > TURN_MS + TICK_MS) longTurns += 1;
  lastMs = nowMs;
}

function end(): Watched {
  if (timer !== null) clearInterval(timer);
  timer = null;
  observer.disconnect();
  return { gcPausesMs: [...gcPausesMs], longTurns };
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
