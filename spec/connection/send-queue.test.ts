// The send queue over a driver in memory: bytes are sent once, in order, however few the client
// receives at a time, and all memory that held them is released once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { SendQueue } from '../../src/connection/send-queue.ts';
import { SpanPool } from '../../src/connection/span.ts';
import { NOT_CACHED } from '../../src/driver/driver.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { Regions } from '../../src/reactor/regions.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';
import { seeded } from '../../testing/splits.ts';

const BLOCK_BYTES = 64;
const BLOCKS = 3;

/** The send queue of a connection, without the rest of it. */
class Fixture {
  readonly slab: Slab;
  readonly driver: FakeDriver;
  readonly regions: Regions;
  readonly spans = new SpanPool();
  readonly reactor: Reactor;
  readonly sendQueue: SendQueue;
  readonly slot: number;
  /** All that was queued, in order. */
  queued: number[] = [];
  #next = 0;
  isClosed = false;

  constructor(blocks = BLOCKS) {
    this.slab = new Slab(BLOCK_BYTES, blocks);
    this.driver = new FakeDriver(this.slab);
    this.regions = new Regions(this.driver);
    this.reactor = new Reactor({
      driver: this.driver,
      slab: this.slab,
      slots: 1,
      timeoutsMs: [1000],
      sendTimeout: 0,
      backlog: 16,
      overload: null,
      events: {
        accepted: () => ({
          received() {},
          sent: (result) => {
            if (result > 0) this.sendQueue.sent(result);
          },
          due() {},
          closed: () => {
            this.isClosed = true;
          },
          evict: () => false,
        }),
        acceptFault() {},
        listenDone() {},
        unlistenDone() {},
      },
    });
    this.sendQueue = new SendQueue(this.reactor, this.spans);
    this.driver.arrive(1);
    this.reactor.turn();
    this.slot = 0;
    this.sendQueue.open(this.slot);
  }

  #bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      this.#next = (this.#next + 1) & 255;
      bytes[index] = this.#next;
    }
    this.queued.push(...bytes);
    return bytes;
  }

  /** Writes bytes into a block; false, and nothing queued, where none is free. */
  write(count: number): boolean {
    const at = this.sendQueue.reserve(count);
    if (at < 0) return false;
    this.slab.bytes.set(this.#bytes(count), at);
    this.sendQueue.commit(at + count);
    return true;
  }

  attach(count: number): void {
    // Between two bytes that must not be sent.
    const bytes = new Uint8Array(count + 2).fill(0xee);
    bytes.set(this.#bytes(count), 1);
    this.sendQueue.attach(this.regions.map(bytes), 1, count + 1);
  }

  /** The client receives some of the bytes in flight. */
  take(bytesMax?: number): void {
    if (!this.reactor.sending(this.slot)) return;
    this.driver.take(this.slot, bytesMax);
    this.reactor.turn();
  }

  drain(): void {
    for (let count = 0; count < 10_000 && this.sendQueue.waiting > 0; count++) {
      this.sendQueue.flush();
      this.take();
    }
  }

  get output(): number[] {
    return [...this.driver.socket(this.slot).output];
  }

  checkGivenBack(): void {
    assert.equal(this.slab.freeCount, BLOCKS);
    assert.equal(this.driver.regionCount, 0);
    assert.equal(this.regions.count, 0);
    assert.equal(this.spans.usedCount, 0);
  }
}

describe('sending', () => {
  it('bytes are sent once and in order, whatever the order of calls', (context) => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.record({ attach: fc.integer({ min: 1, max: 150 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 80 }) }),
      // Room that was reserved and is not used.
      fc.record({ unused: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.constant('flush' as const),
    );
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const fixture = new Fixture();
      const { sendQueue } = fixture;
      for (const one of steps) {
        if (one === 'flush') sendQueue.flush();
        else if ('write' in one) fixture.write(one.write);
        else if ('attach' in one) fixture.attach(one.attach);
        else if ('take' in one) fixture.take(one.take);
        else sendQueue.reserve(one.unused);
        assert.equal(sendQueue.queuedTotal, fixture.queued.length);
        assert.equal(sendQueue.sentTotal, fixture.output.length);
        assert.equal(sendQueue.waiting, fixture.queued.length - fixture.output.length);
        assert.deepEqual(fixture.output, fixture.queued.slice(0, fixture.output.length));
      }
      fixture.drain();
      assert.deepEqual(fixture.output, fixture.queued);
      sendQueue.clear();
      fixture.checkGivenBack();
    });
    fc.assert(property, seeded(context, 500));
  });

  it('consecutive writes are sent in one send', () => {
    const fixture = new Fixture();
    for (const count of [10, 20, 30]) assert.ok(fixture.write(count));
    fixture.sendQueue.flush();
    const { send } = fixture.driver.socket(fixture.slot);
    assert.equal((send?.end ?? 0) - (send?.start ?? 0), 60);
    assert.equal(send?.more, false);
    fixture.take();
    fixture.checkGivenBack();
  });

  it('writes during a send wait in the same block', () => {
    const fixture = new Fixture();
    fixture.write(10);
    fixture.sendQueue.flush();
    fixture.write(10);
    assert.equal(fixture.slab.freeCount, BLOCKS - 1);
    fixture.take(4);
    fixture.sendQueue.flush();
    fixture.take();
    assert.deepEqual(fixture.output, fixture.queued);
    fixture.checkGivenBack();
  });

  it('says that more follows when it does', () => {
    const fixture = new Fixture();
    fixture.write(10);
    fixture.attach(10);
    fixture.sendQueue.flush();
    assert.equal(fixture.driver.socket(fixture.slot).send?.more, true);
    fixture.take();
    fixture.sendQueue.flush();
    assert.equal(fixture.driver.socket(fixture.slot).send?.more, false);
    fixture.take();
    fixture.checkGivenBack();
  });

  it('flushing nothing, or twice, sends nothing more', () => {
    const fixture = new Fixture();
    fixture.sendQueue.flush();
    assert.equal(fixture.reactor.sending(fixture.slot), false);
    fixture.attach(5);
    fixture.sendQueue.flush();
    fixture.sendQueue.flush();
    fixture.take();
    assert.deepEqual(fixture.output, fixture.queued);
  });

  it('a region is mapped until its last byte is sent', () => {
    const fixture = new Fixture();
    fixture.sendQueue.attach(fixture.regions.map(new Uint8Array(10)), 0, 10);
    fixture.sendQueue.flush();
    fixture.take(9);
    assert.equal(fixture.driver.regionCount, 1);
    fixture.sendQueue.flush();
    fixture.take(1);
    assert.equal(fixture.driver.regionCount, 0);
    fixture.checkGivenBack();
  });
});

