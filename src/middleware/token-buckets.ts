// Token buckets by key, in bounded memory. A bucket is one number, the moment at which it is full
// again: a token taken moves it on by the time in which a token is refilled. A bucket that is full
// is the same as none and is dropped.
//
// When there are too many keys, the bucket that is full soonest makes room. So a bucket is only
// forgotten early when `keysMax` others have more tokens taken: a client that invents keys to have
// its own bucket forgotten must take as many tokens from each of them as from its own.

import { ownText } from '../base/internalized.ts';

interface Bucket {
  readonly key: string;
  /** When it is full again. */
  fullMs: number;
  /** Its place in the heap. */
  place: number;
}

export interface BucketOptions {
  /** Tokens that are refilled in `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
  readonly keysMax: number;
}

/** Dropped in a call at most: one more than a call adds. */
const DROPPED_PER_CALL = 2;

/** Far less than the time of a token, far more than the rounding of sums of it. */
const ROUNDING = 1e-6;

export class TokenBuckets {
  readonly #tokenMs: number;
  readonly #burstMs: number;
  readonly #keysMax: number;
  readonly #byKey = new Map<string, Bucket>();
  /** A binary heap: the bucket that is full soonest is the first. */
  readonly #heap: Bucket[] = [];
  /** After take(): whole tokens that are left, and when the bucket is full again. */
  tokens = 0;
  fullInMs = 0;

  constructor({ limit, windowMs, burst, keysMax }: BucketOptions) {
    this.#tokenMs = windowMs / limit;
    this.#burstMs = burst * this.#tokenMs;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Takes a token: returns 0, or after how many milliseconds there is one. */
  take(key: string, nowMs: number): number {
    this.#dropFull(nowMs);
    const known = this.#byKey.get(key);
    const fullMs = Math.max(known?.fullMs ?? nowMs, nowMs);
    const waitMs = fullMs + this.#tokenMs - this.#burstMs - nowMs;
    const isTaken = waitMs <= ROUNDING * this.#tokenMs;
    if (isTaken) this.#set(key, known, fullMs + this.#tokenMs);
    this.fullInMs = (isTaken ? fullMs + this.#tokenMs : fullMs) - nowMs;
    const tokens = Math.floor((this.#burstMs - this.fullInMs) / this.#tokenMs + ROUNDING);
    this.tokens = Math.max(0, tokens);
    return isTaken ? 0 : waitMs;
  }

  /** Takes tokens that were granted elsewhere, even more than there are. */
  takeAlso(key: string, count: number, nowMs: number): void {
    this.#dropFull(nowMs);
    const known = this.#byKey.get(key);
    this.#set(key, known, Math.max(known?.fullMs ?? nowMs, nowMs) + count * this.#tokenMs);
  }

  #set(key: string, known: Bucket | undefined, fullMs: number): void {
    if (known !== undefined) {
      known.fullMs = fullMs;
      this.#moveDown(known);
      return;
    }
    if (this.#heap.length >= this.#keysMax) this.#dropFirst();
    // A key may be a part of a long field of its request.
    const bucket = { key: ownText(key), fullMs, place: this.#heap.length };
    this.#byKey.set(bucket.key, bucket);
    this.#heap.push(bucket);
    this.#moveUp(bucket);
  }

  #dropFull(nowMs: number): void {
    for (let count = 0; count < DROPPED_PER_CALL; count++) {
      if (this.#heap.length === 0 || this.#heap[0].fullMs > nowMs) return;
      this.#dropFirst();
    }
  }

  #dropFirst(): void {
    const [first] = this.#heap;
    this.#byKey.delete(first.key);
    const last = this.#heap.pop();
    if (last === undefined || last === first) return;
    this.#put(last, 0);
    this.#moveDown(last);
  }

  #put(bucket: Bucket, place: number): void {
    bucket.place = place;
    this.#heap[place] = bucket;
  }

  #moveUp(bucket: Bucket): void {
    while (bucket.place > 0) {
      const place = (bucket.place - 1) >> 1;
      const parent = this.#heap[place];
      if (parent.fullMs <= bucket.fullMs) return;
      this.#put(parent, bucket.place);
      this.#put(bucket, place);
    }
  }

  #moveDown(bucket: Bucket): void {
    const heap = this.#heap;
    for (;;) {
      const left = 2 * bucket.place + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const isRight = right < heap.length && heap[right].fullMs < heap[left].fullMs;
      const child = heap[isRight ? right : left];
      if (child.fullMs >= bucket.fullMs) return;
      const { place } = child;
      this.#put(child, bucket.place);
      this.#put(bucket, place);
    }
  }
}
