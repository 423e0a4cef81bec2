// Chance that repeats: a generator from a seed and a name. Each part of a run (every client, every
// fault, the network) has a stream of its own, so that leaving one out changes no other.

/** Integer arithmetic only: every version of every engine gives the same numbers. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: number, name: string) {
    let hash = 0x811c9dc5 ^ seed;
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    this.#a = hash;
    this.#b = seed | 0;
    this.#c = Math.imul(hash, 0x9e3779b1) ^ (seed >>> 16);
    for (let round = 0; round < 12; round++) this.next();
  }

  /** 32 bits (Chris Doty-Humphrey's sfc32, in the public domain). */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** 0 to count - 1. */
  below(count: number): number {
    return count <= 1 ? 0 : this.next() % count;
  }

  /** A whole number from low to high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Milliseconds from low to high, in steps of a microsecond. */
  ms(low: number, high: number): number {
    return low + this.below(Math.floor((high - low) * 1000) + 1) / 1000;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability * 0x1_0000_0000;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Changes the order of those that may move; the others keep their places. */
  shuffle<T>(items: T[], mayMove: (item: T) => boolean): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const one = items[last];
      if (!mayMove(one) || !mayMove(items[other])) continue;
      items[last] = items[other];
      items[other] = one;
    }
  }

  /** From 1 to about max, small numbers as often as large ones. */
  size(max: number): number {
    let bits = 1;
    while (2 ** bits < max) bits += 1;
    return Math.min(max, 1 + this.below(2 ** this.between(0, bits)));
  }
}
