// An injected bug: a text of a compiled file of src/, which occurs there exactly once, and its
// replacement.

export interface Mutant {
  readonly name: string;
  /** Below build/src/. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The hostile application runs, in place of the ordinary one. */
  readonly hostile?: boolean;
}
