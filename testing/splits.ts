// Splits of byte streams: unsplit, byte by byte, at every single position, at random positions.
// Each segment is in new memory, surrounded by bytes that tests detect when they are read.

import type { TestContext } from 'node:test';
import fc from 'fast-check';

/**
 * The surrounding bytes: for any position of a message, at least one of them changes its result.
 */
const SURROUNDINGS = [0x00, 0x61, 0x0d, 0x0a, 0x20];

export interface Placed {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One byte for each character (Latin-1). */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/**
 * Copies bytes [from, to) into new memory; `turn` varies the offset, the surrounding bytes, and
 * whether the memory ends with them.
 */
export function place(source: Uint8Array, from: number, to: number, turn: number): Placed {
  const start = (turn * 7) % 13;
  const behind = turn % 3 === 0 ? 0 : 9;
  const length = to - from;
  const bytes = new Uint8Array(start + length + behind);
  bytes.fill(SURROUNDINGS[turn % SURROUNDINGS.length]);
  bytes.set(source.subarray(from, to), start);
  return { bytes, start, end: start + length };
}

/** Lists of split positions: none, all, and each one alone. */
export function everySplit(length: number): number[][] {
  const all = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  return [[], all, ...all.map((split) => [split])];
}

/** Random sorted split positions within a text of this length. */
export function splitsWithin(length: number): fc.Arbitrary<number[]> {
  return fc
    .uniqueArray(fc.integer({ min: 0, max: length }), { maxLength: 8 })
    .map((splits) => splits.sort((a, b) => a - b));
}

/** Text with up to three of its bytes changed, removed, doubled or inserted. */
export function mutated(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const odd = '\r\n\t :;,/?*.%#"<>@[]\0\x7f\x80\xff\x1f0aHX=\\';
  const change = fc.record({
    at: fc.nat({ max: 400 }),
    kind: fc.constantFrom('set', 'insert', 'remove', 'double'),
    byte: fc.oneof(
      fc.constantFrom(...odd),
      fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
    ),
  });
  return fc.tuple(text, fc.array(change, { maxLength: 3 })).map(([base, changes]) => {
    let result = base;
    for (const { at: place, kind, byte } of changes) {
      const at = place % (result.length + 1);
      const before = result.slice(0, at);
      const after = result.slice(at);
      if (kind === 'set') result = before + byte + after.slice(1);
      if (kind === 'insert') result = before + byte + after;
      if (kind === 'remove') result = before + after.slice(1);
      if (kind === 'double') result = before + after.slice(0, 1) + after;
    }
    return result;
  });
}

/** Settings for fc.assert with a seed that is printed first; set VIBING_SEED to repeat a run. */
export function seeded(context: TestContext, numRuns: number): { seed: number; numRuns: number } {
  const given = process.env['VIBING_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
  context.diagnostic(`seed ${seed}`);
  return { seed, numRuns };
}
