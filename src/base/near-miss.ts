// Finds the known name that a mistyped one resembles. connectionTimeoutMs, connection-timeout-ms
// and connection_timeout_ms count as the same name, and so does another order of words.

/** Longer names are no typing errors, and a comparison costs the product of the lengths. */
const NAME_LENGTH_MAX = 64;

/** The name nearest to `given`, or undefined when none is near enough to be worth a guess. */
export function nearMiss(given: string, names: readonly string[]): string | undefined {
  if (given.length > NAME_LENGTH_MAX) return undefined;
  const givenWords = words(given);
  let nearest: string | undefined;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const nameWords = words(name);
    const distance = Math.min(
      editDistance(givenWords.join(''), nameWords.join('')),
      editDistance(givenWords.sort().join(''), nameWords.sort().join('')),
    );
    // A third of the letters wrong is a guess: 'prot' is port, but 'dir' is not driver.
    const lettersMax = Math.max(givenWords.join('').length, nameWords.join('').length);
    if (distance * 3 <= lettersMax && distance < nearestDistance) {
      nearest = name;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** How many insertions, deletions, replacements and swaps of neighbours make `to` of `from`. */
export function editDistance(from: string, to: string): number {
  let rowBeforeLast: number[] = [];
  let lastRow = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const thisRow = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = from[row - 1] === to[column - 1] ? 0 : 1;
      let least = Math.min(
        lastRow[column] + 1,
        thisRow[column - 1] + 1,
        lastRow[column - 1] + replaced,
      );
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, rowBeforeLast[column - 2] + 1);
      thisRow.push(least);
    }
    rowBeforeLast = lastRow;
    lastRow = thisRow;
  }
  return lastRow[to.length];
}

function words(name: string): string[] {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
  return spaced.split(/[^a-z0-9]+/).filter((word) => word !== '');
}
