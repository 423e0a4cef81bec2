// What a check finds. The kind of check is what shrinking keeps: another failure is another bug.

/** What the checks are about; the last ones are those of the hostile application. */
export const CHECK_NAMES = [
  'contract',
  'memory',
  'answer',
  'liveness',
  'balance',
  'timeout',
  'wake-up',
  'assertion',
  'work',
  'isolation',
  'address',
  'guard',
  'starvation',
  'rejection',
  'late call',
  'later answer',
  'source',
  'unsettled',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

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
