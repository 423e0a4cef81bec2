// Arrays carved from shared memory behave like arrays of their own.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { carveBytes, carveCopy, carvedMemory, carveInt32 } from '../../src/base/carve.ts';

const LENGTH_MAX = 5_000; // of 32 bits: some are larger than the shared chunk

describe('carved arrays', () => {
  it('are zeros, and keep what is written into each', () => {
    const lengths = fc.array(
      fc.record({ isWords: fc.boolean(), length: fc.integer({ min: 0, max: LENGTH_MAX }) }),
    );
    fc.assert(
      fc.property(lengths, (given) => {
        const arrays = given.map(({ isWords, length }) => {
          const array = isWords ? carveInt32(length) : carveBytes(length);
          assert.equal(array.length, length);
          assert.ok(array.every((value) => value === 0));
          return array;
        });
        for (const [index, array] of arrays.entries()) array.fill(index + 1);
        arrays.forEach((array, index) => {
          assert.ok(
            array.every((value) => value === index + 1),
            `array ${index} was overwritten`,
          );
        });
      }),
    );
  });

  it('and copies of parts are apart, in old chunks and in new ones', () => {
    const source = Uint8Array.from({ length: LENGTH_MAX }, (_, index) => index % 251);
    const spans = fc.array(
      fc.tuple(fc.nat(LENGTH_MAX), fc.oneof(fc.nat(40), fc.nat(LENGTH_MAX)), fc.nat(20)),
    );
    fc.assert(
      fc.property(spans, (given) => {
        const copies = given.map(([from, length, beside]) => {
          const part = source.slice(from, from + length);
          const at = carveCopy(source, from, from + part.length);
          const memory = carvedMemory();
          carveBytes(beside).fill(255);
          return { part, memory, at };
        });
        for (const { part, memory, at } of copies) {
          assert.deepEqual(new Uint8Array(memory.subarray(at, at + part.length)), part);
        }
      }),
    );
  });

  it('share memory', () => {
    const buffers = Array.from({ length: 16 }, () => carveInt32(10).buffer);
    assert.ok(new Set(buffers).size <= 2);
  });
});
