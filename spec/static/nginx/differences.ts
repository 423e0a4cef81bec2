// The differences from nginx that have a reason; spec/static-differences.md explains each.

import type { Reduced } from './compare.ts';
import type { StaticRequest } from './requests.ts';

export interface Difference {
  /** As in the page. */
  readonly name: string;
  fits(
    request: StaticRequest,
    ours: Reduced,
    nginx: Reduced,
    different: readonly string[],
  ): boolean;
}

export const DIFFERENCES: readonly Difference[] = [];
