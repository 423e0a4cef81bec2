// A generator as a fast-check arbitrary: a value keeps the list of choices it was made from, and is
// shrunk by making the list shorter and its numbers smaller.

import fc from 'fast-check';
import { type Draw, Random } from '../../testing/random.ts';
import { randomFromChoices } from './choices.ts';

const RANGE = 2 ** 32;
/** Maximum candidates to shrink one value; each costs a run. */
const CANDIDATES_MAX = 400;

/** Makes a value from its draws, the same for the same draws. */
export type Make<T> = (random: Draw) => T;

class DrawnArbitrary<T> extends fc.Arbitrary<T> {
  readonly #make: Make<T>;

  constructor(make: Make<T>) {
    super();
    this.#make = make;
  }

  override generate(source: fc.Random): fc.Value<T> {
    const seeded = new Random(source.nextInt(-0x80000000, 0x7fffffff)).draw;
    const choices: number[] = [];
    const value = this.#make((below) => {
      const choice = seeded(RANGE);
      choices.push(choice);
      return Math.floor((choice / RANGE) * below);
    });
    return new fc.Value(value, choices);
  }

  override canShrinkWithoutContext(value: unknown): value is T {
    return value === undefined;
  }

  override shrink(_value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return fc.stream(this.#smaller(context as readonly number[]));
  }

  *#smaller(choices: readonly number[]): IterableIterator<fc.Value<T>> {
    let tried = 0;
    for (const candidate of smallerLists(choices)) {
      tried += 1;
      if (tried > CANDIDATES_MAX) return;
      yield new fc.Value(this.#make(randomFromChoices(candidate)), candidate);
    }
  }
}

/** Lists without a part, large parts first; then with a choice that is 0, or lower. */
function* smallerLists(choices: readonly number[]): IterableIterator<readonly number[]> {
  for (let size = choices.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = choices.length - size; at >= 0; at -= size) {
      yield [...choices.slice(0, at), ...choices.slice(at + size)];
    }
  }
  for (let index = 0; index < choices.length; index++) {
    if (choices[index] === 0) continue;
    yield choices.with(index, 0);
    yield choices.with(index, Math.floor(choices[index] / 2));
  }
}

/** The arbitrary of the values of `make`. */
export function drawn<T>(make: Make<T>): fc.Arbitrary<T> {
  return new DrawnArbitrary(make);
}
