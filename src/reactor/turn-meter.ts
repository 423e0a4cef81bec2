// What the reactor reports of its turns to who measures them.

export interface TurnMeter {
  /** A turn without completions is reported only then. */
  readonly hasPending: boolean;
  turnEnded(startMs: number, endMs: number, completions: number): void;
}
