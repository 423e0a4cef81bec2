// The configuration keys of the paths for orchestrators: true, false, or a path.

import { parsePattern } from '../../route/pattern.ts';
import type { ShapedRule } from './static-keys.ts';

const WANTED = 'true, false, or a path without parameters, such as "/health"';

export const HEALTH: ShapedRule = {
  kind: 'shaped',
  shape: 'toggle',
  fits: (value) => typeof value === 'boolean' || isStaticPath(value),
  wanted: WANTED,
  wantedText: WANTED,
};

export interface HealthKeys {
  readonly healthz: boolean | string;
  /** Undefined: as healthz, at its default path. */
  readonly readyz: boolean | string | undefined;
}

/** The paths of both; null where there is none. */
export function healthPaths({ healthz, readyz = healthz !== false }: HealthKeys): {
  healthz: string | null;
  readyz: string | null;
} {
  return { healthz: pathOf(healthz, '/healthz'), readyz: pathOf(readyz, '/readyz') };
}

function pathOf(value: boolean | string, standard: string): string | null {
  if (typeof value === 'string') return value;
  return value ? standard : null;
}

function isStaticPath(value: unknown): boolean {
  try {
    return typeof value === 'string' && parsePattern(value).names.length === 0;
  } catch {
    return false;
  }
}
