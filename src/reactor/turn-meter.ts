// What the reactor reports of its turns. No clock is read for it: a turn ends when the next one has
// polled.

export interface TurnMeter {
  /** A turn begins with so many completions, and the one before has ended. */
  polled(nowMs: number, completions: number): void;
  /** A turn has not ended. */
  readonly isOpen: boolean;
}
