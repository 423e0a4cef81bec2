// What mutate.ts passes to the test runner, which Stryker starts in a process of its own.

import type { Slice } from './slice.ts';

/** Written by the runner, relative to the root: tests that fail or are slow without any mutant. */
export const LEFT_OUT = 'reports/mutation/left-out.json';

export interface LeftOut {
  /** The test, or a file that cannot be loaded. */
  readonly test: string;
  readonly reason: string;
}

export interface MutationRun {
  readonly area: string;
  /** The root of the project; the runner works in a copy. */
  readonly root: string;
  readonly slice: Slice | null;
}

/** The environment variable with a MutationRun as JSON. */
export const MUTATION_RUN_VARIABLE = 'VIBING_MUTATION_RUN';
