// The outbox over a driver in memory: bytes go out once, in order, however few the client takes,
// and everything that held them is given back once.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AssertionFault } from '../../src/base/assert.ts';
import { Slab } from '../../src/base/slab.ts';
import { Outbox } from '../../src/connection/send-queue.ts';
import { SpanPool } from '../../src/connection/span.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { Regions } from '../../src/reactor/regions.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';
import { seeded } from '../../testing/splits.ts';

const BLOCK_BYTES = 64;
const BLOCKS = 3;

/** One connection of which only the outbox is there. */
class World {
  readonly slab = new Slab(BLOCK_BYTES, BLOCKS);
  readonly driver = new FakeDriver(this.slab);
  readonly regions = new Regions(this.driver);
  readonly spans = new SpanPool();
  readonly reactor: Reactor;
  readonly outbox: Outbox;
  readonly slot: number;
  /** All that was queued, in order. */
  queued: number[] = [];
  #next = 0;
  isClosed = false;

  constructor() {
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
            if (result > 0) this.outbox.sent(result);
          },
          due() {},
          closed: () => {
            this.isClosed = true;
          },
          yieldSlot: () => false,
        }),
        acceptFault() {},
        listening() {},
        unlistened() {},
      },
    });
    this.outbox = new Outbox(this.reactor, this.spans);
    this.driver.arrive(1);
    this.reactor.turn();
    this.slot = 0;
    this.outbox.open(this.slot);
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
    const at = this.outbox.reserve(count);
    if (at < 0) return false;
    this.slab.bytes.set(this.#bytes(count), at);
    this.outbox.commit(at + count);
    return true;
  }

  attach(count: number): void {
    // Two bytes around that are not to be sent.
    const bytes = new Uint8Array(count + 2).fill(0xee);
    bytes.set(this.#bytes(count), 1);
    this.outbox.attach(this.regions.map(bytes), 1, count + 1);
  }

  /** The client takes some of what is on its way. */
  take(bytesMax?: number): void {
    if (!this.reactor.sending(this.slot)) return;
    this.driver.take(this.slot, bytesMax);
    this.reactor.turn();
  }

  drain(): void {
    for (let count = 0; count < 10_000 && this.outbox.waiting > 0; count++) {
      this.outbox.flush();
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
  it('bytes go out once and in order, whatever the order of calls', (context) => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.record({ attach: fc.integer({ min: 1, max: 150 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 80 }) }),
      // Room that was asked for and is not used, as for text that turns out to be another.
      fc.record({ unused: fc.integer({ min: 1, max: BLOCK_BYTES }) }),
      fc.constant('flush' as const),
    );
    const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      const { outbox } = world;
      for (const one of steps) {
        if (one === 'flush') outbox.flush();
        else if ('write' in one) world.write(one.write);
        else if ('attach' in one) world.attach(one.attach);
        else if ('take' in one) world.take(one.take);
        else outbox.reserve(one.unused);
        assert.equal(outbox.queuedTotal, world.queued.length);
        assert.equal(outbox.sentTotal, world.output.length);
        assert.equal(outbox.waiting, world.queued.length - world.output.length);
        assert.deepEqual(world.output, world.queued.slice(0, world.output.length));
      }
      world.drain();
      assert.deepEqual(world.output, world.queued);
      outbox.clear();
      world.checkGivenBack();
    });
    fc.assert(property, seeded(context, 500));
  });

  it('what is written one after the other goes out in one send', () => {
    const world = new World();
    for (const count of [10, 20, 30]) assert.ok(world.write(count));
    world.outbox.flush();
    const { send } = world.driver.socket(world.slot);
    assert.equal((send?.end ?? 0) - (send?.start ?? 0), 60);
    assert.equal(send?.more, false);
    world.take();
    world.checkGivenBack();
  });

  it('what is written while a send is in flight waits in the same block', () => {
    const world = new World();
    world.write(10);
    world.outbox.flush();
    world.write(10);
    assert.equal(world.slab.freeCount, BLOCKS - 1);
    world.take(4);
    world.outbox.flush();
    world.take();
    assert.deepEqual(world.output, world.queued);
    world.checkGivenBack();
  });

  it('says that more follows when it does', () => {
    const world = new World();
    world.write(10);
    world.attach(10);
    world.outbox.flush();
    assert.equal(world.driver.socket(world.slot).send?.more, true);
    world.take();
    world.outbox.flush();
    assert.equal(world.driver.socket(world.slot).send?.more, false);
    world.take();
    world.checkGivenBack();
  });

  it('flushing nothing, or twice, sends nothing more', () => {
    const world = new World();
    world.outbox.flush();
    assert.equal(world.reactor.sending(world.slot), false);
    world.attach(5);
    world.outbox.flush();
    world.outbox.flush();
    world.take();
    assert.deepEqual(world.output, world.queued);
  });

  it('a region is mapped until its last byte is sent, also when somebody else holds it', () => {
    const world = new World();
    const region = world.regions.map(new Uint8Array(10));
    region.hold();
    world.outbox.attach(region, 0, 10);
    world.outbox.flush();
    world.take(9);
    assert.equal(world.driver.regionCount, 1);
    world.outbox.flush();
    world.take(1);
    assert.equal(world.driver.regionCount, 1);
    region.release();
    world.checkGivenBack();
  });

  it('one region stands in the queue more than once', () => {
    const world = new World();
    const region = world.regions.map(Uint8Array.from([1, 2, 3, 4]));
    region.hold();
    world.outbox.attach(region, 2, 4);
    world.outbox.attach(region, 0, 2);
    world.drain();
    assert.deepEqual(world.output, [3, 4, 1, 2]);
    world.checkGivenBack();
  });
});

