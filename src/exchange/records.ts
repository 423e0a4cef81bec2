// The records in an exchange: what the router found, what runs, what a proxy forwarded.

/** The parameters that the router found: pairs of offsets in the path, and their names. */
export interface MatchedParams {
  readonly paramCount: number;
  readonly names: readonly string[];
  readonly offsets: Int32Array;
}

export const NO_PARAMS: MatchedParams = { paramCount: 0, names: [], offsets: new Int32Array(0) };

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

/** How the client's request reached the first trusted proxy. */
export interface Forwarded {
  readonly protocol: 'http' | 'https';
  /** The host and port that the client named; null: those of this request. */
  readonly host: string | null;
}
