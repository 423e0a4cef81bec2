// What an exchange knows of the parts of its handling.

/** The parts of the handling that run; see parts.ts. */
export interface Parts {
  /** How many have not settled. */
  running: number;
  /** True when any of them returned a promise. */
  deferred: boolean;
  /** Within a call of a handler or middleware, which catches what we throw. */
  entered: boolean;
  /** The first error that counts. */
  failure: { readonly error: unknown; readonly mayBeCaught: boolean } | null;
}
