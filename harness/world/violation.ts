// A failed check. Shrinking keeps the kind of check: a failure of another kind is another bug.

/** Kinds of check; those from 'isolation' on belong to the hostile application. */
export const CHECK_NAMES = [
  'contract',
  'memory',
  'response',
  'liveness',
  'balance',
  'timeout',
  'wake-up',
  'assertion',
  'async-io',
  'isolation',
  'address',
  'guard',
  'starvation',
  'rejection',
  'late call',
  'later response',
  'source',
  'unsettled',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly check: CheckName;
  /** The client that it concerns, or -1. */
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
