// Random choices as a list: the recorded draws of a generator. A shorter list, or one with smaller
// numbers, produces a simpler message of the same kind; this is how failures are shrunk.

import type { Draw } from '../../testing/random.ts';

const RANGE = 2 ** 32;

/** Draws from the list; after its end, every choice is the first one, the simplest. */
export function randomFromChoices(choices: ArrayLike<number>): Draw {
  let next = 0;
  return (below) => {
    if (next >= choices.length) return 0;
    const choice = choices[next];
    next += 1;
    return Math.floor(((choice >>> 0) / RANGE) * below);
  };
}

/** A random element of a list. */
export function pick<T>(random: Draw, list: readonly T[]): T {
  return list[random(list.length)];
}

/** True once in `times`; a choice of 0 means false. */
export function once(random: Draw, times: number): boolean {
  return random(times) === times - 1;
}
