// The literal segments that may follow in a path, in a hash table. They are found and compared four
// bytes at a time, where they can without a search for the end of the segment.

import { SLASH } from '../base/ascii.ts';
import { latin1 } from '../http/text.ts';

/** A word is read at any byte of a path, and at its end: so many bytes must be readable there. */
export const WORD_BYTES = 4;

/** Of literals with the same slot, which are compared in turn; else the key has all bytes. */
const RUN_MAX = 4;

/**
 * The same of the hash of all bytes: of a million usual names the longest run has about 9. Names
 * can be made such that all have one hash, also with a random factor. Then V8's hash of texts is
 * used, which is random for each process.
 */
const HASH_RUN_MAX = 16;

/** Odd, with bits all over the word: from Knuth's multiplicative hashing, 2^32 / golden ratio. */
const HASH_FACTOR = 0x9e3779b1;
const SLASHES = 0x2f2f2f2f;
const ONES = 0x01010101;
const HIGH_BITS = 0x80808080;

const NO_WORDS = new Int32Array(0);

/** One literal, and what is behind it. */
export class Literal<Behind> {
  readonly behind: Behind;
  readonly length: number;
  /** The first word; of a shorter literal all bytes, and zeros. */
  readonly first: number;
  /** The bits of the first word that belong to the literal. */
  readonly firstMask: number;
  /** The last word, which may overlap the others; 0 where the first one has all. */
  readonly last: number;
  /** The words between the first and the last one. */
  readonly middle: Int32Array;
  /** Of all bytes. */
  readonly hash: number;
  /** The next one with the same slot. */
  next: Literal<Behind> | null;

  constructor(bytes: Uint8Array, behind: Behind) {
    const { length } = bytes;
    const view = paddedView(bytes);
    const middle: number[] = [];
    const last = length - WORD_BYTES;
    for (let p = WORD_BYTES; p < last; p += WORD_BYTES) middle.push(view.getInt32(p, true));
    this.behind = behind;
    this.length = length;
    this.first = view.getInt32(0, true) & wordMask(length);
    this.firstMask = wordMask(length);
    this.last = last > 0 ? view.getInt32(last, true) : 0;
    this.middle = middle.length > 0 ? Int32Array.from(middle) : NO_WORDS;
    this.hash = hashOf(view, 0, length);
    this.next = null;
  }

  /** Whether the segment at `from` of a path that ends at `to` is this one. */
  isAt(view: DataView, from: number, to: number): boolean {
    const { length } = this;
    const end = from + length;
    if (end > to || (end < to && view.getUint8(end) !== SLASH)) return false;
    if (length <= WORD_BYTES) return true;
    if (view.getInt32(end - WORD_BYTES, true) !== this.last) return false;
    return length <= 2 * WORD_BYTES || this.#isMiddleAt(view, from + WORD_BYTES);
  }

  #isMiddleAt(view: DataView, from: number): boolean {
    const { middle } = this;
    for (let index = 0; index < middle.length; index++) {
      if (view.getInt32(from + WORD_BYTES * index, true) !== middle[index]) return false;
    }
    return true;
  }
}

export class Literals<Behind> {
  readonly #byText: Map<string, Literal<Behind>> = new Map();
  /** By slot. Empty after a literal was added, until the next search. */
  #table: (Literal<Behind> | null)[] = [];
  /** The bits of the first word of a segment that are its key; 0: the hash of all bytes is. */
  #keyMask = 0;
  /** The product of a key and HASH_FACTOR, shifted right by so much, is the slot. */
  #shift = 0;
  /** The table has none of the literals: too many have one hash. */
  #isByText = false;

  /** What is behind a literal of at least one byte; `make` makes it for a new one. */
  behind(bytes: Uint8Array, make: () => Behind): Behind {
    const text = latin1(bytes, 0, bytes.length);
    const known = this.#byText.get(text);
    if (known !== undefined) return known.behind;
    const behind = make();
    this.#byText.set(text, new Literal(bytes, behind));
    this.#table = [];
    return behind;
  }

