// The slow tests are in parts, and npm test runs one part of them. The commit chooses it, so the
// same commit runs the same tests, and commits in a row run all of them.

export const PARTS = 3;
/** Set by spec/run.ts: the number of the part; absent where all parts run. */
export const PART_VARIABLE = 'PART_OF_TESTS';

/** The part for a commit. Its tests on three majors of Node in a row, 20, 22, 24, are all parts. */
export function partOf(commit: string, nodeMajor: number): number {
  return (Number.parseInt(commit.slice(0, 8), 16) + nodeMajor / 2) % PARTS;
}

/** What this run tests of a list: every third element; one of a shorter list; all without parts. */
export function inTurn<Element>(all: readonly Element[]): readonly Element[] {
  const given = process.env[PART_VARIABLE];
  if (given === undefined) return all;
  const part = Number(given);
  if (all.length < PARTS) return all.filter((_element, index) => index === part % all.length);
  return all.filter((_element, index) => index % PARTS === part);
}