describe('room', () => {
  it('there is none for more than a block, nor without a free block', () => {
    const world = new World();
    assert.equal(world.outbox.reserve(BLOCK_BYTES + 1), -1);
    for (let count = 0; count < BLOCKS; count++) assert.ok(world.write(BLOCK_BYTES));
    assert.equal(world.outbox.reserve(1), -1);
    world.outbox.flush();
    world.take();
    assert.ok(world.write(1));
    world.drain();
    world.checkGivenBack();
  });

  it('that was not used is used next', () => {
    const world = new World();
    const at = world.outbox.reserve(50);
    assert.equal(world.outbox.reserve(BLOCK_BYTES), at);
    assert.equal(world.slab.freeCount, BLOCKS - 1);
    world.outbox.clear();
    world.checkGivenBack();
  });

  it('an empty span, or one that nobody reserved, is a mistake of ours', () => {
    const world = new World();
    const region = world.regions.map(new Uint8Array(1));
    assert.throws(() => world.outbox.attach(region, 1, 1), AssertionFault);
    assert.throws(() => world.outbox.commit(5), AssertionFault);
    assert.throws(() => world.outbox.sent(1), AssertionFault);
    world.write(5);
    world.outbox.flush();
    assert.throws(() => world.outbox.sent(6), AssertionFault);
  });

  it('a new connection begins with nothing', () => {
    const world = new World();
    world.write(5);
    assert.throws(() => world.outbox.open(0), AssertionFault);
    world.drain();
    world.outbox.open(0);
    assert.equal(world.outbox.queuedTotal, 0);
    assert.equal(world.outbox.sentTotal, 0);
  });
});

describe('those who wait', () => {
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

  it('go on when what they wait for is sent', async () => {
    const world = new World();
    world.attach(100);
    const { outbox } = world;
    const waiting = [0, 10, 50, 100, 10].map((target) => outbox.reached(target));
    assert.deepEqual(await resolved(waiting), [true, false, false, false, false]);
    outbox.flush();
    world.take(9);
    assert.deepEqual(await resolved(waiting), [true, false, false, false, false]);
    outbox.flush();
    world.take(41);
    assert.deepEqual(await resolved(waiting), [true, true, true, false, true]);
    outbox.flush();
    world.take();
    assert.deepEqual(await resolved(waiting), [true, true, true, true, true]);
  });

  it('make no promise of their own where nothing is to be waited for', () => {
    const { outbox } = new World();
    assert.equal(outbox.reached(0), outbox.reached(0));
  });

  it('go on when the connection is lost', async () => {
    const world = new World();
    world.attach(100);
    const waiting = [world.outbox.reached(50), world.outbox.reached(100)];
    world.outbox.giveUp();
    assert.deepEqual(await resolved(waiting), [true, true]);
    world.outbox.giveUp();
    const late = world.outbox.reached(100);
    assert.deepEqual(await resolved([late]), [false]);
    world.outbox.clear();
    assert.deepEqual(await resolved([late]), [true]);
  });
});

it('a connection that breaks gives everything back once its send is', () => {
  const world = new World();
  world.write(30);
  world.attach(100);
  world.write(30);
  world.outbox.flush();
  world.take(12);
  world.outbox.flush();
  world.reactor.reset(world.slot);
  world.reactor.turn();
  world.reactor.turn();
  assert.ok(world.isClosed);
  world.outbox.clear();
  world.checkGivenBack();
  world.outbox.clear();
  assert.equal(world.outbox.waiting, 0);
});
