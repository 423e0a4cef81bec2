// Makes an input from others: random changes of bytes and lines, words of the code, and mutations
// of the target that know its format. Works in one buffer and allocates nothing.

import type { Random } from '../../testing/random.ts';
import { Draft } from './draft.ts';

/** Changes the draft; `other` is an input to copy parts from. */
export type Mutation = (draft: Draft, random: Random, other: Uint8Array) => void;

/** Bytes with a meaning in HTTP or JSON, or at the edge of a range. */
const ODD = Uint8Array.from(
  Buffer.from(
    '\r\n\r\n\t  :;,,/?*.%#"<>@[]{}()=\\\0\x01\x1f\x7f\x80\xc2\xff0019afFAGgzZ-+_~',
    'latin1',
  ),
);

/** Numbers near limits. */
const NUMBERS = [
  '0 1 7 8 10 00 255 256 65535 65536 -1 +1 0x10 1e3',
  '2147483647 2147483648 4294967296 9007199254740991 9007199254740993',
  '18446744073709551616 ffffffff 1fffffffffffff 20000000000000 fffffffffffffffff',
].flatMap((row) => row.split(' '));

const STACKED_MAX = 8;

export interface MutatorOptions {
  readonly random: Random;
  readonly bytesMax: number;
  readonly controlBytes: number;
  readonly words: readonly string[];
  readonly mutations: readonly Mutation[];
}

export class Mutator {
  readonly #draft: Draft;
  readonly #random: Random;
  readonly #mutations: readonly Mutation[];

  constructor(options: MutatorOptions) {
    const { random } = options;
    const words = options.words.map((word) => Uint8Array.from(Buffer.from(word, 'latin1')));
    const numbers = NUMBERS.map((number) => Uint8Array.from(Buffer.from(number)));
    this.#draft = new Draft(options.bytesMax, options.controlBytes);
    this.#random = random;
    // Mutations that are listed twice are tried twice as often.
    this.#mutations = [
      ...[flip, setAny, setOdd, setOdd, insertOdd, insertOdd, remove, remove, double, copyOver],
      ...[removeLine, doubleLine, swapLines, swapCase, count, number(numbers)],
      ...(words.length > 0 ? [insertWord(words), insertWord(words), overwriteWord(words)] : []),
      ...options.mutations.flatMap((mutation) => [mutation, mutation, mutation]),
    ];
  }

  /** An input made from `base` and sometimes a part of `other`; valid until the next call. */
  mutate(base: Uint8Array, other: Uint8Array): Uint8Array {
    const draft = this.#draft;
    const random = this.#random;
    draft.begin(base);
    if (random.once(8)) splice(draft, random, other);
    if (draft.controlBytes > 0 && random.once(4)) {
      draft.bytes[random.below(draft.controlBytes)] = random.next() & 255;
    }
    for (let left = random.short(STACKED_MAX); left > 0; left--) {
      random.pick(this.#mutations)(draft, random, other);
    }
    return draft.bytes.subarray(0, draft.length);
  }
}

function flip(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  draft.bytes[draft.place(random)] ^= 1 << random.below(8);
}

function setAny(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  draft.bytes[draft.place(random)] = random.next() & 255;
}

function setOdd(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  draft.bytes[draft.place(random)] = random.pick(ODD);
}

function insertOdd(draft: Draft, random: Random): void {
  const count = random.short(16);
  const byte = random.pick(ODD);
  const at = draft.gap(random);
  const made = draft.open(at, count);
  draft.bytes.fill(byte, at, at + made);
}

function remove(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const at = draft.place(random);
  draft.close(at, random.short(draft.length - at));
}

function double(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const from = draft.place(random);
  const count = random.short(draft.length - from);
  const made = draft.open(from, count);
  // open() has moved the original behind the gap.
  draft.bytes.copyWithin(from, from + made, from + 2 * made);
}

function copyOver(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const from = draft.place(random);
  const to = draft.place(random);
  const count = random.short(draft.length - Math.max(from, to));
  draft.bytes.copyWithin(to, from, from + count);
}

function removeLine(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const from = draft.lineStart(draft.place(random));
  draft.close(from, draft.lineEnd(from) - from);
}

function doubleLine(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const from = draft.lineStart(draft.place(random));
  const made = draft.open(from, draft.lineEnd(from) - from);
  draft.bytes.copyWithin(from, from + made, from + 2 * made);
}

/** Moves a line in front of another. */
function swapLines(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const to = draft.lineStart(draft.place(random));
  const from = draft.lineStart(draft.place(random));
  if (from <= to) return;
  const line = draft.bytes.slice(from, draft.lineEnd(from));
  draft.close(from, line.length);
  draft.open(to, line.length);
  draft.bytes.set(line, to);
}

function swapCase(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  const at = draft.place(random);
  const lower = draft.bytes[at] | 0x20;
  if (lower >= 0x61 && lower <= 0x7a) draft.bytes[at] ^= 0x20;
}

/** Adds a small number to a byte, for digits and neighbouring characters. */
function count(draft: Draft, random: Random): void {
  if (draft.isEmpty) return;
  draft.bytes[draft.place(random)] += random.once(2) ? random.short(8) : -random.short(8);
}

/** Replaces some digits by a number. */
function number(numbers: readonly Uint8Array[]): Mutation {
  return (draft, random) => {
    if (draft.isEmpty) return;
    const start = draft.place(random);
    let from = start;
    while (from < draft.length && !isDigit(draft.bytes[from])) from += 1;
    let to = from;
    while (to < draft.length && isDigit(draft.bytes[to])) to += 1;
    if (from === to) return;
    draft.close(from, to - from);
    draft.insert(from, random.pick(numbers));
  };
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function insertWord(words: readonly Uint8Array[]): Mutation {
  return (draft, random) => draft.insert(draft.gap(random), random.pick(words));
}

function overwriteWord(words: readonly Uint8Array[]): Mutation {
  return (draft, random) => {
    const word = random.pick(words);
    if (draft.length - draft.controlBytes < word.length) return;
    const places = draft.length - draft.controlBytes - word.length + 1;
    draft.bytes.set(word, draft.controlBytes + random.below(places));
  };
}

/** Inserts a part of another input, or replaces the rest by it. */
function splice(draft: Draft, random: Random, other: Uint8Array): void {
  if (other.length <= draft.controlBytes) return;
  const from = draft.controlBytes + random.below(other.length - draft.controlBytes);
  const to = random.once(2) ? other.length : from + random.short(other.length - from);
  const at = draft.gap(random);
  if (random.once(2)) draft.length = at;
  draft.insert(at, other.subarray(from, to));
}