  /** The literal that equals the segment at `from`, of at least a byte, of a path to `to`. */
  find(view: DataView, from: number, to: number): Literal<Behind> | null {
    if (this.#table.length === 0) this.#fill();
    const first = view.getInt32(from, true);
    const mask = this.#keyMask;
    const key = mask === 0 ? hashOf(view, from, segmentEnd(view, from, to)) : first & mask;
    let literal = this.#table[Math.imul(key, HASH_FACTOR) >>> this.#shift];
    while (literal !== null) {
      const isFirst = ((first ^ literal.first) & literal.firstMask) === 0;
      if (isFirst && literal.isAt(view, from, to)) return literal;
      literal = literal.next;
    }
    return this.#isByText ? this.#byTextAt(view, from, to) : null;
  }

  #byTextAt(view: DataView, from: number, to: number): Literal<Behind> | null {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return this.#byText.get(latin1(bytes, from, segmentEnd(view, from, to))) ?? null;
  }

  /** Makes a table with about twice as many slots as literals. */
  #fill(): void {
    const literals = [...this.#byText.values()];
    this.#shift = 32 - Math.ceil(Math.log2(literals.length)) - 1;
    // In loops: a call takes no more arguments than the stack has room for.
    let shortest = WORD_BYTES;
    for (const { length } of literals) shortest = Math.min(shortest, length);
    this.#isByText = false;
    if (this.#fillBy(literals, wordMask(shortest)) <= RUN_MAX) return;
    if (this.#fillBy(literals, 0) <= HASH_RUN_MAX) return;
    this.#table.fill(null);
    this.#isByText = true;
  }

  /** Returns the length of the longest run of literals with the same slot. */
  #fillBy(literals: readonly Literal<Behind>[], keyMask: number): number {
    const table: (Literal<Behind> | null)[] = new Array(2 ** (32 - this.#shift)).fill(null);
    const runs = new Uint32Array(table.length);
    let longest = 0;
    for (const literal of literals) {
      const key = keyMask === 0 ? literal.hash : literal.first & keyMask;
      const slot = Math.imul(key, HASH_FACTOR) >>> this.#shift;
      literal.next = table[slot];
      table[slot] = literal;
      runs[slot] += 1;
      longest = Math.max(longest, runs[slot]);
    }
    this.#table = table;
    this.#keyMask = keyMask;
    return longest;
  }
}

/** Where the segment that begins at `from` ends: at a slash, or at `to`. */
export function segmentEnd(view: DataView, from: number, to: number): number {
  for (let at = from; at < to; at += WORD_BYTES) {
    const others = view.getInt32(at, true) ^ SLASHES;
    // The lowest bit that is set belongs to the first slash.
    const found = (others - ONES) & ~others & HIGH_BITS;
    if (found !== 0) return Math.min(at + ((31 - Math.clz32(found & -found)) >> 3), to);
  }
  return to;
}

/** Of all bytes of a segment: the names of many files may differ only in their middle. */
function hashOf(view: DataView, from: number, end: number): number {
  const length = end - from;
  if (length <= WORD_BYTES) return (view.getInt32(from, true) & wordMask(length)) + length;
  const last = end - WORD_BYTES;
  let hash = length;
  for (let p = from; p < last; p += WORD_BYTES) {
    hash = Math.imul((hash ^ (hash >>> 15)) + view.getInt32(p, true), HASH_FACTOR);
  }
  return (hash ^ (hash >>> 15)) + view.getInt32(last, true);
}

/** The bits of the first bytes of a word. */
function wordMask(bytes: number): number {
  return bytes < WORD_BYTES ? (1 << (8 * bytes)) - 1 : -1;
}

function paddedView(bytes: Uint8Array): DataView {
  const padded = new Uint8Array(bytes.length + WORD_BYTES);
  padded.set(bytes);
  return new DataView(padded.buffer);
}
