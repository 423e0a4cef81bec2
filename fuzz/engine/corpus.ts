// The inputs that are worth going on from, and which of them comes next: small ones that reach what
// few executions reach are tried most.

import type { Random } from '../../testing/random.ts';

export interface Entry {
  readonly bytes: Uint8Array;
  /** Sorted. */
  readonly features: Int32Array;
  /** How often it was the one to go on from. */
  picks: number;
}

/** Weights follow what is rare, and that changes slowly. */
const WEIGHTS_PICKS = 256;
/** What an entry weighs that is the smallest one for none of its features. */
const UNFAVOURED = 0.1;
/** An input of this many bytes weighs half of what an empty one does. A guess. */
const HALF_BYTES = 200;

export class Corpus {
  readonly entries: Entry[];
  /** For each feature, the entry that has it in the fewest bytes. */
  readonly #smallest: Map<number, Entry>;
  /** Running sums of the weights. */
  #sums: Float64Array;
  #picksLeft: number;

  constructor() {
    this.entries = [];
    this.#smallest = new Map();
    this.#sums = new Float64Array(0);
    this.#picksLeft = 0;
  }

  add(bytes: Uint8Array, features: Int32Array): void {
    const entry = { bytes, features, picks: 0 };
    this.entries.push(entry);
    for (const feature of features) {
      const before = this.#smallest.get(feature);
      if (before === undefined || before.bytes.length > bytes.length) {
        this.#smallest.set(feature, entry);
      }
    }
    this.#picksLeft = 0;
  }

  /** The next to go on from; `hits` says how often executions moved each counter. */
  pick(random: Random, hits: Float64Array): Entry {
    if (this.#picksLeft === 0) this.#weigh(hits);
    this.#picksLeft -= 1;
    const sums = this.#sums;
    const wanted = random.unit() * sums[sums.length - 1];
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    const entry = this.entries[low];
    entry.picks += 1;
    return entry;
  }

  #weigh(hits: Float64Array): void {
    const favoured = new Set(this.#smallest.values());
    this.#sums = new Float64Array(this.entries.length);
    this.#picksLeft = WEIGHTS_PICKS;
    let sum = 0;
    for (const [index, entry] of this.entries.entries()) {
      sum += weightOf(entry, hits) * (favoured.has(entry) ? 1 : UNFAVOURED);
      this.#sums[index] = sum;
    }
  }

  /** As few and as small entries as have every feature between them. */
  minimal(): Entry[] {
    const kept = new Set<Entry>();
    const covered = new Set<number>();
    const rarestFirst = [...this.#smallest].sort(
      ([one, a], [other, b]) => a.bytes.length - b.bytes.length || one - other,
    );
    // From the largest down: what only a large entry has also brings what smaller ones have.
    for (const [feature, entry] of rarestFirst.reverse()) {
      if (covered.has(feature)) continue;
      kept.add(entry);
      for (const also of entry.features) covered.add(also);
    }
    return [...kept];
  }
}

function weightOf(entry: Entry, hits: Float64Array): number {
  let rarest = Number.POSITIVE_INFINITY;
  for (const feature of entry.features) rarest = Math.min(rarest, hits[feature >> 3]);
  if (rarest === Number.POSITIVE_INFINITY) rarest = 0;
  const rarity = 1 / Math.log2(2 + rarest) ** 2;
  const freshness = 1 / Math.log2(2 + entry.picks);
  return (rarity * freshness) / (1 + entry.bytes.length / HALF_BYTES);
}
