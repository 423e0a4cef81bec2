// All injected bugs.

import { INJECTED_LIFETIMES } from './injected-lifetimes.ts';
import { INJECTED_MEMORY } from './injected-memory.ts';
import { INJECTED_ORDER } from './injected-order.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...INJECTED_MEMORY,
  ...INJECTED_ORDER,
  ...INJECTED_LIFETIMES,
];
