// Ways to hand bytes over in pieces: whole, byte by byte, at every single cut, at random cuts. Each
// piece lies in fresh memory among bytes that would be noticed if they were read.

import type { TestContext } from 'node:test';
import fc from 'fast-check';

/** What surrounds the bytes: each would go unnoticed somewhere, all of them together nowhere. */
const SURROUNDINGS = [0x00, 0x61, 0x0d, 0x0a, 0x20];

export interface Placed {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One byte for each character. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/**
 * Puts bytes [from, to) somewhere; `turn` varies where, in what, and whether memory ends with
 * them.
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

/** Lists of places to cut: none, all, and each one alone. */
export function everyCutting(length: number): number[][] {
  const all = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  return [[], all, ...all.map((cut) => [cut])];
}

/** Sorted places to cut a text of this length. */
export function cutsWithin(length: number): fc.Arbitrary<number[]> {
  return fc
    .uniqueArray(fc.integer({ min: 0, max: length }), { maxLength: 8 })
    .map((cuts) => cuts.sort((a, b) => a - b));
}

/** Text with a few of its bytes changed, left out, doubled or put in. */
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

/** Settings for fc.assert with a seed that is said first; set VIBING_SEED to repeat a run. */
export function seeded(context: TestContext, numRuns: number): { seed: number; numRuns: number } {
  const given = process.env['VIBING_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
  context.diagnostic(`seed ${seed}`);
  return { seed, numRuns };
}
