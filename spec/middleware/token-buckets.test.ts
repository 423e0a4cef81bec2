// TokenBuckets against a model of a token bucket by its textbook definition, and with more keys
// than it remembers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TokenBuckets } from '../../src/middleware/token-buckets.ts';
import { heapBytes } from '../../testing/heap.ts';
import { seeded } from './fixtures/seeded.ts';

/** A bucket holds `burst` tokens and gets one every `tokenMs`; all in whole milliseconds. */
class ModelBucket {
  readonly #tokenMs: number;
  readonly #burst: number;
  #levelMs: number;
  #atMs: number;

  constructor(tokenMs: number, burst: number, nowMs: number) {
    this.#tokenMs = tokenMs;
    this.#burst = burst;
    this.#levelMs = burst * tokenMs;
    this.#atMs = nowMs;
  }

  refill(nowMs: number): void {
    const most = this.#burst * this.#tokenMs;
    this.#levelMs = Math.min(most, this.#levelMs + nowMs - this.#atMs);
    this.#atMs = nowMs;
  }

  take(): number {
    if (this.#levelMs < this.#tokenMs) return this.#tokenMs - this.#levelMs;
    this.#levelMs -= this.#tokenMs;
    return 0;
  }

  takeAlso(count: number): void {
    this.#levelMs -= count * this.#tokenMs;
  }

  get tokens(): number {
    return Math.max(0, Math.floor(this.#levelMs / this.#tokenMs));
  }

  get fullInMs(): number {
    return this.#burst * this.#tokenMs - this.#levelMs;
  }
}

describe('buckets', () => {
  test('decisions, waits and tokens are those of the model', async () => {
    await seeded((random) => {
      for (let run = 0; run < 60; run++) {
        const limit = random.between(1, 20);
        const tokenMs = random.pick([1, 7, 50, 1000]);
        const burst = random.between(1, 25);
        const windowMs = limit * tokenMs;
        const buckets = new TokenBuckets({ limit, windowMs, burst, keysMax: 100 });
        const model = new Map<string, ModelBucket>();
        let nowMs = random.below(1_000_000);
        for (let step = 0; step < 300; step++) {
          nowMs += random.once(3) ? 0 : random.below(tokenMs * random.between(1, 30));
          const key = String(random.below(10));
          const known = model.get(key) ?? new ModelBucket(tokenMs, burst, nowMs);
          model.set(key, known);
          known.refill(nowMs);
          if (random.once(10)) {
            const count = random.between(1, 5);
            buckets.takeAlso(key, count, nowMs);
            known.takeAlso(count);
            continue;
          }
          const waitMs = buckets.take(key, nowMs);
          assert.ok(Math.abs(waitMs - known.take()) < 1e-3, `wait of step ${step}`);
          assert.equal(buckets.tokens, known.tokens, `tokens of step ${step}`);
          assert.ok(Math.abs(buckets.fullInMs - known.fullInMs) < 1e-3, `step ${step}`);
        }
      }
    });
  });

  test('a wait is exact: a token is there at its end and not before', () => {
    const buckets = new TokenBuckets({ limit: 3, windowMs: 1000, burst: 2, keysMax: 10 });
    assert.equal(buckets.take('a', 5), 0);
    assert.equal(buckets.take('a', 5), 0);
    const waitMs = buckets.take('a', 5);
    assert.ok(waitMs > 333 && waitMs < 334);
    assert.ok(buckets.take('a', 5 + waitMs - 0.1) > 0);
    assert.equal(buckets.take('a', 5 + waitMs), 0);
    assert.ok(buckets.take('a', 5 + waitMs) > 0);
  });

  test('no sum of fractions costs a token: each is there at its time, and all are shown', () => {
    for (let limit = 1; limit <= 60; limit++) {
      const options = { limit, windowMs: 1000, keysMax: 10 };
      const single = new TokenBuckets({ ...options, burst: 1 });
      for (let step = 0; step < 200; step++) {
        assert.equal(single.take('a', (step * 1000) / limit), 0, `step ${step} of ${limit}`);
      }
      const many = new TokenBuckets({ ...options, burst: 12 });
      for (let left = 11; left >= 0; left--) {
        assert.equal(many.take('a', 3), 0);
        assert.equal(many.tokens, left, `of ${limit} in a second`);
      }
    }
  });

  test('in an hour of attempts the rate is the limit', () => {
    const buckets = new TokenBuckets({ limit: 7, windowMs: 1000, burst: 5, keysMax: 10 });
    let granted = 0;
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 50) {
      if (buckets.take('a', nowMs) === 0) granted += 1;
    }
    assert.ok(granted <= 7 * 3600 + 5 && granted >= 7 * 3600 - 5, String(granted));
  });
});

describe('memory', () => {
  test('keys that are parts of long texts do not keep these', async () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 1000, burst: 10, keysMax: 1000 });
    const before = await heapBytes();
    for (let key = 100; key < 164; key++) {
      const text = Buffer.alloc(512 * 1024, `${key} `.repeat(20)).toString('latin1');
      buckets.take(text.slice(0, 60), 0);
    }
    assert.equal(buckets.size, 64);
    const growth = (await heapBytes()) - before;
    assert.ok(growth < 8 * 1024 * 1024, `${growth} bytes for 64 keys of 60 characters`);
  });

