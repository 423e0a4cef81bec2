// Types of what ffi.ts provides, for the files below it.

/** A C function: numbers in (addresses too), a number out. */
export type Foreign = (...args: (number | Uint8Array | Int32Array)[]) => number;

/** A descriptor that Node's own loop watches, until close(). */
export interface LoopWatch {
  /** Before a sleep: has the callback called when the loop's next wait ends. */
  arm(): void;
  close(): void;
}
