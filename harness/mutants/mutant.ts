// A bug that is planted: a piece of a compiled file of src/, found exactly once, and what stands
// there instead.

export interface Mutant {
  readonly name: string;
  /** Below build/src/. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The hostile application looks for it, in place of the usual one. */
  readonly hostile?: boolean;
}
