// What a micro-benchmark is: a function to call, and what one call of it did.

export interface BenchCase {
  /** Stays the same between commits, or perf:compare cannot put two side by side. */
  readonly name: string;
  /** Called many times in a row, awaited where it gives a promise; keeps what it computed. */
  readonly run: () => void | Promise<void>;
  /** How many operations a call is; figures are for one of them. One unless it is given. */
  readonly operations?: number;
  /** Bytes that an operation goes through, where a rate says something. */
  readonly bytes?: number;
  /** The name of the case that it is to be compared with. */
  readonly beside?: string;
}

/** Figures of one case. Times are for one operation, in nanoseconds. */
export interface BenchResult {
  readonly group: string;
  readonly name: string;
  /** What disturbs a sample makes it slower, never faster: the least is nearest to the code. */
  readonly bestNs: number;
  readonly medianNs: number;
  /** Between these lies the middle half of the samples. */
  readonly lowNs: number;
  readonly highNs: number;
  readonly samples: number;
  readonly bytes: number | null;
  readonly beside: string | null;
}
