// The two commits on the command line of perf:compare.

/** What is wrong with them, or null; `hashOf` returns '' for what is no commit. */
export function commitsProblem(
  names: readonly string[],
  hashOf: (name: string) => string,
): string | null {
  if (names.length < 2) return 'two commits are needed, as in main~5 main';
  if (names.length > 2) return `two commits are compared, not also '${names[2]}'`;
  const missing = names.find((name) => hashOf(name) === '');
  return missing === undefined ? null : `'${missing}' is no commit of this repository`;
}
