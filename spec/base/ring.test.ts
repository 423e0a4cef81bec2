// Ring against a plain list: the same pushes and shifts in any order return the same numbers.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Ring } from '../../src/base/ring.ts';
import { seeded } from '../../testing/splits.ts';

it('a new ring is empty, and a shift is an assertion', () => {
  const ring = new Ring(4);
  assert.equal(ring.length, 0);
  assert.throws(() => ring.shift(), AssertionFault);
});

it('numbers are shifted in the order they were pushed, whatever the order of calls', (context) => {
  const step = fc.oneof(
    fc.record({ push: fc.integer() }),
    fc.record({ shift: fc.integer({ min: 1, max: 30 }) }),
  );
  const start = fc.constantFrom(0, 2 ** 31 - 5, 2 ** 32 - 5);
  const property = fc.property(fc.array(step, { maxLength: 200 }), start, (steps, from) => {
    const ring = new Ring(200, from);
    const model: number[] = [];
    for (const one of steps) {
      if ('push' in one) {
        ring.push(one.push);
        model.push(one.push);
      } else {
        for (let count = one.shift; count > 0 && model.length > 0; count--) {
          assert.equal(ring.shift(), model.shift());
        }
      }
      assert.equal(ring.length, model.length);
    }
    while (model.length > 0) assert.equal(ring.shift(), model.shift());
    assert.equal(ring.length, 0);
  });
  fc.assert(property, seeded(context, 300));
});

it('holds as many numbers as its capacity, over many rounds', () => {
  for (const capacity of [1, 15, 16, 17, 100]) {
    const ring = new Ring(capacity);
    let next = 0;
    let expected = 0;
    for (let round = 0; round < 50; round++) {
      while (ring.length < capacity) ring.push(next++);
      const taken = 1 + (round % capacity);
      for (let count = 0; count < taken; count++) assert.equal(ring.shift(), expected++);
    }
  }
});

it('a push beyond the capacity is an assertion, and loses nothing', () => {
  const ring = new Ring(16);
  for (let number = 0; number < 16; number++) ring.push(number);
  assert.throws(() => ring.push(16), AssertionFault);
  for (let number = 0; number < 16; number++) assert.equal(ring.shift(), number);
});
