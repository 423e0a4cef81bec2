// Chance as a list of choices: what a generator drew, written down. A shorter list, or one of
// smaller numbers, makes a simpler message of the same kind, which is how failures are made small.

import type { Random } from '../../perf/random.ts';

const RANGE = 2 ** 32;

/** Draws from the list; when it is used up, every choice is the first one, which is the simplest. */
export function randomFromChoices(choices: ArrayLike<number>): Random {
  let next = 0;
  return (below) => {
    if (next >= choices.length) return 0;
    const choice = choices[next];
    next += 1;
    return Math.floor(((choice >>> 0) / RANGE) * below);
  };
}

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)];
}

/** True once in `times`; a choice of 0 says no. */
export function once(random: Random, times: number): boolean {
  return random(times) === times - 1;
}
