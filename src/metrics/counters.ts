// The counters of a server. Plain numbers: reading them costs nothing and resets nothing.

/** What a server counts from its creation on; each process has its own. */
export interface Counters {
  /** Connections accepted and closed. */
  accepted: number;
  closed: number;
  /** Requests with a complete head, and complete responses. */
  requests: number;
  responses: number;
  /** Requests rejected for their syntax, framing or size. */
  faults: number;
  timeouts: number;
  /** Connections that broke before the response to a request was sent. */
  resets: number;
  /** Calls of handlers without effect: the response had ended, or the connection was closed. */
  lateWrites: number;
  /**
   * Errors that handlers threw, except HttpError, and late calls while the client was connected.
   */
  handlerErrors: number;
  /** Clients that got 503 because of overload, and idle connections evicted for one. */
  turnedAway: number;
  evicted: number;
  /** Failures of accept(), as when descriptors or memory are used up. */
  acceptFaults: number;
  /** Lines of logs that could not be written; all servers of a process share its streams. */
  readonly logLinesDropped: number;
}

export function makeCounters(linesDropped: () => number = () => 0): Counters {
  return {
    accepted: 0,
    closed: 0,
    requests: 0,
    responses: 0,
    faults: 0,
    timeouts: 0,
    resets: 0,
    lateWrites: 0,
    handlerErrors: 0,
    turnedAway: 0,
    evicted: 0,
    acceptFaults: 0,
    get logLinesDropped(): number {
      return linesDropped();
    },
  };
}
