// All bugs that are planted to see them caught.

import { PLANTED_LIFETIMES } from './injected-lifetimes.ts';
import { PLANTED_IN_MEMORY } from './injected-memory.ts';
import { PLANTED_IN_ORDER } from './injected-order.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...PLANTED_IN_MEMORY,
  ...PLANTED_IN_ORDER,
  ...PLANTED_LIFETIMES,
];