describe('room', () => {
  it('there is none for more than a block, nor without a free block', () => {
    const fixture = new Fixture();
    assert.equal(fixture.sendQueue.reserve(BLOCK_BYTES + 1), -1);
    for (let count = 0; count < BLOCKS; count++) assert.ok(fixture.write(BLOCK_BYTES));
    assert.equal(fixture.sendQueue.reserve(1), -1);
    fixture.sendQueue.flush();
    fixture.take();
    assert.ok(fixture.write(1));
    fixture.drain();
    fixture.checkGivenBack();
  });

  it('there is none while blocks are short: they are kept for what is received', () => {
    const fixture = new Fixture(16);
    const { sendQueue, slab } = fixture;
    const taken = Array.from({ length: 15 }, () => slab.acquire());
    assert.ok(slab.isShort);
    assert.equal(sendQueue.reserve(1), -1);
    assert.equal(slab.freeCount, 1);
    for (const block of taken) slab.release(block);
    assert.ok(sendQueue.reserve(1) >= 0);
    sendQueue.clear();
  });

  it('that was not used is used next', () => {
    const fixture = new Fixture();
    const at = fixture.sendQueue.reserve(50);
    assert.equal(fixture.sendQueue.reserve(BLOCK_BYTES), at);
    assert.equal(fixture.slab.freeCount, BLOCKS - 1);
    fixture.sendQueue.clear();
    fixture.checkGivenBack();
  });

  it('an empty span, or one that was not reserved, fails an assertion', () => {
    const fixture = new Fixture();
    const region = fixture.regions.map(new Uint8Array(1));
    assert.throws(() => fixture.sendQueue.attach(region, 1, 1), AssertionFault);
    assert.throws(() => fixture.sendQueue.commit(5), AssertionFault);
    assert.throws(() => fixture.sendQueue.sent(1), AssertionFault);
    fixture.write(5);
    fixture.sendQueue.flush();
    assert.throws(() => fixture.sendQueue.sent(6), AssertionFault);
  });

  it('a new connection begins empty', () => {
    const fixture = new Fixture();
    fixture.write(5);
    assert.throws(() => fixture.sendQueue.open(0), AssertionFault);
    fixture.drain();
    fixture.sendQueue.open(0);
    assert.equal(fixture.sendQueue.queuedTotal, 0);
    assert.equal(fixture.sendQueue.sentTotal, 0);
  });
});

