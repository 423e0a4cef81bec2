// The inbox against a plain list of bytes: what is unread lies in one block, in order, and blocks
// come back.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { Inbox } from '../../src/connection/receive-buffer.ts';
import { seeded } from '../../testing/splits.ts';

const BLOCK_BYTES = 64;

class World {
  readonly slab = new Slab(BLOCK_BYTES, 4);
  readonly inbox = new Inbox(this.slab);
  /** What was added and not consumed. */
  unread: number[] = [];
  #next = 0;

  get blocksOut(): number {
    return this.slab.blockCount - this.slab.freeCount;
  }

  /** Receives a block with so many new bytes. */
  add(count: number): void {
    const block = this.slab.acquire();
    const start = this.slab.start(block);
    for (let index = 0; index < count; index++) {
      this.#next = (this.#next + 1) & 255;
      this.slab.bytes[start + index] = this.#next;
      this.unread.push(this.#next);
    }
    this.inbox.add(block, count);
  }

  consume(count: number): void {
    this.inbox.consume(count);
    this.unread.splice(0, count);
  }

  get visible(): number {
    return this.inbox.end - this.inbox.start;
  }

  check(): void {
    const { inbox } = this;
    const seen = [...this.slab.bytes.subarray(inbox.start, inbox.end)];
    assert.deepEqual(seen, this.unread.slice(0, seen.length));
    assert.equal(inbox.empty, seen.length === 0);
    if (inbox.hasRoom) assert.equal(seen.length, this.unread.length, 'nothing is kept back');
    assert.ok(this.blocksOut <= (inbox.hasRoom ? 1 : 2));
  }
}

describe('Inbox', () => {
  it('behaves as a list of bytes, whatever the order of calls', (context) => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.record({ consume: fc.nat({ max: BLOCK_BYTES }) }),
      fc.constantFrom('join' as const, 'trim' as const),
    );
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const one of steps) {
        if (one === 'trim') world.inbox.trim();
        else if (one === 'join') world.inbox.join();
        else if ('consume' in one) world.consume(Math.min(one.consume, world.visible));
        else if (world.inbox.hasRoom) {
          world.add(one.add);
          assertFilled(world);
        }
        if (one === 'join') assertFilled(world);
        if (one === 'trim') assert.ok(!world.inbox.empty || world.unread.length === 0);
        if (one === 'trim' && world.inbox.empty) assert.equal(world.blocksOut, 0);
        world.check();
      }
      world.inbox.clear();
      world.unread = [];
      world.check();
      assert.equal(world.blocksOut, 0);
    });
    fc.assert(property, seeded(context, 500));
  });

  /** A second block waits only for what does not fit in the first. */
  function assertFilled({ inbox, visible }: World): void {
    if (!inbox.hasRoom) assert.equal(visible, BLOCK_BYTES);
  }

  it('joins two blocks so that a head is in one piece', () => {
    const world = new World();
    world.add(40);
    world.consume(30);
    world.add(50);
    assert.equal(world.visible, 60);
    assert.equal(world.blocksOut, 1);
    world.check();
  });

  it('keeps the memory of what was consumed until it is trimmed', () => {
    const world = new World();
    world.add(10);
    const { start } = world.inbox;
    const before = world.slab.bytes.slice(start, start + 10);
    world.consume(10);
    assert.equal(world.blocksOut, 1);
    assert.deepEqual(world.slab.bytes.subarray(start, start + 10), before);
    world.inbox.trim();
    assert.equal(world.blocksOut, 0);
  });

  it('has room for one block besides, and consumes no more than is there', () => {
    const world = new World();
    world.add(BLOCK_BYTES);
    world.add(5);
    assert.equal(world.inbox.hasRoom, false);
    assert.throws(() => world.inbox.add(3, 1), AssertionFault);
    assert.throws(() => world.inbox.consume(BLOCK_BYTES + 1), AssertionFault);
  });

  it('an empty one has nothing to join, trim or clear', () => {
    const world = new World();
    world.inbox.join();
    world.inbox.trim();
    world.inbox.clear();
    assert.ok(world.inbox.empty && world.inbox.hasRoom);
  });
});
