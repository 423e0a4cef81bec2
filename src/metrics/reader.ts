// Reads the segments of all processes of a server, adds up what belongs together, and lists it by
// family. It remembers where the series are, so that a later reading looks at new records only.

import { BANK_BUCKETS, BUCKETS, DOUBLINGS, upperBound } from './buckets.ts';
import type { Family } from './family.ts';
import {
  BEYOND,
  bankWord,
  FAMILY_START,
  HEADER_BYTES,
  MAGIC,
  recordsOf,
  SUM,
  Word,
} from './segment.ts';

/** Memory that a process of the server writes, or has written. */
export interface ReadableSegment {
  /** The same for each reading, and as long as the series in it. */
  readonly id: number;
  readonly buffer: ArrayBufferLike;
}

/** Where another thread of the process finds a segment: in shared memory, or in a file. */
export type SegmentSource = { readonly id: number; readonly histograms: number } & (
  | { readonly buffer: SharedArrayBuffer }
  | { readonly fd: number; readonly at: number }
);

export type Labels = readonly (readonly [name: string, value: string])[];

interface Part {
  readonly segment: number;
  readonly cell: number;
}

export interface Series {
  readonly labels: Labels;
  readonly parts: Part[];
  /** The labels as a format writes them, kept for the next time. */
  text: string;
}

interface FamilyRecord {
  readonly segment: number;
  readonly at: number;
}

interface IndexedFamily {
  readonly family: Family;
  readonly series: Map<string, Series>;
  /** Its records. */
  readonly records: FamilyRecord[];
}

/** Counts of a histogram, in an array that the next reading overwrites. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly counts: Float64Array;
}

/** More than the number of any start, a word. */
const LIVE: number = 2 ** 32;

/** Records that are read in one step. */
const STEP_RECORDS = 200;

interface View {
  readonly cells: Float64Array;
  readonly words: Uint32Array;
}

export class Reader {
  readonly #segments: () => readonly ReadableSegment[];
  readonly #families = new Map<string, IndexedFamily>();
  /** By the id of a segment: where its unread records begin, and its families by position. */
  readonly #readTo = new Map<number, number>();
  readonly #byPosition = new Map<string, readonly IndexedFamily[]>();
  readonly #views = new Map<number, View>();
  readonly #counts = new Float64Array(BUCKETS);

  constructor(segments: () => readonly ReadableSegment[]) {
    this.#segments = segments;
  }

  /** Looks for new records, in steps. */
  *update(): Generator<void> {
    for (const segment of this.#segments()) {
      const { buffer, id } = segment;
      const words = new Uint32Array(buffer);
      if (words[Word.Magic] !== MAGIC) continue;
      this.#views.set(id, { cells: new Float64Array(buffer), words });
      while (this.#readStep(segment)) yield;
    }
  }

  /** Reads some records; false when there are no more. Another reading may be between two steps. */
  #readStep(segment: ReadableSegment): boolean {
    const { buffer, id } = segment;
    let count = 0;
    for (const record of recordsOf(new Uint8Array(buffer), this.#readTo.get(id) ?? HEADER_BYTES)) {
      if (record.kind === 1) this.#addFamily(segment, record.family, record.at);
      else this.#addSeries(segment, record.familyAt, record.labels, record.cell);
      this.#readTo.set(id, record.end);
      count += 1;
      if (count === STEP_RECORDS) return true;
    }
    return false;
  }

  /** Forgets all: the segments are others from now on. */
  reset(): void {
    this.#families.clear();
    this.#readTo.clear();
    this.#byPosition.clear();
    this.#views.clear();
  }

  #addFamily({ id }: ReadableSegment, family: Family, at: number): void {
    const names = family.partOf ?? [family.name];
    this.#byPosition.set(
      `${id} ${at}`,
      names.map((name) => this.#indexed(name, family, { segment: id, at })),
    );
  }

