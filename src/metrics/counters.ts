// What a server counts. Plain numbers: reading them costs nothing and resets nothing.

export interface Counters {
  /** Connections taken and ended. */
  accepted: number;
  closed: number;
  /** Requests whose head was whole, and answers handed over whole. */
  requests: number;
  responses: number;
  /** Requests refused for their syntax, framing or size. */
  faults: number;
  timeouts: number;
  /** Connections that broke while a request was being answered. */
  resets: number;
  /** Calls of handlers that had no effect: the response had ended, or its client was gone. */
  lateWrites: number;
  /** Errors that handlers threw, HttpError apart, and late calls whose client was there. */
  handlerErrors: number;
  /** Clients that got 503 for want of a connection, and idle connections that made room for one. */
  turnedAway: number;
  evicted: number;
  /** accept() failing for want of descriptors or memory. */
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
