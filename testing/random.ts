// The one seeded generator of simulator, fuzzer and tests: sfc32. It uses integer arithmetic only,
// so the sequence is the same in every version of every engine. By names a seed has independent
// streams: a stream that is not used changes no other.

/** Returns a whole number from 0 to `count` - 1. */
export type Draw = (count: number) => number;

export class Random {
  /** below() as a function. */
  readonly draw: Draw = (count) => this.below(count);
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: number, name = '') {
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

  /** At least 0 and below 1. */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** Milliseconds from low to high, in steps of a microsecond. */
  ms(low: number, high: number): number {
    return low + this.below(Math.floor((high - low) * 1000) + 1) / 1000;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability * 0x1_0000_0000;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** An item of a list that is not empty. */
  pick<T>(items: ArrayLike<T>): T {
    return items[this.below(items.length)];
  }

  /** Shuffles the items that may move; the others keep their places. */
  shuffle<T>(items: T[], mayMove: (item: T) => boolean): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const one = items[last];
      if (!mayMove(one) || !mayMove(items[other])) continue;
      items[last] = items[other];
      items[other] = one;
    }
  }

  /** From 1 to about max; each power of two is as likely as the next. */
  size(max: number): number {
    let bits = 1;
    while (2 ** bits < max) bits += 1;
    return Math.min(max, 1 + this.below(2 ** this.between(0, bits)));
  }

  /** A length from 1 to max; long ones are rare. */
  short(max: number): number {
    let length = 1;
    while (length < max && this.once(2)) length += length;
    return 1 + this.below(Math.min(length, max));
  }
}

/** The same sequence as numbers from 0 to below 1. */
export function randomFrom(seed: number): () => number {
  const random = new Random(seed);
  return () => random.unit();
}
