// What is used and emptied again equals a new one: random use of the pools and queues of the base,
// then a comparison of their whole state. And their counters, near the numbers at which they wrap.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { Deadlines } from '../../src/base/deadlines.ts';
import { FreeStack } from '../../src/base/free-stack.ts';
import { Ring } from '../../src/base/ring.ts';
import { Slab } from '../../src/base/slab.ts';
import { CompletionQueue } from '../../src/driver/completion-queue.ts';
import { Completions } from '../../src/driver/driver.ts';
import { Random } from '../../testing/random.ts';
import { assertSameState } from '../../testing/same-state.ts';

const seed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 30));

/** The numbers around which a counter wraps, in 32 bits with and without sign. */
const WRAPS: readonly number[] = [2 ** 31, 2 ** 32, 2 ** 32 + 2 ** 31];

describe(`used and emptied equals new, seed ${seed}`, () => {
  it('a free stack whose numbers come back in any order hands out each once', () => {
    const random = new Random(seed, 'free stack');
    const stack = new FreeStack(40);
    const held: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      if (random.once(2)) {
        const number = stack.acquire();
        assert.equal(number < 0, held.length === 40);
        assert.ok(!held.includes(number));
        if (number >= 0) held.push(number);
      } else if (held.length > 0) {
        stack.release(held.splice(random.below(held.length), 1)[0]);
      }
      assert.equal(stack.count, 40 - held.length);
    }
    while (stack.acquire() >= 0);
    for (let number = 39; number >= 0; number--) stack.release(number);
    assertSameState(stack, new FreeStack(40));
  });

  it('a slab, all of whose blocks come back, knows none in use and notifies no one', () => {
    const random = new Random(seed, 'slab');
    const slab = new Slab(64, 20);
    const held: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      if (random.once(3)) slab.whenFree = () => {};
      if (random.once(2)) {
        const block = slab.acquire();
        assert.equal(block < 0, held.length === 20);
        if (block >= 0) held.push(block);
      } else if (held.length > 0) {
        slab.release(held.splice(random.below(held.length), 1)[0]);
        assert.equal(slab.whenFree, null);
      }
      assert.equal(slab.isShort, slab.freeCount < 20 >> 3);
    }
    while (held.length < 20) held.push(slab.acquire());
    slab.whenFree = () => {};
    for (const block of held.sort((a, b) => b - a)) slab.release(block);
    assertSameState(slab, new Slab(64, 20));
  });

  it('deadlines that are disarmed or expired leave nothing in their lists', () => {
    const random = new Random(seed, 'deadlines');
    const lengths = [10, 1_000, 60_000];
    const deadlines = new Deadlines(30, lengths);
    let nowMs = 2 ** 31 - 40_000;
    for (let step = 0; step < 3_000; step++) {
      nowMs += random.below(40);
      const node = random.below(30);
      if (random.once(3)) deadlines.disarm(node);
      else if (node % 3 === 0) deadlines.extend(node, 2, nowMs);
      else deadlines.arm(node, node % 2, nowMs);
      while (random.once(2) && deadlines.expire(random.below(3), nowMs) >= 0);
    }
    for (let node = 0; node < 30; node += 2) deadlines.disarm(node);
    const lateMs = nowMs + 70_000;
    for (const kind of [0, 1, 2]) while (deadlines.expire(kind, lateMs) >= 0);
    assert.equal(deadlines.armedCount(), 0);
    assert.equal(deadlines.nextDueMs(), Number.POSITIVE_INFINITY);
    // Links and times of a node that is in no list are not read.
    const ignored = ['#dueMs', '#next', '#previous'];
    assertSameState(deadlines, new Deadlines(30, lengths), { ignored });
  });
});

describe('counters that wrap', () => {
  for (const wrap of WRAPS) {
    it(`a ring passes ${wrap} operations, full and empty`, () => {
      const ring = new Ring(16, wrap - 40);
      let next = 0;
      let expected = 0;
      for (let round = 0; round < 10; round++) {
        while (next - expected < 16) ring.push(next++);
        assert.equal(ring.length, 16);
        assert.throws(() => ring.push(0), /a ring has room/);
        while (next - expected > round % 3) assert.equal(ring.shift(), expected++);
      }
      while (expected < next) assert.equal(ring.shift(), expected++);
      assert.equal(ring.length, 0);
      assert.equal(expected, next);
      assert.throws(() => ring.shift(), /a number is there/);
    });

    it(`a queue of completions passes ${wrap} of them, full and empty`, () => {
      const queue = new CompletionQueue(16, wrap - 40);
      const out = new Completions(10);
      let next = 0;
      let expected = 0;
      for (let round = 0; round < 12; round++) {
        while (next - expected < 16) queue.push(1, next++, 7, 2);
        assert.throws(() => queue.push(1, 0, 0, 0), /has room/);
        const count = queue.moveTo(out, 0);
        assert.equal(count, 10);
        for (let at = 0; at < count; at++) assert.equal(out.slot[at], expected++);
        assert.equal(queue.length, 6);
      }
      assert.equal(queue.moveTo(out, 0), 6);
      assert.equal(queue.moveTo(out, 0), 0, 'an empty queue moves nothing');
    });
  }

  it('deadlines order times beyond 2 ** 31, 2 ** 32 and near 2 ** 53 as any others', () => {
    for (const nowMs of [2 ** 31 - 5, 2 ** 32 - 5, 2 ** 52, 2 ** 53 - 2_000]) {
      const deadlines = new Deadlines(4, [8, 100]);
      deadlines.arm(0, 0, nowMs);
      deadlines.arm(1, 1, nowMs);
      deadlines.arm(2, 0, nowMs + 4);
      assert.equal(deadlines.nextDueMs(), nowMs + 8);
      assert.equal(deadlines.expire(0, nowMs + 7), -1);
      assert.equal(deadlines.expire(0, nowMs + 8), 0);
      assert.equal(deadlines.expire(0, nowMs + 8), -1);
      assert.equal(deadlines.expire(0, nowMs + 12), 2);
      assert.equal(deadlines.sinceMs(1, nowMs + 12), 12);
      assert.equal(deadlines.expire(1, nowMs + 99), -1);
      assert.equal(deadlines.expire(1, nowMs + 100), 1);
    }
  });
});
