// What an exchange knows of its handling: the parts that run, the limit of its time, and the methods
// that a path allows.

/**
 * Called when no handler takes the request: returns the methods that middleware supports for the
 * path, such as those of a file, for the Allow field; or responds, such as with a page in place of
 * a 404, unless a route has the path for other methods.
 */
export type AllowedMethods = (hasRoute: boolean) => Promise<readonly string[]>;

/** Limits the time of handlers: timeout(). The one that runs last decides. */
export interface TimeLimit {
  /** Limits this exchange no longer. */
  drop(exchange: object): void;
}

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