  #indexed(name: string, given: Family, record: FamilyRecord): IndexedFamily {
    const { partOf: _, ...family } = given;
    const { base, bounds, labels, type } = family;
    const key = JSON.stringify([name, type, labels, base, bounds]);
    let indexed = this.#families.get(key);
    if (indexed === undefined) {
      indexed = { family: { ...family, name }, series: new Map(), records: [] };
      this.#families.set(key, indexed);
    } else if (name === family.name) {
      // The description of a family that has parts comes after them.
      Object.assign(indexed, { family: { ...family, name } });
    }
    indexed.records.push(record);
    return indexed;
  }

  #addSeries(segment: ReadableSegment, familyAt: number, text: string, cell: number): void {
    const families = this.#byPosition.get(`${segment.id} ${familyAt}`) ?? [];
    const values = JSON.parse(text) as string[];
    for (const { family, series } of families) {
      const worker = family.perWorker === true ? this.#workerOf(segment) : '';
      const key = `${worker} ${text}`;
      let found = series.get(key);
      if (found === undefined) {
        const labels = family.labels.map((name, index) => [name, values[index] ?? ''] as const);
        // A label without a value is the same as none.
        const given = labels.filter(([, value]) => value !== '');
        if (worker !== '') given.push(['worker', worker]);
        found = { labels: given, parts: [], text: '' };
        series.set(key, found);
      }
      found.parts.push({ segment: segment.id, cell });
    }
  }

  #workerOf({ id }: ReadableSegment): string {
    return String(this.#views.get(id)?.words[Word.Worker] ?? 0);
  }

  /**
   * The families that have series. Of several with one name that of the process that started last,
   * and one that a process uses before those that none does.
   */
  families(): { family: Family; series: Iterable<Series> }[] {
    const byName = new Map<string, { indexed: IndexedFamily; use: number }>();
    for (const indexed of this.#families.values()) {
      const { name } = indexed.family;
      const use = this.#useOf(indexed);
      const other = byName.get(name);
      if (other === undefined || other.use < use) byName.set(name, { indexed, use });
    }
    const all = [...byName.values()].filter(({ indexed }) => indexed.series.size > 0);
    return all.map(({ indexed: { family, series } }) => ({ family, series: series.values() }));
  }

  /** Larger for a later start, and larger still when a process that runs uses the family. */
  #useOf({ records }: IndexedFamily): number {
    let use = 0;
    for (const { at, segment } of records) {
      const words = this.#views.get(segment)?.words;
      if (words === undefined) continue;
      const start = words[at / 4 + FAMILY_START];
      const isLive = words[Word.IsUsed] === 1 && words[Word.Start] === start;
      use = Math.max(use, isLive ? LIVE + start : start);
    }
    return use;
  }

  /** The value of a counter or gauge; null for a gauge of processes that have ended. */
  value(family: Family, { parts }: Series): number | null {
    let sum = 0;
    let live = 0;
    for (const { segment, cell } of parts) {
      const view = this.#views.get(segment);
      if (view === undefined) continue;
      if (family.type === 'gauge' && view.words[Word.IsUsed] !== 1) continue;
      live += 1;
      const value = view.cells[cell];
      sum = family.largest === true ? Math.max(sum, value) : sum + value;
    }
    return live === 0 ? null : sum;
  }

  distribution({ parts }: Series): Distribution {
    const counts = this.#counts;
    counts.fill(0);
    let count = 0;
    let sum = 0;
    for (const { segment, cell } of parts) {
      const view = this.#views.get(segment);
      if (view === undefined) continue;
      const { cells, words } = view;
      sum += cells[cell + SUM];
      count += cells[cell + BEYOND];
      for (let doubling = 0; doubling < DOUBLINGS; doubling++) {
        const bank = words[bankWord(cell, doubling * BANK_BUCKETS)];
        // A copy of a segment that was being written may lack its last bank.
        if (bank === 0 || bank >= cells.length) continue;
        for (let index = 0; index < BANK_BUCKETS; index++) {
          const value = cells[bank + index];
          counts[doubling * BANK_BUCKETS + index] += value;
          count += value;
        }
      }
    }
    return { count, sum, counts };
  }
}

/** The buckets that are not empty: upper bound and count, ascending. */
export function bucketsOf(counts: Float64Array, base: number): [number, number][] {
  const buckets: [number, number][] = [];
  for (let index = 0; index < counts.length; index++) {
    if (counts[index] > 0) buckets.push([upperBound(index, base), counts[index]]);
  }
  return buckets;
}
