// One case of the driver suite, and what it is given.

import type { MakeDriver, World, WorldOptions } from './fixture.ts';

export interface CaseContext {
  /** Ended after the case, which fails if anything is left over. */
  readonly world: World;
  /** For a second world. */
  readonly make: MakeDriver;
  readonly seed: number;
}

export interface Case {
  readonly name: string;
  /** Why this machine cannot run it, or null. */
  readonly needs?: string | null;
  readonly options?: WorldOptions;
  run(context: CaseContext): Promise<void>;
}
