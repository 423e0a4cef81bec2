// Runs for every request while metrics are on. Measured by perf/micro/metrics.ts.
// The metrics of one process, in memory that other processes may read, or that the next process
// continues when this one has died. It describes itself: families and series are records in it, in
// the order in which they were made, and nothing in it ever moves.
//
//   header   words: magic, end of the records in bytes, whether a process uses it, its worker,
//            the number of its start, the number of its histograms; then cells that count what has
//            no room
//   record   words: bytes of the record, kind; then
//     family   words: bytes of its JSON, the last start that used it; the JSON of a Family
//     series   words: position of its family, bytes of its JSON; an array of label values; cells
//     bank     32 cells: the counts of one doubling of a histogram
//
// A counter or gauge has one cell (a double). A histogram has the sum, the count of values beyond
// the last bucket, and the index of the bank of each doubling, 0 for none. A record becomes visible
// when the end moves behind it: a process that is killed meanwhile leaves nothing of it.

import { assert } from '../base/assert.ts';
import { METRICS_SERIES_MAX, OWN_SERIES_MAX, OWN_SERIES_TOTAL_MAX } from '../base/fixed-limits.ts';
import { BANK_BUCKETS, BUCKETS, DOUBLINGS } from './buckets.ts';
import type { Family } from './family.ts';
import { OVERFLOW } from './schema.ts';

export const MAGIC = 0x76_6d_31_01;
export const HEADER_BYTES = 256;
export const Word = {
  Magic: 0,
  End: 1,
  IsUsed: 2,
  Worker: 3,
  Start: 4,
  Histograms: 5,
} as const;
/** The word of a family with the number of the last start that used it, after its position. */
export const FAMILY_START = 3;
/** The first of the cells of the header, for a series that has no room: nothing reads them. */
export const NOWHERE = 8;

export const RecordKind = { Family: 1, Series: 2, Bank: 3 } as const;
/** Bytes before the JSON of a family or series, and before the cells of a bank. */
export const TEXT_AT = 16;
const BANK_CELLS_AT = 8;

/** Cells of a histogram before the indices of its banks. */
export const SUM = 0;
export const BEYOND = 1;
const BANKS_AT = 2;
/** One more word than doublings: what is beyond the last one never has a bank. */
const HISTOGRAM_CELLS: number = BANKS_AT + (DOUBLINGS + 2) / 2;

/**
 * When this share of the memory is used, no series are added to families that have many: the rest
 * is for the banks of those that exist. Series of the program have less. A share at the end is for
 * the series of overflow.
 */
const SERIES_SHARE = 1 / 2;
const OWN_SERIES_SHARE = 1 / 4;
const RESERVED_SHARE = 1 / 8;

/** Memory of a segment. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  /** How long it can become. */
  readonly bytesMax: number;
  /** Longer memory with the same content; null where there can be none. */
  grow(bytes: number): Memory | null;
}

export interface StoredFamily {
  readonly family: Family;
  readonly at: number;
  /** The first cell of each series, by the JSON of its label values. */
  readonly series: Map<string, number>;
}

export class Segment {
  #memory: Memory;
  cells: Float64Array;
  words: Uint32Array;
  #bytes: Uint8Array;
  readonly #families = new Map<string, StoredFamily>();
  /** Cells of series that may use all of the memory. */
  readonly #reserved = new Set<number>();
  /** Where the memory ends for all others, and from where on no series are added. */
  readonly #ordinaryBytes: number;
  readonly #seriesBytes: number;
  #seriesCount = 0;
  #histogramCount = 0;
  /** Those of the program: number, and bytes of their records. */
  #ownCount = 0;
  #ownBytes = 0;
  #isFull = false;

