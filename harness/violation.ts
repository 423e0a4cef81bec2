// What a check finds. The kind of check is what shrinking keeps: another failure is another bug.

/** What the checks are about. */
export type CheckName =
  | 'contract'
  | 'memory'
  | 'answer'
  | 'liveness'
  | 'balance'
  | 'timeout'
  | 'wake-up'
  | 'assertion'
  | 'work';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly check: CheckName;
  /** The client it is about, or -1. */
  readonly lane: number;

  constructor(check: CheckName, message: string, lane = -1) {
    super(message);
    this.check = check;
    this.lane = lane;
  }
}

export function ensure(condition: boolean, check: CheckName, message: string): asserts condition {
  if (!condition) throw new Violation(check, message);
}
