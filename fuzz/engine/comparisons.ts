// Makes inputs from recorded comparisons: where one of two compared values occurs in an input, in
// any of several forms, the other value is written.

import type { Random } from '../../testing/random.ts';

/** The most inputs from one entry. */
const CANDIDATES_MAX = 1_500;

/** The most occurrences of one value that are replaced. */
const PLACES_MAX = 8;

/** Inputs that differ from `input` after its first `front` bytes; each is a copy. */
export function candidates(
  input: Uint8Array,
  compared: readonly unknown[],
  front: number,
  random: Random,
): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  const bytes = Buffer.from(input);
  for (const [one, other] of distinct(compared)) {
    for (const [here, there] of forms(one, other)) {
      replaceEach(bytes, here, there, front, found);
      replaceEach(bytes, there, here, front, found);
    }
  }
  const all = [...found.values()];
  // When there are too many, a random selection is kept.
  while (all.length > CANDIDATES_MAX) {
    const last = all.pop();
    if (last !== undefined && !random.once(2)) all[random.below(all.length)] = last;
  }
  return all;
}

type Pair = readonly [number | string, number | string];

function distinct(compared: readonly unknown[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (let index = 0; index + 1 < compared.length; index += 2) {
    const pair = [compared[index], compared[index + 1]] as unknown as Pair;
    pairs.set(`${pair[0]}\0${pair[1]}`, pair);
  }
  return [...pairs.values()];
}

/** The forms of two values in an input: text, byte, word, decimal and hexadecimal. */
function forms(one: number | string, other: number | string): [Buffer, Buffer][] {
  if (typeof one === 'string' || typeof other === 'string') {
    return [[Buffer.from(String(one)), Buffer.from(String(other))]];
  }
  if (!Number.isSafeInteger(one) || !Number.isSafeInteger(other)) return [];
  const found: [Buffer, Buffer][] = [];
  if (isByte(one) && isByte(other)) found.push([Buffer.of(one), Buffer.of(other)]);
  if (isWord(one) && isWord(other)) found.push([word(one), word(other)]);
  if (one < 0 || other < 0) return found;
  for (const radix of [10, 16]) {
    // The neighbouring numbers too, for comparisons with < and >.
    for (const near of [other, other + 1, Math.max(0, other - 1)]) {
      found.push([Buffer.from(one.toString(radix)), Buffer.from(near.toString(radix))]);
    }
  }
  return found;
}

function isByte(value: number): boolean {
  return value >= 0 && value <= 255;
}

function isWord(value: number): boolean {
  return Math.abs(value) >= 2 ** 24 && Math.abs(value) < 2 ** 32;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

function replaceEach(
  input: Buffer,
  here: Buffer,
  there: Buffer,
  front: number,
  found: Map<string, Uint8Array>,
): void {
  if (here.length === 0 || here.length > input.length) return;
  let at = input.indexOf(here, front);
  for (let places = 0; at >= 0 && places < PLACES_MAX; places++) {
    const made = Buffer.concat([input.subarray(0, at), there, input.subarray(at + here.length)]);
    found.set(made.toString('latin1'), Uint8Array.from(made));
    at = input.indexOf(here, at + 1);
  }
}
