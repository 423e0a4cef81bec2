// The free numbers of a pool. The number released last is acquired first, so that a busy server
// keeps using the same warm memory.

export class FreeStack {
  /** The next number to acquire lies on top, at #count - 1. */
  readonly #numbers: Int32Array;
  #count: number;

  /** Numbers 0 to size - 1, all free; 0 is acquired first. */
  constructor(size: number) {
    this.#numbers = new Int32Array(size);
    for (let index = 0; index < size; index++) this.#numbers[index] = size - 1 - index;
    this.#count = size;
  }

  get count(): number {
    return this.#count;
  }

  /** A free number, or -1 when there is none. */
  acquire(): number {
    if (this.#count === 0) return -1;
    this.#count -= 1;
    return this.#numbers[this.#count];
  }

  release(number: number): void {
    this.#numbers[this.#count] = number;
    this.#count += 1;
  }
}