describe('waiters', () => {
  /** Which of some promises have resolved by now. */
  async function resolved(promises: readonly Promise<void>[]): Promise<boolean[]> {
    const done = promises.map(() => false);
    promises.forEach((promise, at) => {
      void promise.then(() => {
        done[at] = true;
      });
    });
    await new Promise((resolve) => setImmediate(resolve));
    return done;
  }

  it('resolve when the bytes they wait for are sent', async () => {
    const fixture = new Fixture();
    fixture.attach(100);
    const { sendQueue } = fixture;
    const waiting = [0, 10, 50, 100, 10].map((target) => sendQueue.reached(target));
    assert.deepEqual(await resolved(waiting), [true, false, false, false, false]);
    sendQueue.flush();
    fixture.take(9);
    assert.deepEqual(await resolved(waiting), [true, false, false, false, false]);
    sendQueue.flush();
    fixture.take(41);
    assert.deepEqual(await resolved(waiting), [true, true, true, false, true]);
    sendQueue.flush();
    fixture.take();
    assert.deepEqual(await resolved(waiting), [true, true, true, true, true]);
  });

  /** A file is queued, and the system does not have its bytes in memory. */
  function readingFile(): Fixture {
    const fixture = new Fixture();
    const { driver, regions, sendQueue } = fixture;
    driver.files.set(5, new Uint8Array(100));
    const file = regions.mapFile(5, { file: 5, identity: 1, released() {} });
    assert.ok(file !== null);
    sendQueue.attach(file, 0, 100);
    sendQueue.flush();
    driver.failSend(fixture.slot, NOT_CACHED);
    fixture.reactor.turn();
    assert.ok(sendQueue.notCached() !== null);
    assert.ok(sendQueue.isWaitingForFile);
    return fixture;
  }

  function sendsAgain(fixture: Fixture): void {
    const { driver, sendQueue, slot } = fixture;
    assert.equal(sendQueue.isWaitingForFile, false);
    fixture.write(5);
    sendQueue.flush();
    assert.ok(driver.socket(slot).send !== null);
    fixture.take();
    assert.equal(sendQueue.waiting, 0);
  }

  it('resolve when what they wait for is dropped, and what follows is sent', async () => {
    const fixture = readingFile();
    const waiting = [fixture.sendQueue.reached(100)];
    assert.deepEqual(await resolved(waiting), [false]);
    fixture.sendQueue.drop();
    assert.deepEqual(await resolved(waiting), [true]);
    sendsAgain(fixture);
  });

  it('do not outlive a connection that closed during a read; the next one sends', async () => {
    const fixture = readingFile();
    const waiting = [fixture.sendQueue.reached(100)];
    fixture.sendQueue.clear();
    assert.deepEqual(await resolved(waiting), [true]);
    fixture.sendQueue.open(fixture.slot);
    sendsAgain(fixture);
  });

  it('make no promise where there is nothing to wait for', () => {
    const { sendQueue } = new Fixture();
    assert.equal(sendQueue.reached(0), sendQueue.reached(0));
  });

  it('resolve when the connection is reset', async () => {
    const fixture = new Fixture();
    fixture.attach(100);
    const waiting = [fixture.sendQueue.reached(50), fixture.sendQueue.reached(100)];
    fixture.sendQueue.resolveWaiters();
    assert.deepEqual(await resolved(waiting), [true, true]);
    fixture.sendQueue.resolveWaiters();
    const late = fixture.sendQueue.reached(100);
    assert.deepEqual(await resolved([late]), [false]);
    fixture.sendQueue.clear();
    assert.deepEqual(await resolved([late]), [true]);
  });
});

it('a connection that is reset releases all memory once its send completes', () => {
  const fixture = new Fixture();
  fixture.write(30);
  fixture.attach(100);
  fixture.write(30);
  fixture.sendQueue.flush();
  fixture.take(12);
  fixture.sendQueue.flush();
  fixture.reactor.reset(fixture.slot);
  fixture.reactor.turn();
  fixture.reactor.turn();
  assert.ok(fixture.isClosed);
  fixture.sendQueue.clear();
  fixture.checkGivenBack();
  fixture.sendQueue.clear();
  assert.equal(fixture.sendQueue.waiting, 0);
});
