// What a family of metrics is: name, type, labels, and how its values are read.

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface Family {
  readonly name: string;
  readonly type: MetricType;
  /** 'seconds', 'bytes', or ''. The name ends in it, before _total. */
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Each worker has series of its own, with the label `worker`. */
  readonly perWorker?: true;
  /** It is one of the program, not of the server. */
  readonly isOwn?: true;
  /** Of several processes of a worker the largest value counts, not the sum. */
  readonly largest?: true;
  /** Of a histogram: a value in the middle of those expected. Half and double are bounds too. */
  readonly base?: number;
  /** Of a histogram: the bounds `le` of the text formats, each one of the buckets. */
  readonly bounds?: readonly number[];
  /** Its series are shown as parts of those of these families, and not by themselves. */
  readonly partOf?: readonly string[];
}

/** `count` bounds from `first` on, each `factor` times the one before. */
export function boundsFrom(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first * factor ** index);
}
