// What an exchange knows of its handling: the parameters of its route, the parts that run, and the
// methods that a path allows.

/**
 * Called when no handler takes the request: returns the methods that middleware supports for the
 * path, such as those of a file, for the Allow field; or responds, such as with a page in place of
 * a 404, unless a route has the path for other methods.
 */
export type AllowedMethods = (hasRoute: boolean) => Promise<readonly string[]>;

/** The parameters that the router found: pairs of offsets in the path, and their names. */
export interface MatchedParams {
  readonly paramCount: number;
  readonly names: readonly string[];
  readonly offsets: Int32Array;
}

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

export const NO_PARAMS: MatchedParams = { paramCount: 0, names: [], offsets: new Int32Array(0) };
