// What a command that shows progress and ends by itself has of its process.

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Columns of the terminal that shows progress; 0 when it is not a terminal. */
  readonly columns: number;
  onInterrupt(listener: () => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Exit codes of such a command. */
export const OK = 0;
/** Something that was to be done has failed. */
export const FAILED = 1;
export const USAGE_ERROR = 2;
/** By Ctrl-C. */
export const INTERRUPTED = 130;
