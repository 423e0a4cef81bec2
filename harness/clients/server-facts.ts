// The limits of the server that requests depend on.

export interface ServerFacts {
  readonly bodyBytesMax: number;
  readonly discardBytesMax: number;
  readonly handlerTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly targetBytesMax: number;
  readonly headBytesMax: number;
  /** The usual size of bodies: moderate, for speed. */
  readonly bodyBytesUsual: number;
}
