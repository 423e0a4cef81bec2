// Slab against a set of free blocks: no block is acquired twice, none is lost, none overlaps
// another.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { seeded } from '../../testing/splits.ts';

it('blocks lie apart, each within the memory', () => {
  for (const [blockBytes, blockCount] of [
    [64, 1],
    [64, 9],
    [16_384 + 1024, 16],
  ]) {
    const slab = new Slab(blockBytes, blockCount);
    for (let block = 0; block < blockCount; block++) {
      const start = slab.start(block);
      slab.bytes.subarray(start, start + blockBytes).fill(block + 1);
      assert.ok(start + blockBytes <= slab.bytes.length);
    }
    for (let block = 0; block < blockCount; block++) {
      const start = slab.start(block);
      const bytes = slab.bytes.subarray(start, start + blockBytes);
      assert.equal(bytes.length, blockBytes);
      assert.ok(
        bytes.every((byte) => byte === block + 1),
        `block ${block} was overwritten by another`,
      );
    }
  }
});

it('a block is a whole number of cache lines, and there is one at least', () => {
  assert.throws(() => new Slab(65, 4), AssertionFault);
  assert.throws(() => new Slab(0, 4), AssertionFault);
  assert.throws(() => new Slab(64, 0), AssertionFault);
});

it('each block has one owner at a time, whatever the order of calls', (context) => {
  const step = fc.oneof(fc.constant('acquire' as const), fc.nat({ max: 1000 }));
  const property = fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.array(step, { maxLength: 120 }),
    (blockCount, steps) => {
      const slab = new Slab(64, blockCount);
      const out: number[] = [];
      for (const one of steps) {
        if (one === 'acquire') {
          const block = slab.acquire();
          if (out.length === blockCount) assert.equal(block, -1);
          else {
            assert.ok(block >= 0 && block < blockCount);
            assert.ok(!out.includes(block), 'a block in use is not acquired again');
            out.push(block);
          }
        } else if (out.length > 0) {
          const [block] = out.splice(one % out.length, 1);
          slab.release(block);
          // Last in, first out: warm memory is used again.
          assert.equal(slab.acquire(), block);
          slab.release(block);
          assert.throws(() => slab.release(block), AssertionFault);
        }
        assert.equal(slab.freeCount, blockCount - out.length);
      }
    },
  );
  fc.assert(property, seeded(context, 200));
});

it('notifies once that a block was released', () => {
  const slab = new Slab(64, 2);
  const blocks = [slab.acquire(), slab.acquire()];
  let told = 0;
  slab.whenFree = () => {
    told += 1;
    // The callback may acquire the block at once.
    assert.equal(slab.acquire(), blocks[0]);
  };
  slab.release(blocks[0]);
  assert.equal(told, 1);
  assert.equal(slab.whenFree, null);
  slab.release(blocks[1]);
  assert.equal(told, 1);
  assert.equal(slab.freeCount, 1);
});

it('the callback may register itself again', () => {
  const slab = new Slab(64, 1);
  const told: number[] = [];
  const ask = () => {
    slab.whenFree = () => {
      told.push(slab.freeCount);
      ask();
    };
  };
  ask();
  for (let round = 0; round < 3; round++) slab.release(slab.acquire());
  assert.deepEqual(told, [1, 1, 1]);
});
