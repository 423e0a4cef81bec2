// The queue of completions against a plain list: none lost, none twice, in order.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { CompletionQueue } from '../../src/driver/completion-queue.ts';
import { Completions } from '../../src/driver/driver.ts';
import { seeded } from '../../testing/splits.ts';

type Entry = readonly [op: number, slot: number, result: number, block: number];

const CAPACITY = 64;

function read(out: Completions, from: number, to: number): Entry[] {
  return Array.from({ length: to - from }, (_, index): Entry => {
    const at = from + index;
    return [out.op[at], out.slot[at], out.result[at], out.block[at]];
  });
}

it('returns what was pushed, in order, as many as fit', (context) => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const entry = fc.tuple(fc.integer({ min: 1, max: 7 }), word, word, word);
  const move = fc.record({ room: fc.nat({ max: 9 }), before: fc.nat({ max: 3 }) });
  const property = fc.property(fc.array(fc.oneof(entry, move), { maxLength: 150 }), (steps) => {
    const queue = new CompletionQueue(CAPACITY);
    const model: Entry[] = [];
    for (const step of steps) {
      if ('room' in step) {
        // Entries before `before` belong to the caller and stay as they are.
        const out = new Completions(step.before + step.room);
        const end = queue.moveTo(out, step.before);
        assert.deepEqual(read(out, step.before, end), model.splice(0, step.room));
        assert.deepEqual(read(out, 0, step.before), new Array(step.before).fill([0, 0, 0, 0]));
      } else if (model.length < CAPACITY) {
        queue.push(...step);
        model.push(step);
      }
      assert.equal(queue.length, model.length);
    }
  });
  fc.assert(property, seeded(context, 300));
});

it('an empty queue moves nothing, a full one takes no more', () => {
  const queue = new CompletionQueue(16);
  assert.equal(queue.moveTo(new Completions(4), 0), 0);
  for (let index = 0; index < 16; index++) queue.push(1, index, 0, -1);
  assert.throws(() => queue.push(1, 16, 0, -1), AssertionFault);
  const out = new Completions(32);
  assert.equal(queue.moveTo(out, 0), 16);
  assert.deepEqual(
    [...out.slot.subarray(0, 16)],
    Array.from({ length: 16 }, (_, index) => index),
  );
});

it('has its length also where its counters pass 2^31 and 2^32', () => {
  for (const start of [2 ** 31 - 3, -3, -(2 ** 31)]) {
    const queue = new CompletionQueue(16, start);
    for (let index = 1; index <= 6; index++) {
      queue.push(1, index, 0, -1);
      assert.equal(queue.length, index, `from ${start}`);
    }
    const out = new Completions(4);
    assert.equal(queue.moveTo(out, 0), 4);
    assert.deepEqual([...out.slot.subarray(0, 4)], [1, 2, 3, 4]);
    assert.equal(queue.length, 2);
  }
});
