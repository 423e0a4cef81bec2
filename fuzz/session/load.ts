// Loads a target twice, out of its two mirrors: where it counts, and where comparisons tell.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Comparisons, type Counters, mirror, type Plant } from '../engine/mirror.ts';
import type { Target } from '../engine/target.ts';

/** The folders of both mirrors; made when they are not there. */
export interface Mirrors {
  readonly target: string;
  readonly counters: string;
  /** Null: what is compared is not followed. */
  readonly comparisons: string | null;
}

export interface Loaded {
  readonly target: Target;
  readonly counters: Counters;
  readonly compare: ((input: Uint8Array) => Promise<readonly unknown[]>) | null;
}

export function makeMirrors(
  target: string,
  plant: Plant | null = null,
  compares: boolean = true,
): Mirrors {
  const entry = `fuzz/targets/${target}.js`;
  return {
    target,
    counters: mirror(entry, 'counters', plant),
    comparisons: compares ? mirror(entry, 'comparisons', plant) : null,
  };
}

export async function loadTarget(mirrors: Mirrors): Promise<Loaded> {
  const load = async <T>(folder: string, path: string) =>
    (await import(pathToFileURL(join(folder, path)).href)) as T;
  const path = `fuzz/targets/${mirrors.target}.js`;
  const counters = await load<Counters>(mirrors.counters, 'counters.js');
  const { target } = await load<{ target: Target }>(mirrors.counters, path);
  if (mirrors.comparisons === null) return { target, counters, compare: null };
  const telling = await load<{ target: Target }>(mirrors.comparisons, path);
  const { compared } = await load<Comparisons>(mirrors.comparisons, 'counters.js');
  const compare = async (input: Uint8Array) => {
    compared.length = 0;
    await telling.target.run(input, false);
    return compared;
  };
  return { target, counters, compare };
}
