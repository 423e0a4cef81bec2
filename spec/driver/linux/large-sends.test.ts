// Sends of more than 2 GiB and 4 GiB, and from beyond these offsets of a region: lengths and
// addresses that do not fit into 32 bits. The kernel takes no byte of them; what counts is what it
// is asked for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Op } from '../../../src/driver/driver.ts';
import { MSG_MORE, MSG_NOSIGNAL, SEND_BYTES_MAX } from '../../../src/driver/linux/layout.ts';
import { epollFixture } from '../scripted/epoll-fixture.ts';
import { REGION, RingFixture } from '../scripted/ring-fixture.ts';

const GIB = 1024 ** 3;

/** Starts and ends in a region. */
const RANGES: readonly (readonly [start: number, end: number])[] = [
  [0, 1],
  [0, GIB],
  [0, 2 * GIB - 1],
  [0, 2 * GIB],
  [0, 2 * GIB + 1],
  [1, 4 * GIB - 1],
  [0, 4 * GIB],
  [0, 4 * GIB + 1],
  [2 * GIB - 1, 2 * GIB],
  [2 * GIB - 1, 2 * GIB + 1],
  [2 * GIB, 2 * GIB + 5],
  [4 * GIB - 1, 4 * GIB + 1],
  [4 * GIB, 9 * GIB + 3],
  [9 * GIB + 1, 9 * GIB + 3],
];

interface Asked {
  readonly offset: number;
  readonly bytes: number;
}

/** What the epoll driver asks the kernel for, which then sends `taken` bytes. */
function askedByEpoll(start: number, end: number): Asked {
  const fixture = epollFixture();
  fixture.adopt(0);
  let asked: Asked | null = null;
  const base = fixture.kernel.addressOf(fixture.region);
  fixture.kernel.send = (_fd, address, bytes) => {
    asked = { offset: address - base, bytes };
    return bytes;
  };
  fixture.sendRange(0, start, end);
  fixture.settle();
  assert.ok(asked !== null);
  const { bytes } = asked as Asked;
  assert.equal(fixture.last(Op.Send, 0), bytes, 'the completion has what the kernel took');
  fixture.finish(0);
  fixture.end();
  return asked;
}

/** The same of an entry of the uring driver: its length is a word without a sign. */
function askedByUring(start: number, end: number): Asked {
  const fixture = new RingFixture();
  const socket = fixture.adopt(0);
  socket.room = 0;
  const base = fixture.kernel.addressOf(fixture.region);
  fixture.driver.send(0, REGION, start, end, false);
  fixture.settle();
  const entry = fixture.kernel.taken.at(-1) ?? new Int32Array(16);
  const address = (entry[5] >>> 0) * 2 ** 32 + (entry[4] >>> 0);
  fixture.driver.abort(0, true);
  fixture.settle();
  fixture.finish(0);
  return { offset: address - base, bytes: entry[6] >>> 0 };
}

describe('a send of the epoll driver', () => {
  it('has the bytes from its start, also within a block, and says whether more follow', () => {
    const fixture = epollFixture();
    fixture.adopt(0);
    const { blockBytes } = fixture.slab;
    const slabAddress = fixture.kernel.addressOf(fixture.slab.bytes);
    const regionAddress = fixture.kernel.addressOf(fixture.region);
    for (const [region, base] of [
      [0, slabAddress],
      [REGION, regionAddress],
    ]) {
      for (const start of [0, 1, blockBytes - 1, blockBytes, blockBytes + 7]) {
        for (const more of [false, true]) {
          const asked: number[][] = [];
          fixture.kernel.send = (_fd, address, bytes, flags) => {
            asked.push([address - base, bytes, flags]);
            return bytes;
          };
          fixture.submit(Op.Send, 0);
          fixture.driver.send(0, region, start, start + 1, more);
          fixture.settle();
          const flags = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
          assert.deepEqual(asked, [[start, 1, flags]]);
        }
      }
    }
    fixture.finish(0);
    fixture.end();
  });
});

for (const [name, askedBy] of [
  ['epoll', askedByEpoll],
  ['uring', askedByUring],
] as const) {
  describe(`a large send of the ${name} driver`, () => {
    for (const [start, end] of RANGES) {
      it(`from ${start} to ${end} asks for bytes from its start, and none beyond its end`, () => {
        const bytes = Math.min(end - start, SEND_BYTES_MAX);
        assert.deepEqual(askedBy(start, end), { offset: start, bytes });
      });
    }

    it('reaches the end of 9 GiB in several sends', () => {
      let start = 0;
      const end = 9 * GIB + 3;
      for (let sends = 0; start < end; sends++) {
        assert.ok(sends < 10, `at ${start}`);
        const asked = askedBy(start, end);
        assert.equal(asked.offset, start);
        start += asked.bytes;
      }
      assert.equal(start, end);
    });
  });
}
