// The type of a case of the driver suite, and of its arguments.

import type { Fixture, FixtureOptions, MakeDriver } from './fixture.ts';

export interface CaseContext {
  /** Closed after the case, which fails if anything is left over. */
  readonly fixture: Fixture;
  /** Makes a second driver. */
  readonly make: MakeDriver;
  readonly seed: number;
}

export interface Case {
  readonly name: string;
  /** Why this machine cannot run the case, or null. */
  readonly needs?: string | null;
  readonly options?: FixtureOptions;
  run(context: CaseContext): Promise<void>;
}
