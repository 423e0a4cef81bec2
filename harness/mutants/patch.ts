// Puts a mutant into a file as it is loaded. Nothing on the disk changes, and the source has no
// switch: the piece to replace must be found exactly once, or the list is out of date.

export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The hostile application runs. */
  readonly hostile?: boolean;
}

/** Throws when the piece is not there, or twice. */
export function patched(source: string, { file, find, replace }: Patch): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    const found = `${parts.length - 1} times in ${file}`;
    throw new Error(`the piece of a mutant is found ${found}: ${find.split('\n')[0]}`);
  }
  return parts.join(replace);
}
