// The configuration keys that a reload cannot change, because the primary has applied them.

import { type Config, optionsOf } from '../server/config/config.ts';
import { KEY_BY_OPTION } from '../server/config/keys.ts';
import type { Value } from '../server/config/rules.ts';

const FIXED = [
  'host',
  'port',
  'socket',
  'socketMode',
  'workers',
  'supervise',
  'workerTimeoutMs',
  'driver',
  'backlog',
  'metrics',
  'metricsPort',
  'metricsHost',
  'metricsSocket',
] as const;

/** By key, as in the file; null for a key that is not set. */
export type FixedValues = Readonly<Record<string, Value | null>>;

export function fixedValues(config: Config): FixedValues {
  const options = new Map(Object.entries(optionsOf(config)));
  const values: Record<string, Value | null> = {};
  for (const option of FIXED) {
    values[KEY_BY_OPTION.get(option)?.key ?? option] = options.get(option) ?? null;
  }
  return values;
}

/** The keys in which two configurations differ. */
export function changedKeys(before: FixedValues, after: FixedValues): string[] {
  return Object.keys(before).filter((key) => before[key] !== after[key]);
}