  /**
   * Continues what the memory holds, or begins. Gauges begin with 0; workers count from 1. `start`
   * is larger for each process that the server starts.
   */
  constructor(memory: Memory, worker = 1, start = 1) {
    this.#memory = memory;
    this.#ordinaryBytes = memory.bytesMax - Math.floor(memory.bytesMax * RESERVED_SHARE);
    this.#seriesBytes = Math.floor(memory.bytesMax * SERIES_SHARE);
    this.cells = new Float64Array(memory.buffer);
    this.words = new Uint32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    if (this.words[Word.Magic] === MAGIC) this.#continue();
    else this.words[Word.End] = HEADER_BYTES;
    this.words[Word.Histograms] = this.#histogramCount;
    this.words[Word.Worker] = worker;
    this.words[Word.Start] = start;
    this.words[Word.Magic] = MAGIC;
    this.words[Word.IsUsed] = 1;
  }

  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }

  get usedBytes(): number {
    return this.words[Word.End];
  }

  get isUsed(): boolean {
    return this.words[Word.IsUsed] === 1;
  }

  #continue(): void {
    const byPosition = new Map<number, StoredFamily>();
    for (const record of recordsOf(this.#bytes, HEADER_BYTES)) {
      if (record.kind === RecordKind.Family) {
        const stored = { family: record.family, at: record.at, series: new Map() };
        byPosition.set(record.at, stored);
        this.#families.set(JSON.stringify(record.family), stored);
      } else {
        const stored = byPosition.get(record.familyAt);
        assert(stored !== undefined, 'a series follows its family');
        stored.series.set(record.labels, record.cell);
        this.#countSeries(stored.family, record.end - record.at);
        if (stored.family.type === 'gauge') this.cells[record.cell] = 0;
      }
    }
  }

  /** True when something was counted in a series of overflow, or beyond, for want of memory. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether series may be added to families that have many. */
  get hasRoom(): boolean {
    const hasRoom = this.usedBytes < this.#seriesBytes && this.#seriesCount < METRICS_SERIES_MAX;
    if (!hasRoom) this.#isFull = true;
    return hasRoom;
  }

  /**
   * The first cell of a series, by its label values, of a family that has few: it may use all of
   * the memory. NOWHERE when even that is full.
   */
  cellOf(family: Family, values: readonly string[] = []): number {
    const stored = this.family(family);
    const cell = stored === null ? -1 : this.#series(stored, values, this.#memory.bytesMax);
    if (cell < 0) return this.#nowhere();
    this.#reserved.add(cell);
    return cell;
  }

  /** As cellOf(), of a family that may have many: without room, that of its series of overflow. */
  cellOfMany(family: Family, values: readonly string[]): number {
    if (values.length > 0 && values.every((value) => value === OVERFLOW)) {
      return this.cellOf(family, values);
    }
    const stored = this.family(family);
    if (stored === null) return this.#nowhere();
    const known = stored.series.get(JSON.stringify(values));
    if (known !== undefined) return known;
    const mayAdd = this.hasRoom && (family.isOwn !== true || this.#hasOwnRoom(stored));
    const cell = mayAdd ? this.#series(stored, values, this.#ordinaryBytes) : -1;
    if (cell >= 0) return cell;
    return this.cellOf(
      family,
      values.map(() => OVERFLOW),
    );
  }

  /** Those of a client's choice must leave room for those of the server. */
  #hasOwnRoom({ series }: StoredFamily): boolean {
    if (series.size >= OWN_SERIES_MAX) return false;
    const { bytesMax } = this.#memory;
    const hasRoom =
      this.#ownCount < OWN_SERIES_TOTAL_MAX && this.#ownBytes < bytesMax * OWN_SERIES_SHARE;
    if (!hasRoom) this.#isFull = true;
    return hasRoom;
  }

  /** Whether cellOf() has given this cell: then others may count in it, too. */
  isReserved(cell: number): boolean {
    return cell === NOWHERE || this.#reserved.has(cell);
  }

  #nowhere(): number {
    this.#isFull = true;
    return NOWHERE;
  }

  #countSeries(family: Family, bytes: number): void {
    this.#seriesCount += 1;
    if (family.type === 'histogram') this.#histogramCount += 1;
    if (family.isOwn !== true) return;
    this.#ownCount += 1;
    this.#ownBytes += bytes;
  }

  /** The family of this description; null when there is no memory for it. */
  family(family: Family): StoredFamily | null {
    const text = JSON.stringify(family);
    const known = this.#families.get(text);
    if (known !== undefined) {
      this.words[known.at / 4 + FAMILY_START] = this.words[Word.Start];
      return known;
    }
    const encoded = Buffer.from(text);
    const limit = family.isOwn === true ? this.#ordinaryBytes : this.#memory.bytesMax;
    const at = this.#begin(TEXT_AT + encoded.length, limit);
    if (at < 0) return null;
    this.words[at / 4 + 1] = RecordKind.Family;
    this.words[at / 4 + 2] = encoded.length;
    this.words[at / 4 + FAMILY_START] = this.words[Word.Start];
    this.#bytes.set(encoded, at + TEXT_AT);
    this.#publish(at);
    const stored = { family, at, series: new Map<string, number>() };
    this.#families.set(text, stored);
    return stored;
  }

  /** The first cell of a series, by its label values; -1 when a new one ends above `limit`. */
  #series(stored: StoredFamily, values: readonly string[], limit: number): number {
    const { family, at: familyAt, series } = stored;
    const labels = JSON.stringify(values);
    const known = series.get(labels);
    if (known !== undefined) return known;
    const text = Buffer.from(labels);
    const cells = family.type === 'histogram' ? HISTOGRAM_CELLS : 1;
    const at = this.#begin(TEXT_AT + padded(text.length) + 8 * cells, limit);
    if (at < 0) return -1;
    const word = at / 4;
    this.words[word + 1] = RecordKind.Series;
    this.words[word + 2] = familyAt;
    this.words[word + 3] = text.length;
    this.#bytes.set(text, at + TEXT_AT);
    this.#publish(at);
    this.#countSeries(family, this.words[word]);
    this.words[Word.Histograms] = this.#histogramCount;
    const cell = (at + TEXT_AT + padded(text.length)) / 8;
    series.set(labels, cell);
    return cell;
  }

  /** Adds a value to a histogram, or several that are equal; `bucket` is that of the value. */
  observe(histogram: number, bucket: number, value: number, count = 1): void {
    const { cells, words } = this;
    cells[histogram + SUM] += value * count;
    const bank = words[bankWord(histogram, bucket)];
    if (bank === 0) this.#observeFirst(histogram, bucket, count);
    else cells[bank + (bucket & (BANK_BUCKETS - 1))] += count;
  }

  /** The first value of a doubling. Without memory it counts as one beyond the last bucket. */
  #observeFirst(histogram: number, bucket: number, count: number): void {
    const limit = this.#reserved.has(histogram) ? this.#memory.bytesMax : this.#ordinaryBytes;
    const at = bucket < BUCKETS ? this.#begin(BANK_CELLS_AT + 8 * BANK_BUCKETS, limit) : -1;
    if (at < 0) {
      if (bucket < BUCKETS) this.#isFull = true;
      this.cells[histogram + BEYOND] += count;
      return;
    }
    this.words[at / 4 + 1] = RecordKind.Bank;
    const bank = (at + BANK_CELLS_AT) / 8;
    this.cells[bank + (bucket & (BANK_BUCKETS - 1))] = count;
    this.#publish(at);
    this.words[bankWord(histogram, bucket)] = bank;
  }

  /** Space for a record, all zeros but its length; -1 when there is none below `limit`. */
  #begin(bytes: number, limit: number): number {
    const at = this.words[Word.End];
    const length = padded(bytes);
    if (at + length > limit) return -1;
    if (at + length > this.#bytes.length && !this.#grow(at + length)) return -1;
    // A process that was killed may have left something here.
    this.#bytes.fill(0, at, at + length);
    this.words[at / 4] = length;
    return at;
  }

  #publish(at: number): void {
    this.words[Word.End] = at + this.words[at / 4];
  }

  #grow(bytes: number): boolean {
    const longer = this.#memory.grow(bytes);
    if (longer === null) return false;
    this.#memory = longer;
    this.cells = new Float64Array(longer.buffer);
    this.words = new Uint32Array(longer.buffer);
    this.#bytes = new Uint8Array(longer.buffer);
    return true;
  }
}

