// A histogram of latencies in fixed memory (an HDR histogram): 256 buckets for each doubling, so a
// percentile is off by less than 0.4 %, whatever its size. The unit is a tenth of a microsecond;
// all latencies above 429 s are in one bucket.

/** Buckets of one doubling, as a power of two. */
const SUB_BITS = 8;
const SUB = 1 << SUB_BITS;
const VALUE_MAX = 0xffffffff;
const BUCKETS = (32 - SUB_BITS) * SUB + SUB;

/** Units in a millisecond. */
export const UNITS_PER_MS = 10_000;

/** A bucket that is not empty: from its least value to below that of the next one. */
export interface Bucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #mostMs = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #sum = 0;
  #sumOfSquares = 0;

  get count(): number {
    return this.#count;
  }

  /** The longest sample, exactly; 0 without any. */
  get mostMs(): number {
    return this.#mostMs;
  }

  /** The shortest sample, exactly; 0 without any. */
  get leastMs(): number {
    return this.#count === 0 ? 0 : this.#leastMs;
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** Standard deviation. */
  get deviationMs(): number {
    if (this.#count === 0) return 0;
    const mean = this.#sum / this.#count;
    return Math.sqrt(Math.max(0, this.#sumOfSquares / this.#count - mean * mean));
  }

  /** Adds a sample `count` times; a negative one counts as 0. */
  add(ms: number, count = 1): void {
    const value = Math.max(ms, 0);
    this.#counts[bucketOf(value)] += count;
    this.#count += count;
    this.#sum += value * count;
    this.#sumOfSquares += value * value * count;
    if (value > this.#mostMs) this.#mostMs = value;
    if (value < this.#leastMs) this.#leastMs = value;
  }

  /**
   * The least time that `share` of all samples (0 to 1) do not exceed, exact to a bucket; 0 without
   * samples.
   */
  at(share: number): number {
    return Math.min(this.atSince(share, null), this.#mostMs);
  }

  /** As at(), for the samples since `before` was copied; null is from the beginning. */
  atSince(share: number, before: Float64Array | null): number {
    const total = this.#count - (before === null ? 0 : sumOf(before));
    if (total <= 0) return 0;
    // A share such as 0.99 has no exact double; rounding up must not ask for one sample too many.
    const wanted = Math.max(1, Math.ceil(share * total - 1e-9 * total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] - (before === null ? 0 : before[bucket]);
      if (seen >= wanted) return lastOf(bucket) / UNITS_PER_MS;
    }
    return this.#mostMs;
  }

  /** A copy of the counts for atSince(); `into` is an earlier copy to be reused. */
  copyCounts(into: Float64Array = new Float64Array(BUCKETS)): Float64Array {
    into.set(this.#counts);
    return into;
  }

  /** The number of samples up to `ms`, with all those in its bucket. */
  countTo(ms: number): number {
    const last = bucketOf(Math.max(0, ms));
    let seen = 0;
    for (let bucket = 0; bucket <= last; bucket++) seen += this.#counts[bucket];
    return seen;
  }

  /** All buckets that are not empty, the shortest time first. */
  buckets(): readonly Bucket[] {
    const found: Bucket[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket];
      if (count === 0) continue;
      const fromMs = firstOf(bucket) / UNITS_PER_MS;
      found.push({ fromMs, toMs: (lastOf(bucket) + 1) / UNITS_PER_MS, count });
    }
    return found;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#mostMs = 0;
    this.#leastMs = Number.POSITIVE_INFINITY;
    this.#sum = 0;
    this.#sumOfSquares = 0;
  }
}

/** Values below 512 units have buckets of their own. */
function bucketOf(ms: number): number {
  const units = ms * UNITS_PER_MS + 0.5;
  const value = units >= VALUE_MAX ? VALUE_MAX : units >>> 0;
  if (value < SUB) return value;
  const shift = 31 - SUB_BITS - Math.clz32(value);
  return shift * SUB + (value >>> shift);
}

function firstOf(bucket: number): number {
  if (bucket < 2 * SUB) return bucket;
  const shift = (bucket >> SUB_BITS) - 1;
  return ((bucket & (SUB - 1)) + SUB) * 2 ** shift;
}

function lastOf(bucket: number): number {
  if (bucket < 2 * SUB) return bucket;
  const shift = (bucket >> SUB_BITS) - 1;
  return firstOf(bucket) + 2 ** shift - 1;
}

function sumOf(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
