// Injects a mutant into a module as it is loaded: no file changes, and the source has no switch.
// The text to replace must occur exactly once, or the list of mutants is out of date.

export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The hostile application runs. */
  readonly hostile?: boolean;
}

/** Throws unless the text occurs exactly once. */
export function patched(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    const found = `${parts.length - 1} times in ${file}`;
    throw new Error(`the text of a mutant is found ${found}: ${find.split('\n')[0]}`);
  }
  return parts.join(replace);
}
