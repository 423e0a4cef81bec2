// Coverage: which counters an execution moved, and how far. A feature is a counter with a bucket of
// its number of hits. An input with a new feature is kept.

/** A bit for each bucket: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, 128 and more. */
const BUCKETS = new Uint8Array(256);
for (let hits = 1; hits < 256; hits++) {
  const bucket =
    hits < 4 ? hits - 1 : hits < 32 ? Math.floor(Math.log2(hits)) + 1 : hits < 128 ? 6 : 7;
  BUCKETS[hits] = 1 << bucket;
}

export class Coverage {
  readonly counters: Uint8ClampedArray;
  /** The number of executions that moved each counter. */
  readonly hits: Float64Array;
  /** Features so far. */
  count: number;
  /** Counters that moved at least once. */
  reached: number;
  readonly #words: Int32Array;
  readonly #seen: Uint8Array;

  constructor(counters: Uint8ClampedArray) {
    this.counters = counters;
    this.hits = new Float64Array(counters.length);
    this.count = 0;
    this.reached = 0;
    this.#words = new Int32Array(counters.buffer);
    this.#seen = new Uint8Array(counters.length);
  }

  /** Before an execution. */
  clear(): void {
    this.#words.fill(0);
  }

  /** After an execution: adds its features, and returns how many are new. */
  take(): number {
    const words = this.#words;
    const { counters, hits } = this;
    const seen = this.#seen;
    let found = 0;
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue;
      const end = 4 * word + 4;
      for (let counter = 4 * word; counter < end; counter++) {
        const bit = BUCKETS[counters[counter]];
        if (bit === 0) continue;
        hits[counter] += 1;
        const before = seen[counter];
        if ((before & bit) !== 0) continue;
        if (before === 0) this.reached += 1;
        seen[counter] = before | bit;
        found += 1;
      }
    }
    this.count += found;
    return found;
  }

  /** The features of the last execution: a counter times 8 and the number of its bit. */
  features(): Int32Array {
    const found: number[] = [];
    for (let counter = 0; counter < this.counters.length; counter++) {
      const bit = BUCKETS[this.counters[counter]];
      if (bit !== 0) found.push(counter * 8 + 31 - Math.clz32(bit));
    }
    return Int32Array.from(found);
  }

  /** Whether the last execution has all of these. */
  has(features: Int32Array): boolean {
    for (const feature of features) {
      if (BUCKETS[this.counters[feature >> 3]] !== 1 << (feature & 7)) return false;
    }
    return true;
  }
}
