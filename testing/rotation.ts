// The slow tests are in parts, and npm test runs one part of them. The commit chooses it, so the
// same commit runs the same tests, and over some commits all of them run.

/** Slow tests are in thirds, the slowest in fifths. */
export const THIRDS = 3;
export const FIFTHS = 5;

/** A commit has one number below this, which chooses a third and a fifth. */
export const TURNS: number = THIRDS * FIFTHS;

/** Set by spec/run.ts: the number of the commit; absent where all parts run. */
export const TURN_VARIABLE = 'TURN_OF_TESTS';

/** The number for a commit. Its tests on three majors of Node, 20, 22, 24, are all thirds. */
export function turnOf(commit: string, nodeMajor: number): number {
  return (Number.parseInt(commit.slice(0, 8), 16) + Math.floor(nodeMajor / 2)) % TURNS;
}

/** Whether this run has element number `index` of a list that is in `parts` parts. */
export function isInTurn(index: number, parts: number = THIRDS): boolean {
  const turn = process.env[TURN_VARIABLE];
  return turn === undefined || index % parts === Number(turn) % parts;
}

/** What this run tests of a list: every third element; one of a shorter list; all without parts. */
export function inTurn<Element>(
  all: readonly Element[],
  parts: number = THIRDS,
): readonly Element[] {
  return all.filter((_element, index) => isInTurn(index, Math.min(parts, all.length)));
}
