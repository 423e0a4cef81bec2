// One case of the driver suite, and what it is given.

import type { Fixture, FixtureOptions, MakeDriver } from './fixture.ts';

export interface CaseContext {
  /** Ended after the case, which fails if anything is left over. */
  readonly fixture: Fixture;
  /** For a second world. */
  readonly make: MakeDriver;
  readonly seed: number;
}

export interface Case {
  readonly name: string;
  /** Why this machine cannot run it, or null. */
  readonly needs?: string | null;
  readonly options?: FixtureOptions;
  run(context: CaseContext): Promise<void>;
}
