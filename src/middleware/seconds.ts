// The option rule for lengths of time in fields, the delta-seconds of RFC 9111 1.2.2.

import type { OptionRule } from '../base/options.ts';

/** The largest value that caches are sure to understand. */
const SECONDS_MAX = 2_147_483_647;

export const SECONDS: OptionRule = {
  wanted: 'a whole number of seconds',
  fits: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= SECONDS_MAX,
};
