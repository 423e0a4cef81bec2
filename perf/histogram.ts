// Latencies in few numbers: sixteen buckets for each doubling, so a figure is off by 6 % at most.

const SUB_BITS = 4;
const SUB = 1 << SUB_BITS;
const BUCKETS = 28 * SUB;

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  count = 0;
  most = 0;

  /** Whole microseconds; what is longer than two minutes counts as that. */
  add(microseconds: number): void {
    const value = Math.max(0, Math.round(microseconds));
    this.#counts[Math.min(bucketOf(value), BUCKETS - 1)] += 1;
    this.count += 1;
    if (value > this.most) this.most = value;
  }

  /** The least value that `share` of all do not exceed, from 0 to 1; 0 when there are none. */
  at(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket];
      if (seen >= wanted) return Math.min(lastOf(bucket), this.most);
    }
    return 0;
  }
}

/** Values below 16 have buckets of their own. */
function bucketOf(value: number): number {
  if (value < SUB) return value;
  const doublings = Math.floor(Math.log2(value)) - SUB_BITS;
  return (doublings + 1) * SUB + (Math.floor(value / 2 ** doublings) - SUB);
}

function lastOf(bucket: number): number {
  if (bucket < SUB) return bucket;
  const doublings = Math.floor(bucket / SUB) - 1;
  return (SUB + (bucket % SUB) + 1) * 2 ** doublings - 1;
}
