// The shape of a micro-benchmark and of its figures.

export interface BenchCase {
  /** Stays the same between commits: perf:compare matches cases by name. */
  readonly name: string;
  /** Called many times in a row, awaited when it returns a promise; keeps its result alive. */
  readonly run: () => void | Promise<void>;
  /** Operations in one call, 1 by default; figures are for one operation. */
  readonly operations?: number;
  /** Bytes that an operation processes, where a rate is of interest. */
  readonly bytes?: number;
  /** The name of the case that it is compared with. */
  readonly versus?: string;
}

/** Figures of one case. Times are for one operation, in nanoseconds. */
export interface BenchResult {
  readonly group: string;
  readonly name: string;
  /** The least: disturbances only make a sample slower. */
  readonly bestNs: number;
  readonly medianNs: number;
  /** The quartiles of the samples. */
  readonly lowNs: number;
  readonly highNs: number;
  readonly samples: number;
  readonly bytes: number | null;
  readonly versus: string | null;
}
