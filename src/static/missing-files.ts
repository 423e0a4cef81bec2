// Decides without a look-up that a path has no file: because one was made a moment ago and nothing
// has changed since, or because nothing is at the path.

import type { Services } from '../exchange/exchange.ts';
import { latin1 } from '../http/text.ts';
import { spelledOut } from './find.ts';
import {
  Check,
  checkNow,
  FRESH_MS,
  isAbsent,
  type Probe,
  RECHECK_MS,
  STAT_CACHED_MS,
} from './freshness.ts';
import { MissingPaths } from './missing-paths.ts';
import type { Settings } from './options.ts';
import type { Wanted } from './requested-path.ts';
import type { Root } from './root.ts';

export class MissingFiles {
  readonly #root: Root;
  readonly #extensions: readonly string[];
  readonly #paths: MissingPaths = new MissingPaths();
  /** When the root was last looked at by a slow look-up. */
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(root: Root, { extensions }: Settings) {
    this.#root = root;
    this.#extensions = extensions;
  }

  /** True when a path, with one character for each byte, was found to be missing a moment ago. */
  isFresh(services: Services, path: string): boolean {
    const known = this.#paths.get(path);
    return known !== undefined && services.nowMs() - known.checkedMs <= FRESH_MS;
  }

  /** True when a path is known to have no file. */
  isMissing(services: Services, wanted: Wanted): boolean {
    const nowMs = services.nowMs();
    const path = textOf(wanted);
    const known = this.#paths.get(path);
    if (known === undefined) return this.#isAbsentNow(services, wanted, path, nowMs);
    const ageMs = nowMs - known.checkedMs;
    const check =
      ageMs <= STAT_CACHED_MS ? checkNow(services.asyncIo, known.probes) : Check.Unknown;
    if (check === Check.Same) known.checkedMs = nowMs;
    else if (check === Check.Changed) this.#paths.delete(path);
    return check === Check.Same || (check === Check.Unknown && ageMs <= RECHECK_MS);
  }

  /**
   * A new path: while the system has the root in memory, it knows there what is missing, too. So
   * paths of an API, most of which differ, cost no slow look-up either.
   */
  #isAbsentNow(services: Services, wanted: Wanted, path: string, nowMs: number): boolean {
    if (nowMs - this.#lookedMs > STAT_CACHED_MS) return false;
    const { names, isFolder } = wanted;
    const probes: Probe[] = [];
    const all = isFolder ? [names] : [names, ...spelledOut(names, this.#extensions)];
    for (const each of all) {
      const file = this.#root.pathOf(each);
      const result = services.asyncIo.statNow(file);
      if (result === null || !isAbsent(result)) return false;
      probes.push({ path: file, stat: null });
    }
    this.#paths.set(path, { probes, checkedMs: nowMs });
    return true;
  }

  /**
   * Records the result of a look-up that began then; without probes only that the root was looked
   * at.
   */
  add(wanted: Wanted, probes: readonly Probe[] | null, beganMs: number): void {
    this.#lookedMs = beganMs;
    if (probes !== null) this.#paths.set(textOf(wanted), { probes, checkedMs: beganMs });
  }
}

/** One character for each byte of the path: cheaper than decoding it. */
function textOf({ key }: Wanted): string {
  return latin1(key, 0, key.length);
}
