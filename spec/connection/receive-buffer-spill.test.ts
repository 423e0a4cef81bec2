// The inbox while blocks are short: whatever arrives, is consumed or shelved in whatever order, the
// unread bytes are those that came, in their order, and every block goes back.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Slab } from '../../src/base/slab.ts';
import { Inbox } from '../../src/connection/receive-buffer.ts';

const BLOCK_BYTES = 1024;

interface Step {
  readonly what: 'add' | 'consume' | 'shelve' | 'trim' | 'join';
  readonly bytes: number;
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom('add', 'add', 'consume', 'consume', 'shelve', 'trim', 'join'),
    bytes: fc.integer({ min: 1, max: BLOCK_BYTES }),
  }),
  { maxLength: 60 },
);

function play(all: readonly Step[]): void {
  const slab = new Slab(BLOCK_BYTES, 4);
  const inbox = new Inbox(slab);
  let came = 0;
  let read = 0;
  for (const { what, bytes } of all) {
    if (what === 'add' && inbox.hasRoom) {
      const block = slab.acquire();
      assert.notEqual(block, -1, 'two blocks at most are held');
      for (let at = 0; at < bytes; at++) slab.bytes[slab.start(block) + at] = (came + at) & 0xff;
      came += bytes;
      inbox.add(block, bytes);
    } else if (what === 'consume') {
      const count = Math.min(bytes, inbox.end - inbox.start);
      inbox.consume(count);
      read += count;
    } else if (what === 'shelve') inbox.shelve();
    else if (what === 'trim') inbox.trim();
    else if (what === 'join') inbox.join();
    const unread = inbox.memory.subarray(inbox.start, inbox.end);
    assert.ok(unread.length <= Math.max(BLOCK_BYTES, came - read));
    for (const [at, byte] of unread.entries()) assert.equal(byte, (read + at) & 0xff);
  }
  // What is left can be read to the end, and then nothing is held.
  for (let round = 0; round < 10 && read < came; round++) {
    read += inbox.end - inbox.start;
    inbox.consume(inbox.end - inbox.start);
    inbox.trim();
  }
  assert.equal(read, came);
  inbox.clear();
  assert.equal(slab.freeCount, 4);
}

it('keeps every byte in its place, shelved or not', () => {
  const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  fc.assert(fc.property(steps, play), { seed, numRuns: 2000 });
});

it('a shelf grows to the size of a block, for a head that goes on', () => {
  const slab = new Slab(BLOCK_BYTES, 4);
  const inbox = new Inbox(slab);
  inbox.add(slab.acquire(), 10);
  inbox.shelve();
  assert.equal(slab.freeCount, 4);
  assert.ok(inbox.hasRoom);
  inbox.add(slab.acquire(), 900);
  assert.equal(inbox.end - inbox.start, 910);
  assert.equal(slab.freeCount, 4);
  assert.equal(inbox.isHeavy, true, 'more waits with the kernel, unless it is a head');
});