function padded(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** The word with the index of the bank of a bucket. */
export function bankWord(histogram: number, bucket: number): number {
  return 2 * (histogram + BANKS_AT) + (bucket >> 5);
}

export type SegmentRecord =
  | { readonly kind: 1; readonly at: number; readonly end: number; readonly family: Family }
  | {
      readonly kind: 2;
      readonly at: number;
      readonly end: number;
      readonly familyAt: number;
      /** The JSON of an array of label values. */
      readonly labels: string;
      readonly cell: number;
    };

/** The families and series of a segment, from a position on. */
export function* recordsOf(bytes: Uint8Array, from: number): Generator<SegmentRecord> {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  const end = words[Word.End];
  let at = from;
  while (at < end) {
    const word = at / 4;
    const next = at + words[word];
    assert(next > at, 'a record has a length');
    if (words[word + 1] === RecordKind.Family) {
      const text = textAt(bytes, at + TEXT_AT, words[word + 2]);
      yield { kind: RecordKind.Family, at, end: next, family: JSON.parse(text) as Family };
    } else if (words[word + 1] === RecordKind.Series) {
      const length = words[word + 3];
      const cell = (at + TEXT_AT + padded(length)) / 8;
      const labels = textAt(bytes, at + TEXT_AT, length);
      const familyAt = words[word + 2];
      yield { kind: RecordKind.Series, at, end: next, familyAt, labels, cell };
    }
    at = next;
  }
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString();
}

/** Memory of this process alone, up to `bytesMax`. Its threads may share it. */
export class OwnMemory implements Memory {
  readonly buffer: SharedArrayBuffer;
  readonly bytesMax: number;

  constructor(bytes: number, bytesMax: number) {
    this.buffer = new SharedArrayBuffer(bytes);
    this.bytesMax = Math.max(bytes, bytesMax);
  }

  grow(bytes: number): Memory | null {
    if (bytes > this.bytesMax) return null;
    const doubled = Math.min(Math.max(2 * this.buffer.byteLength, bytes), this.bytesMax);
    const longer = new OwnMemory(doubled, this.bytesMax);
    new Uint8Array(longer.buffer).set(new Uint8Array(this.buffer));
    return longer;
  }
}

/** Shared memory has its full length from the start, and is used page by page. */
export class FixedMemory implements Memory {
  readonly buffer: ArrayBuffer;

  constructor(buffer: ArrayBuffer) {
    this.buffer = buffer;
  }

  get bytesMax(): number {
    return this.buffer.byteLength;
  }

  grow(): Memory | null {
    return null;
  }
}
