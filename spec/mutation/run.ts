// What mutate.ts passes to the test runner, which Stryker starts in a process of its own.

import type { Slice } from './slice.ts';

export interface MutationRun {
  readonly area: string;
  readonly slice: Slice | null;
}

/** The environment variable with a MutationRun as JSON. */
export const MUTATION_RUN_VARIABLE = 'VIBING_MUTATION_RUN';
