// Hot: runs for every request. Measured by perf/micro/deadlines.ts.
// Deadlines without a heap: a list for each kind of timeout. All timeouts of a kind have the same
// length, so appending keeps each list sorted, and arming, disarming and expiring are a few writes.

import { assert } from './assert.ts';

const NONE = -1;

/** How late an extended timeout may expire, at most, and as a part of its length. */
const SLACK_MS = 100;
const SLACK_PART = 16;

export class Deadlines {
  readonly #timeoutsMs: readonly number[];
  readonly #dueMs: Float64Array;
  /** The kind of the list that a node is in, or NONE. */
  readonly #kind: Int8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** First and last node of each kind's list. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;

  /** Nodes run from 0 to nodes - 1; kind k lasts timeoutsMs[k]. */
  constructor(nodes: number, timeoutsMs: readonly number[]) {
    this.#timeoutsMs = timeoutsMs;
    this.#dueMs = new Float64Array(nodes);
    this.#kind = new Int8Array(nodes).fill(NONE);
    this.#next = new Int32Array(nodes).fill(NONE);
    this.#previous = new Int32Array(nodes).fill(NONE);
    this.#first = new Int32Array(timeoutsMs.length).fill(NONE);
    this.#last = new Int32Array(timeoutsMs.length).fill(NONE);
  }

  /** Starts a timeout of `kind`, in place of an earlier one of the node. */
  arm(node: number, kind: number, nowMs: number): void {
    if (this.#kind[node] !== NONE) this.#unlink(node);
    const last = this.#last[kind];
    const dueMs = nowMs + this.#timeoutsMs[kind];
    if (last === NONE) this.#first[kind] = node;
    else {
      assert(this.#dueMs[last] <= dueMs, 'time does not go back');
      this.#next[last] = node;
    }
    this.#previous[node] = last;
    this.#next[node] = NONE;
    this.#last[kind] = node;
    this.#kind[node] = kind;
    this.#dueMs[node] = dueMs;
  }

  /**
   * As arm(), for a timeout that starts again very often: it is moved in its list only when it
   * would otherwise expire early, and expires up to SLACK_MS late.
   */
  extend(node: number, kind: number, nowMs: number): void {
    const timeoutMs = this.#timeoutsMs[kind];
    if (this.#kind[node] === kind && this.#dueMs[node] >= nowMs + timeoutMs) return;
    this.arm(node, kind, nowMs + Math.min(SLACK_MS, timeoutMs / SLACK_PART));
  }

  disarm(node: number): void {
    if (this.#kind[node] !== NONE) this.#unlink(node);
  }

  isArmed(node: number): boolean {
    return this.#kind[node] !== NONE;
  }

  /** The kind of a node's timeout, or -1. */
  kind(node: number): number {
    return this.#kind[node];
  }

  #unlink(node: number): void {
    const kind = this.#kind[node];
    const next = this.#next[node];
    const previous = this.#previous[node];
    if (previous === NONE) this.#first[kind] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[kind] = previous;
    else this.#previous[next] = previous;
    this.#kind[node] = NONE;
  }

  /** Removes and returns one node of this kind that is due, or -1. */
  expire(kind: number, nowMs: number): number {
    const node = this.#first[kind];
    if (node === NONE || this.#dueMs[node] > nowMs) return NONE;
    this.#unlink(node);
    return node;
  }

  /** The node of this kind that is due first, or -1; next() returns the one after it. */
  oldest(kind: number): number {
    return this.#first[kind];
  }

  next(node: number): number {
    return this.#next[node];
  }

  /** How long ago an armed node's timeout began; may be negative after extend(). */
  sinceMs(node: number, nowMs: number): number {
    return nowMs - (this.#dueMs[node] - this.#timeoutsMs[this.#kind[node]]);
  }

  /** When the next deadline is due, Infinity when there is none. */
  nextDueMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (let kind = 0; kind < this.#first.length; kind++) {
      const node = this.#first[kind];
      if (node !== NONE) nextMs = Math.min(nextMs, this.#dueMs[node]);
    }
    return nextMs;
  }

  /** Whether a deadline has passed. */
  isDue(nowMs: number): boolean {
    const first = this.#first;
    for (let kind = 0; kind < first.length; kind++) {
      const node = first[kind];
      if (node !== NONE && this.#dueMs[node] <= nowMs) return true;
    }
    return false;
  }

  /** How many nodes are armed; for checks, not for the hot path. */
  armedCount(): number {
    let count = 0;
    for (const kind of this.#kind) if (kind !== NONE) count += 1;
    return count;
  }
}
