// What a proxy forwarded of a request: trustProxy() and the PROXY protocol.

/** How the client's request reached the first trusted proxy. */
export interface Forwarded {
  readonly protocol: 'http' | 'https';
  /** The host and port that the client named; null: those of this request. */
  readonly host: string | null;
}
