// Chance from a seed (mulberry32), quick enough to be asked many times an execution.

export class Random {
  /** The same as below(), for those who take a function. */
  readonly draw: (below: number) => number;
  #state: number;

  constructor(seed: number) {
    this.draw = (below) => this.below(below);
    this.#state = seed | 0;
  }

  /** 32 bits. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor((this.bits() / 2 ** 32) * below);
  }

  /** At least 0 and below 1. */
  unit(): number {
    return this.bits() / 2 ** 32;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A length up to `most`, half of the time 1, a quarter 2 to 3, and so on. */
  short(most: number): number {
    let length = 1;
    while (length < most && this.once(2)) length += length;
    return 1 + this.below(Math.min(length, most));
  }

  /** One of some, of which there is one at least. */
  pick<T>(some: ArrayLike<T>): T {
    return some[this.below(some.length)];
  }
}
