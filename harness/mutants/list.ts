// All bugs that are planted to see them caught.

import type { Mutant } from './mutant.ts';
import { PLANTED_LIFETIMES } from './planted-lifetimes.ts';
import { PLANTED_IN_MEMORY } from './planted-memory.ts';
import { PLANTED_IN_ORDER } from './planted-order.ts';

export const MUTANTS: readonly Mutant[] = [
  ...PLANTED_IN_MEMORY,
  ...PLANTED_IN_ORDER,
  ...PLANTED_LIFETIMES,
];
