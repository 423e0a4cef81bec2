// What the main thread and the thread of a database send each other.

/** What the thread is started with. */
export interface ThreadOptions {
  /** The database file. */
  readonly path: string;
  /** The URL of a module that exports `reads` and `writes`: functions by name. */
  readonly module: string;
  readonly kind: 'reads' | 'writes';
}

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** The result of a call; an Error loses its own properties between threads, so it is in parts. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };

export interface Failure {
  readonly message: string;
  readonly stack: string;
  /** The database was locked by another process for too long. */
  readonly isBusy: boolean;
}

/** Ends the thread after the calls before it. */
export const CLOSE = 'close';
