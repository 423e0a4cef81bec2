// How many descriptors this process may have open, where the system says so.

import { readFileSync } from 'node:fs';

/** Infinity where the system does not say. */
export function descriptorsMax(): number {
  try {
    return maxFrom(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The soft limit in the text of /proc/self/limits. */
export function maxFrom(limits: string): number {
  const most = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return most === undefined ? Number.POSITIVE_INFINITY : Number(most);
}
