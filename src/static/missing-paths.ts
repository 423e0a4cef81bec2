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

export class MissingPaths {
  /**
   * The least recently checked first. Clients choose the keys: a Map's hash of text is seeded, so
   * they cannot make keys collide.
   */
  readonly #paths: Map<string, MissingPath> = new Map();
  #bytes = 0;

  get size(): number {
    return this.#paths.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(path: string): MissingPath | undefined {
    return this.#paths.get(path);
  }

  set(path: string, missing: MissingPath): void {
    this.delete(path);
    this.#paths.set(path, missing);
    this.#bytes += bytesOf(path, missing);
    for (const [first] of this.#paths) {
      if (this.#paths.size <= MISSING_PATHS_MAX && this.#bytes <= MISSING_PATHS_BYTES_MAX) return;
      this.delete(first);
    }
  }

  delete(path: string): void {
    const missing = this.#paths.get(path);
    if (missing === undefined) return;
    this.#paths.delete(path);
    this.#bytes -= bytesOf(path, missing);
  }
}

/** Characters of the texts that it keeps. */
function bytesOf(path: string, { probes }: MissingPath): number {
  let bytes = path.length;
  for (const probe of probes) bytes += probe.path.length;
  return bytes;
}
