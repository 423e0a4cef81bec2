// Objects that handlers keep from requests, of every kind, for others to call later. Bounded: most
// are replaced soon, some stay for long.

import type { Kind } from './grammar.ts';
import { KINDS } from './grammar.ts';
import type { RequestRecord } from './record.ts';

export interface Exhibit {
  readonly object: object;
  /** The request it is of. */
  readonly record: RequestRecord;
}

/** Objects of a kind that come and go, and those of which one in four new ones takes a place. */
const RECENT = 10;
const LASTING = 10;
const LASTING_EVERY = 4;

export class Museum {
  readonly #rooms = new Map<Kind, { exhibits: Exhibit[]; count: number }>();

  constructor() {
    for (const kind of KINDS) this.#rooms.set(kind, { exhibits: [], count: 0 });
  }

  keep(kind: Kind, object: object, record: RequestRecord): void {
    const room = this.#rooms.get(kind);
    if (room === undefined) return;
    const { exhibits, count } = room;
    room.count += 1;
    const isLasting = count % LASTING_EVERY === 0;
    const turn = Math.floor(count / LASTING_EVERY);
    const place = isLasting ? RECENT + (turn % LASTING) : count % RECENT;
    exhibits[Math.min(place, exhibits.length)] = { object, record };
  }

  /** All objects of a kind whose requests are over: nobody may notice what is done with them. */
  overOf(kind: Kind): readonly Exhibit[] {
    const { exhibits } = this.#rooms.get(kind) ?? { exhibits: [] };
    return exhibits.filter(({ record }) => record.isOver);
  }

  /** The object of that number, counted around; null when none of the kind was kept. */
  pick(kind: Kind, number: number): Exhibit | null {
    const { exhibits } = this.#rooms.get(kind) ?? { exhibits: [] };
    return exhibits.length === 0 ? null : exhibits[number % exhibits.length];
  }
}
