// Loads a target from its two mirrors: one counts coverage, one records comparisons.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Comparisons, type Counters, type Injection, mirror } from '../engine/mirror.ts';
import type { Target } from '../engine/target.ts';

/** The folders of both mirrors. */
export interface Mirrors {
  readonly target: string;
  readonly counters: string;
  /** Null: comparisons are not recorded. */
  readonly comparisons: string | null;
}

export interface Loaded {
  readonly target: Target;
  readonly counters: Counters;
  readonly compare: ((input: Uint8Array) => Promise<readonly unknown[]>) | null;
}

export function makeMirrors(
  target: string,
  injection: Injection | null = null,
  compares: boolean = true,
): Mirrors {
  const entry = `fuzz/targets/${target}.js`;
  return {
    target,
    counters: mirror(entry, 'counters', injection),
    comparisons: compares ? mirror(entry, 'comparisons', injection) : null,
  };
}

export async function loadTarget(mirrors: Mirrors): Promise<Loaded> {
  const load = async <T>(folder: string, path: string) =>
    (await import(pathToFileURL(join(folder, path)).href)) as T;
  const path = `fuzz/targets/${mirrors.target}.js`;
  const counters = await load<Counters>(mirrors.counters, 'counters.js');
  const { target } = await load<{ target: Target }>(mirrors.counters, path);
  if (mirrors.comparisons === null) return { target, counters, compare: null };
  const recording = await load<{ target: Target }>(mirrors.comparisons, path);
  const { compared } = await load<Comparisons>(mirrors.comparisons, 'counters.js');
  const compare = async (input: Uint8Array) => {
    compared.length = 0;
    await recording.target.run(input, false);
    return compared;
  };
  return { target, counters, compare };
}
