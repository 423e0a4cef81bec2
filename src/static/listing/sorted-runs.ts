// Sorts many entries without ever blocking the event loop for long: what was added is sorted in
// runs, which are merged while entries are taken.

import type { Compare, Sortable } from './order.ts';

/** Entries sorted at once: about a millisecond. */
const RUN_ENTRIES = 1_000;

interface Run<T> {
  readonly entries: readonly T[];
  at: number;
}

export class SortedRuns<T extends Sortable> {
  readonly #compare: Compare;
  #adding: T[] = [];
  /** A heap by the next entry of each run, once entries are taken. */
  readonly #runs: Run<T>[] = [];
  #isHeap = false;

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  /** Must not be called after take(). */
  add(entry: T): void {
    this.#adding.push(entry);
    if (this.#adding.length >= RUN_ENTRIES) this.#endRun();
  }

  #endRun(): void {
    if (this.#adding.length === 0) return;
    this.#runs.push({ entries: this.#adding.sort(this.#compare), at: 0 });
    this.#adding = [];
  }

  /** The next entries in order, at most `count`; none at the end. */
  take(count: number): readonly T[] {
    this.#makeHeap();
    const runs = this.#runs;
    const taken: T[] = [];
    while (taken.length < count && runs.length > 0) {
      const run = runs[0];
      taken.push(run.entries[run.at]);
      run.at += 1;
      if (run.at === run.entries.length) {
        const last = runs.pop();
        if (last === undefined || runs.length === 0) break;
        runs[0] = last;
      }
      this.#sink(0);
    }
    return taken;
  }

  /** All entries in no order; nothing is left. */
  drain(): readonly T[] {
    this.#endRun();
    const entries = this.#runs.flatMap((run) => run.entries.slice(run.at));
    this.#runs.length = 0;
    return entries;
  }

  #makeHeap(): void {
    if (this.#isHeap) return;
    this.#isHeap = true;
    this.#endRun();
    for (let at = (this.#runs.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #isBefore(one: number, other: number): boolean {
    const first = this.#runs[one];
    const second = this.#runs[other];
    return this.#compare(first.entries[first.at], second.entries[second.at]) < 0;
  }

  #sink(from: number): void {
    const runs = this.#runs;
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < runs.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      [runs[at], runs[least]] = [runs[least], runs[at]];
      at = least;
    }
  }
}
