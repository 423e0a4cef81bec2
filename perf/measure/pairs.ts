// Pairs of windows: the speed of a machine changes from one second to the next, so a window of the
// server is compared only with the floor's windows just before and just after it.

/** One window of the server, between two of the floor. */
export interface Pair {
  /** Requests a second: the mean of the two floor windows, and the server's. */
  readonly floor: number;
  readonly server: number;
  readonly ratio: number;
}

/** There is one floor window more than there are server windows. */
export function pairUp(floors: readonly number[], servers: readonly number[]): readonly Pair[] {
  if (floors.length !== servers.length + 1) {
    throw new Error(`${servers.length} windows need ${servers.length + 1} of the floor`);
  }
  return servers.map((server, index) => {
    const floor = (floors[index] + floors[index + 1]) / 2;
    return { floor, server, ratio: server / floor };
  });
}

/** What a comparison needs of a window. */
export interface Compared {
  readonly rate: number;
  /** Processor time of the server for a request. */
  readonly cpuUs: number;
  /** The load may have been the limit. */
  readonly isLoadBound: boolean;
}

/**
 * How fast a server is to others, of which the mean counts: more is better. By rate; where the load
 * was the limit in one of the windows, by processor time, since both rates are the load's then.
 */
export function comparedRatio(server: Compared, others: readonly Compared[]): number {
  const mean = (of: (window: Compared) => number): number =>
    others.reduce((sum, other) => sum + of(other), 0) / others.length;
  return isBoundPair(server, others)
    ? mean(({ cpuUs }) => cpuUs) / server.cpuUs
    : server.rate / mean(({ rate }) => rate);
}

export function isBoundPair(server: Compared, others: readonly Compared[]): boolean {
  return [server, ...others].some(({ isLoadBound }) => isLoadBound);
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no values have no median');
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function summary(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}
