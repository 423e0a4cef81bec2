// The inputs that mutations start from, and the choice of the next one: small inputs that reach
// rarely reached code are chosen most.

import type { Random } from '../../testing/random.ts';

export interface Entry {
  readonly bytes: Uint8Array;
  /** Sorted. */
  readonly features: Int32Array;
  /** How often it was chosen. */
  picks: number;
}

/** Choices between two updates of the weights, which change slowly. */
const WEIGHTS_PICKS = 256;
/** The factor for an entry that is the smallest for none of its features. */
const UNFAVOURED = 0.1;
/** An input of this many bytes has half the weight of an empty one. A guess. */
const HALF_BYTES = 200;

export class Corpus {
  readonly entries: Entry[];
  /** For each feature the smallest entry that has it. */
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

  /** Chooses the next entry; `hits` counts the executions that moved each counter. */
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

  /** A small set of small entries that together have every feature. */
  minimal(): Entry[] {
    const kept = new Set<Entry>();
    const covered = new Set<number>();
    const rarestFirst = [...this.#smallest].sort(
      ([one, a], [other, b]) => a.bytes.length - b.bytes.length || one - other,
    );
    // From the largest down: a needed large entry also covers features of smaller ones.
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