  test('a key is the same text, whatever its characters', () => {
    const buckets = new TokenBuckets({ limit: 1, windowMs: 1000, burst: 1, keysMax: 1000 });
    for (const key of ['', 'a', '\u00e9\0', '\ud800', '\u{1f600}', '__proto__', '1']) {
      assert.deepEqual([buckets.take(key, 0), buckets.take(`${key}`, 0)], [0, 1000], key);
    }
    assert.equal(buckets.size, 7);
  });

  test('full buckets are dropped', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 1000, burst: 10, keysMax: 1000 });
    for (let key = 0; key < 1000; key++) buckets.take(String(key), 0);
    assert.equal(buckets.size, 1000);
    for (let step = 0; step < 1000; step++) buckets.take('a', 10_000 + step);
    assert.equal(buckets.size, 1);
  });

  test('a bucket that is full now is dropped', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 1000, burst: 10, keysMax: 1000 });
    buckets.take('a', 0);
    buckets.take('b', 99);
    assert.equal(buckets.size, 2);
    buckets.take('c', 100);
    assert.equal(buckets.size, 2);
  });

  test('a full bucket is dropped also when tokens were granted elsewhere', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 1000, burst: 10, keysMax: 1000 });
    for (let step = 0; step < 50; step++) {
      buckets.takeAlso(`key ${step}`, 2, 1000 * step);
      assert.equal(buckets.size, 1, 'the earlier one is full again');
    }
  });

  test('of too many keys the one that is full soonest makes room, in any order', async () => {
    await seeded((random) => {
      for (let run = 0; run < 30; run++) {
        const keysMax = random.between(2, 24);
        const buckets = new TokenBuckets({ limit: 1, windowMs: 1, burst: 1e6, keysMax });
        const model = new Map<string, number>();
        for (let step = 0; step < 300; step++) {
          const key = String(random.below(2 * keysMax));
          // No two are full at the same time.
          const count = random.between(1, 1_000) + step / 1_000;
          if (!model.has(key) && model.size === keysMax) {
            const [[soonest]] = [...model].sort(([, one], [, other]) => one - other);
            model.delete(soonest);
          }
          model.set(key, (model.get(key) ?? 0) + count);
          buckets.takeAlso(key, count, 0);
          assert.equal(buckets.size, model.size);
        }
        for (const [key, fullMs] of model) {
          buckets.take(key, 0);
          assert.ok(Math.abs(buckets.fullInMs - fullMs - 1) < 1e-6, `run ${run}, key ${key}`);
        }
      }
    });
  });

  test('a client that invents keys keeps its own empty bucket', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 60_000, burst: 10, keysMax: 100 });
    for (let count = 0; count < 10; count++) assert.equal(buckets.take('victim', count), 0);
    for (let key = 0; key < 10_000; key++) {
      assert.equal(buckets.take(`invented ${key}`, 20), 0, 'a new client is served');
      assert.ok(buckets.size <= 100);
    }
    assert.ok(buckets.take('victim', 30) > 0, 'the bucket was not forgotten');
  });

  test('the bucket with the most tokens makes room', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 60_000, burst: 10, keysMax: 3 });
    for (const [key, count] of [
      ['a', 3],
      ['b', 1],
      ['c', 2],
    ] as const) {
      for (let taken = 0; taken < count; taken++) buckets.take(key, 0);
    }
    buckets.take('d', 0);
    buckets.take('d', 0);
    const tokensOf = (key: string) => {
      buckets.take(key, 0);
      return buckets.tokens;
    };
    assert.equal(tokensOf('a'), 6);
    assert.equal(tokensOf('c'), 7);
    assert.equal(tokensOf('d'), 7);
    assert.equal(tokensOf('b'), 9, 'b was forgotten');
  });

  test('a bucket from which more is taken is forgotten later', () => {
    const buckets = new TokenBuckets({ limit: 10, windowMs: 10_000, burst: 10, keysMax: 2 });
    buckets.take('busy', 0);
    buckets.take('quiet', 10);
    for (let count = 0; count < 5; count++) buckets.take('busy', 20);
    // It makes room for a third one, and the quiet one is full soonest.
    buckets.take('new', 30);
    buckets.take('busy', 30);
    assert.equal(buckets.tokens, 3, 'it was not forgotten');
  });

  test('100,000 keys stay 100,000, and each costs a bounded number of steps', async () => {
    await seeded((random) => {
      const keysMax = 100_000;
      const buckets = new TokenBuckets({ limit: 10, windowMs: 60_000, burst: 10, keysMax });
      const began = process.cpuUsage();
      for (let step = 0; step < 5 * keysMax; step++) {
        buckets.take(`client ${random.below(3 * keysMax)}`, step / 100);
        assert.ok(buckets.size <= keysMax);
      }
      const { user } = process.cpuUsage(began);
      // It takes half a second; a search through all keys for each would take an hour.
      assert.ok(user < 60_000_000, `${user} microseconds`);
    });
  });
});
