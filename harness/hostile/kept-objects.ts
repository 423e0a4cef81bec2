// Objects of every kind that handlers keep, so that later requests can call them. Bounded: most are
// replaced soon, some stay long.

import { KINDS, type Kind } from './grammar.ts';
import type { RequestRecord } from './record.ts';

export interface KeptObject {
  readonly object: object;
  /** The request that it belongs to. */
  readonly record: RequestRecord;
}

/**
 * Places for recent objects of a kind, and for lasting ones: every fourth object takes one of
 * these.
 */
const RECENT = 10;
const LASTING = 10;
const LASTING_EVERY = 4;

export class KeptObjects {
  readonly #byKind = new Map<Kind, { objects: KeptObject[]; count: number }>();

  constructor() {
    for (const kind of KINDS) this.#byKind.set(kind, { objects: [], count: 0 });
  }

  keep(kind: Kind, object: object, record: RequestRecord): void {
    const entry = this.#byKind.get(kind);
    if (entry === undefined) return;
    const { objects, count } = entry;
    entry.count += 1;
    const isLasting = count % LASTING_EVERY === 0;
    const turn = Math.floor(count / LASTING_EVERY);
    const place = isLasting ? RECENT + (turn % LASTING) : count % RECENT;
    objects[Math.min(place, objects.length)] = { object, record };
  }

  /** The objects of a kind whose requests are over: calls on them must have no effect. */
  overOf(kind: Kind): readonly KeptObject[] {
    const { objects } = this.#byKind.get(kind) ?? { objects: [] };
    return objects.filter(({ record }) => record.isOver);
  }

  /** The object of that number, modulo their count; null when none of the kind was kept. */
  pick(kind: Kind, number: number): KeptObject | null {
    const { objects } = this.#byKind.get(kind) ?? { objects: [] };
    return objects.length === 0 ? null : objects[number % objects.length];
  }
}
