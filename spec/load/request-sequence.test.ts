// The order of requests of several kinds, and where their bytes are.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mixed, RequestSequence, sequenceBytes } from '../../src/load/request-sequence.ts';

const request = (text: string, weight: number) => ({
  bytes: Buffer.from(text),
  isHead: false,
  expected: null,
  weight,
});

describe('an order by weight', () => {
  it('is the most even one', () => {
    assert.deepEqual(mixed([1]), [0]);
    assert.deepEqual(mixed([2, 1]), [0, 1, 0]);
    assert.deepEqual(mixed([10, 5]), [0, 1, 0]);
    assert.deepEqual(mixed([5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
  });

  it('has each kind as often as its weight says', () => {
    const order = mixed([7, 3, 90]);
    assert.deepEqual(
      [0, 1, 2].map((kind) => order.filter((one) => one === kind).length),
      [7, 3, 90],
    );
  });
});

describe('a request sequence', () => {
  it('has every batch in contiguous memory, also across the end of a cycle', () => {
    const requests = [request('aa', 2), request('b', 1)];
    const sequence = new RequestSequence(requests, 4);
    assert.equal(sequence.length, 3);
    const text = (from: number, count: number): string =>
      Buffer.from(
        sequence.bytes.subarray(sequence.start(from), sequence.end(from, count)),
      ).toString();
    assert.deepEqual(
      [text(0, 1), text(1, 1), text(2, 1), text(0, 3), text(2, 4), text(1, 4)],
      ['aa', 'b', 'aa', 'aabaa', 'aaaabaa', 'baaaab'],
    );
    assert.deepEqual(
      [0, 1, 2].map((at) => sequence.kindAt(at)),
      [0, 1, 0],
    );
    assert.deepEqual(
      [sequence.after(2, 1), sequence.after(0, 3), sequence.after(1, 100)],
      [0, 0, 2],
    );
    assert.ok(sequenceBytes(requests, 4) >= 5 + 7);
  });

  it('has memory outside of the heap of V8', () => {
    assert.ok(new RequestSequence([request('a', 1)], 1).bytes.length >= 64);
  });
});
