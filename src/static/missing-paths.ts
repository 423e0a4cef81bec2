// Paths that were requested and have no file, with what was at them: so that a request for a route
// behind the files, or for a missing file, costs no look-up. Bounded by number and by length; many
// different missing paths evict each other, never a file.

import { MISSING_PATHS_BYTES_MAX, MISSING_PATHS_MAX } from '../base/fixed-limits.ts';
import type { Probe } from './freshness.ts';

export interface MissingPath {
  /** What makes the path a missing one: it is missing while all of them are the same. */
  readonly probes: readonly Probe[];
  checkedMs: number;
}

/** Half of the bounds for each of the two generations. */
const PATHS_MAX = MISSING_PATHS_MAX / 2;
const BYTES_MAX = MISSING_PATHS_BYTES_MAX / 2;

export class MissingPaths {
  /**
   * Two generations: when the young one is full, it becomes the old one, which is dropped. Unlike a
   * list in order it costs nothing for each path. Clients choose the keys: a Map's hash of text is
   * seeded, so they cannot make keys collide.
   */
  #young: Map<string, MissingPath> = new Map();
  #old: Map<string, MissingPath> = new Map();
  #youngBytes = 0;

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(path: string): MissingPath | undefined {
    return this.#young.get(path) ?? this.#old.get(path);
  }

  set(path: string, missing: MissingPath): void {
    const known = this.#young.get(path);
    if (known !== undefined) this.#youngBytes -= bytesOf(path, known);
    const bytes = bytesOf(path, missing);
    const isFull = this.#young.size >= PATHS_MAX || this.#youngBytes + bytes > BYTES_MAX;
    if (isFull && known === undefined) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(path, missing);
    this.#youngBytes += bytes;
  }

  delete(path: string): void {
    const known = this.#young.get(path);
    if (known !== undefined) this.#youngBytes -= bytesOf(path, known);
    this.#young.delete(path);
    this.#old.delete(path);
  }
}

/** Characters of the texts that it keeps. */
function bytesOf(path: string, { probes }: MissingPath): number {
  let bytes = path.length;
  for (const probe of probes) bytes += probe.path.length;
  return bytes;
}
