// The counters of a server. Plain numbers: reading them costs nothing and resets nothing.

/** What the code of requests counts. */
export interface Counts {
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
}

/** What a server counts from its creation on; each process has its own. */
export interface Counters extends Counts {
  /** Lines of logs that could not be written; all servers of a process share its streams. */
  readonly logLinesDropped: number;
}

/**
 * Without a getter: V8 makes an object with one a hash table, and looking up two counters in that
 * took 4 % of the time of a request in a pipeline.
 */
export function makeCounts(): Counts {
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
  };
}

/** What users read: always the present values, also by spreading and as JSON. */
export function countersOf(counts: Counts, linesDropped: () => number): Readonly<Counters> {
  const counters = {};
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    Object.defineProperty(counters, name, { enumerable: true, get: () => counts[name] });
  }
  Object.defineProperty(counters, 'logLinesDropped', { enumerable: true, get: linesDropped });
  return counters as Readonly<Counters>;
}
