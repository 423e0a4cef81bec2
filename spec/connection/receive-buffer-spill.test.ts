// The receive buffer while blocks are short: in any order of arriving, consuming and spilling, the
// unread bytes are those that arrived, in their order, and every block is released.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Slab } from '../../src/base/slab.ts';
import { ReceiveBuffer } from '../../src/connection/receive-buffer.ts';

const BLOCK_BYTES = 1024;

interface Step {
  readonly what: 'add' | 'consume' | 'spill' | 'trim' | 'join';
  readonly bytes: number;
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('add', 'add', 'consume', 'consume', 'spill', 'trim', 'join'),
    bytes: fc.integer({ min: 1, max: BLOCK_BYTES }),
  }),
  { maxLength: 60 },
);

function play(all: readonly Step[]): void {
  const slab = new Slab(BLOCK_BYTES, 4);
  const receiveBuffer = new ReceiveBuffer(slab);
  let came = 0;
  let read = 0;
  for (const { what, bytes } of all) {
    if (what === 'add' && receiveBuffer.hasRoom) {
      const block = slab.acquire();
      assert.notEqual(block, -1, 'two blocks at most are held');
      for (let at = 0; at < bytes; at++) slab.bytes[slab.start(block) + at] = (came + at) & 0xff;
      came += bytes;
      receiveBuffer.add(block, bytes);
    } else if (what === 'consume') {
      const count = Math.min(bytes, receiveBuffer.end - receiveBuffer.start);
      receiveBuffer.consume(count);
      read += count;
    } else if (what === 'spill') receiveBuffer.spill();
    else if (what === 'trim') receiveBuffer.trim();
    else if (what === 'join') receiveBuffer.join();
    const unread = receiveBuffer.memory.subarray(receiveBuffer.start, receiveBuffer.end);
    assert.ok(unread.length <= Math.max(BLOCK_BYTES, came - read));
    for (const [at, byte] of unread.entries()) assert.equal(byte, (read + at) & 0xff);
  }
  // The rest can be read to its end, and then no memory is held.
  for (let round = 0; round < 10 && read < came; round++) {
    read += receiveBuffer.end - receiveBuffer.start;
    receiveBuffer.consume(receiveBuffer.end - receiveBuffer.start);
    receiveBuffer.trim();
  }
  assert.equal(read, came);
  receiveBuffer.clear();
  assert.equal(slab.freeCount, 4);
}

it('keeps every byte in its place, spilled or not', () => {
  const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  fc.assert(fc.property(steps, play), { seed, numRuns: 2000 });
});

it('spilled memory grows to the size of a block, for a long head', () => {
  const slab = new Slab(BLOCK_BYTES, 4);
  const receiveBuffer = new ReceiveBuffer(slab);
  receiveBuffer.add(slab.acquire(), 10);
  receiveBuffer.spill();
  assert.equal(slab.freeCount, 4);
  assert.ok(receiveBuffer.hasRoom);
  receiveBuffer.add(slab.acquire(), 900);
  assert.equal(receiveBuffer.end - receiveBuffer.start, 910);
  assert.equal(slab.freeCount, 4);
  assert.equal(receiveBuffer.isLarge, true, 'the kernel holds more, unless it is a head');
});
