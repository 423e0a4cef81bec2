// The tokens that a worker reports to the others: each once, also those that it grants while a
// message is on its way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Services } from '../../src/exchange/exchange.ts';
import { SharedCounts } from '../../src/middleware/shared-counts.ts';
import { TokenBuckets } from '../../src/middleware/token-buckets.ts';
import { heapBytes } from '../../testing/heap.ts';

type Counts = readonly (readonly [string, number])[];

/** The channel to the other workers, whose messages leave when `leave` is called. */
class Channel {
  readonly sent: Counts[] = [];
  #leave: (() => void)[] = [];

  readonly services: Services = {
    nowMs: () => 0,
    pause: () => Promise.resolve(),
    siblings: {
      subscribe: () => {},
      publish: (_topic: string, counts: Counts) => {
        this.sent.push(counts.map(([key, count]) => [key, count]));
        return new Promise<void>((resolve) => this.#leave.push(resolve));
      },
    },
  } as unknown as Services;

  async leave(): Promise<void> {
    for (const resolve of this.#leave.splice(0)) resolve();
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function countsOf(keysMax: number): SharedCounts {
  const buckets = new TokenBuckets({ limit: 10, windowMs: 1_000, burst: 10, keysMax });
  return new SharedCounts('topic', keysMax, buckets);
}

test('tokens that are granted while a message leaves are in the next one', async () => {
  const link = new Channel();
  const counts = countsOf(100);
  counts.granted('a', link.services);
  counts.granted('a', link.services);
  counts.granted('b', link.services);
  await settled();
  assert.deepEqual(link.sent, [
    [
      ['a', 2],
      ['b', 1],
    ],
  ]);
  counts.granted('a', link.services);
  counts.granted('c', link.services);
  await settled();
  assert.equal(link.sent.length, 1, 'one message at a time');
  await link.leave();
  assert.deepEqual(link.sent[1], [
    ['a', 1],
    ['c', 1],
  ]);
  await link.leave();
  assert.equal(link.sent.length, 2, 'nothing is reported twice');
  counts.granted('a', link.services);
  await settled();
  assert.deepEqual(link.sent[2], [['a', 1]]);
});

test('keys that wait and are parts of long texts do not keep these', async () => {
  const link = new Channel();
  const counts = countsOf(1_000);
  counts.granted('first', link.services);
  const before = await heapBytes();
  for (let key = 100; key < 164; key++) {
    const text = Buffer.alloc(512 * 1024, `${key} `.repeat(20)).toString('latin1');
    counts.granted(text.slice(0, 60), link.services);
  }
  const growth = (await heapBytes()) - before;
  assert.ok(growth < 8 * 1024 * 1024, `${growth} bytes for 64 keys of 60 characters`);
  await link.leave();
  assert.equal(link.sent[1].length, 64, 'they waited');
});

test('while no message leaves, the keys that wait are bounded', async () => {
  const link = new Channel();
  const counts = countsOf(3);
  counts.granted('first', link.services);
  await settled();
  for (const key of ['a', 'b', 'c', 'd', 'a']) counts.granted(key, link.services);
  await link.leave();
  assert.deepEqual(link.sent[1], [
    ['a', 2],
    ['b', 1],
    ['c', 1],
  ]);
});

test('a message has a bounded number of keys, and none is left out', async () => {
  const link = new Channel();
  const counts = countsOf(20_000);
  for (let key = 0; key < 10_001; key++) counts.granted(`${key}`, link.services);
  for (let round = 0; round < 4; round++) {
    await settled();
    await link.leave();
  }
  assert.deepEqual(
    link.sent.map(({ length }) => length),
    [5_000, 5_000, 1],
  );
  assert.equal(new Set(link.sent.flat().map(([key]) => key)).size, 10_001);
});

test('messages of others are taken once, by the clock of the server that listens now', () => {
  const buckets = new TokenBuckets({ limit: 10, windowMs: 1_000, burst: 10, keysMax: 100 });
  const counts = new SharedCounts('topic', 100, buckets);
  const receivers: ((message: Counts) => void)[] = [];
  const servicesAt = (nowMs: number): Services => {
    const subscribe = (_topic: string, receive: (message: Counts) => void): void => {
      receivers.push(receive);
    };
    return { nowMs: () => nowMs, siblings: { subscribe } } as unknown as Services;
  };
  counts.listen(servicesAt(0));
  counts.listen(servicesAt(0));
  const now = servicesAt(50_000);
  counts.listen(now);
  for (const receive of receivers) receive([['a', 3]]);
  buckets.take('a', 50_000);
  assert.equal(buckets.tokens, 6, 'three by others, one here');
});
