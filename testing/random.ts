// Chance that can be repeated: the same seed gives the same sequence.

/** A pseudo-random sequence of numbers below 1. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}
