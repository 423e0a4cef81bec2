// Timing for micro-benchmarks: the best of several rounds, because on a shared machine everything
// that disturbs a round makes it slower.

/** Nanoseconds per operation; `round` gives how many it did. The first rounds warm up. */
export function best(rounds: number, round: () => number): number {
  let bestNs = Number.POSITIVE_INFINITY;
  for (let index = 0; index < rounds; index++) {
    const began = process.hrtime.bigint();
    const operations = round();
    bestNs = Math.min(bestNs, Number(process.hrtime.bigint() - began) / operations);
  }
  return bestNs;
}
