// The receive buffer compared with a list of bytes: unread bytes lie in one block, in order, and
// blocks are released.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { ReceiveBuffer } from '../../src/connection/receive-buffer.ts';
import { seeded } from '../../testing/splits.ts';

const BLOCK_BYTES = 64;

class Fixture {
  readonly slab = new Slab(BLOCK_BYTES, 4);
  readonly receiveBuffer = new ReceiveBuffer(this.slab);
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
    this.receiveBuffer.add(block, count);
  }

  consume(count: number): void {
    this.receiveBuffer.consume(count);
    this.unread.splice(0, count);
  }

  get visible(): number {
    return this.receiveBuffer.end - this.receiveBuffer.start;
  }

  check(): void {
    const { receiveBuffer } = this;
    const seen = [...this.slab.bytes.subarray(receiveBuffer.start, receiveBuffer.end)];
    assert.deepEqual(seen, this.unread.slice(0, seen.length));
    assert.equal(receiveBuffer.empty, seen.length === 0);
    if (receiveBuffer.hasRoom)
      assert.equal(seen.length, this.unread.length, 'all bytes are visible');
    assert.ok(this.blocksOut <= (receiveBuffer.hasRoom ? 1 : 2));
  }
}

describe('ReceiveBuffer', () => {
  it('behaves as a list of bytes, whatever the order of calls', (context) => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.record({ consume: fc.nat({ max: BLOCK_BYTES }) }),
      fc.constantFrom('join' as const, 'trim' as const),
    );
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const fixture = new Fixture();
      for (const one of steps) {
        if (one === 'trim') fixture.receiveBuffer.trim();
        else if (one === 'join') fixture.receiveBuffer.join();
        else if ('consume' in one) fixture.consume(Math.min(one.consume, fixture.visible));
        else if (fixture.receiveBuffer.hasRoom) {
          fixture.add(one.add);
          assertFilled(fixture);
        }
        if (one === 'join') assertFilled(fixture);
        if (one === 'trim') assert.ok(!fixture.receiveBuffer.empty || fixture.unread.length === 0);
        if (one === 'trim' && fixture.receiveBuffer.empty) assert.equal(fixture.blocksOut, 0);
        fixture.check();
      }
      fixture.receiveBuffer.clear();
      fixture.unread = [];
      fixture.check();
      assert.equal(fixture.blocksOut, 0);
    });
    fc.assert(property, seeded(context, 500));
  });

  /** A second block waits only for what does not fit in the first. */
  function assertFilled({ receiveBuffer, visible }: Fixture): void {
    if (!receiveBuffer.hasRoom) assert.equal(visible, BLOCK_BYTES);
  }

  it('joins two blocks so that a head is contiguous', () => {
    const fixture = new Fixture();
    fixture.add(40);
    fixture.consume(30);
    fixture.add(50);
    assert.equal(fixture.visible, 60);
    assert.equal(fixture.blocksOut, 1);
    fixture.check();
  });

  it('keeps the memory of what was consumed until it is trimmed', () => {
    const fixture = new Fixture();
    fixture.add(10);
    const { start } = fixture.receiveBuffer;
    const before = fixture.slab.bytes.slice(start, start + 10);
    fixture.consume(10);
    assert.equal(fixture.blocksOut, 1);
    assert.deepEqual(fixture.slab.bytes.subarray(start, start + 10), before);
    fixture.receiveBuffer.trim();
    assert.equal(fixture.blocksOut, 0);
  });

  it('has room for one more block, and consumes no more than is there', () => {
    const fixture = new Fixture();
    fixture.add(BLOCK_BYTES);
    fixture.add(5);
    assert.equal(fixture.receiveBuffer.hasRoom, false);
    assert.throws(() => fixture.receiveBuffer.add(3, 1), AssertionFault);
    assert.throws(() => fixture.receiveBuffer.consume(BLOCK_BYTES + 1), AssertionFault);
  });

  it('an empty buffer has nothing to join, trim or clear', () => {
    const fixture = new Fixture();
    fixture.receiveBuffer.join();
    fixture.receiveBuffer.trim();
    fixture.receiveBuffer.clear();
    assert.ok(fixture.receiveBuffer.empty && fixture.receiveBuffer.hasRoom);
  });
});
