// Who gets a slot over a driver in memory: waiting, making room, turning away.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ACCEPT_RETRY_MS } from '../../src/base/fixed-limits.ts';
import { Slab } from '../../src/base/slab.ts';
import { ERRNO, Op } from '../../src/driver/driver.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

const SLOTS = 2;
const EXTRA_SLOTS = 2;
const WAIT_MS = 100;
const Kind = { Idle: 0, Write: 1 } as const;

class World {
  readonly slab = new Slab(64, 8);
  readonly driver = new FakeDriver(this.slab);
  readonly reactor: Reactor;
  /** Slots in the order they were given, with '503' behind those of clients turned away. */
  readonly given: string[] = [];
  readonly idle: Set<number> = new Set();
  /** Whether those who make room take their time to end. */
  lingers = false;

  constructor(waitMs = WAIT_MS) {
    this.reactor = new Reactor({
      driver: this.driver,
      slab: this.slab,
      slots: SLOTS + EXTRA_SLOTS,
      timeoutsMs: [60_000, 60_000],
      sendTimeout: Kind.Write,
      backlog: 4,
      overload: { extraSlots: EXTRA_SLOTS, waitMs, idleTimeout: Kind.Idle },
      events: {
        accepted: (slot, overloaded) => {
          this.given.push(overloaded ? `${slot} 503` : String(slot));
          if (!overloaded) this.reactor.arm(slot, Kind.Idle);
          return {
            received() {},
            sent() {},
            due() {},
            closed() {},
            yieldSlot: () => {
              if (this.idle.has(slot) && !this.lingers) this.reactor.close(slot);
              return this.idle.delete(slot);
            },
          };
        },
        acceptFault() {},
        listening() {},
        unlistened() {},
      },
    });
    this.reactor.listen({ host: '127.0.0.1', port: 0 });
    this.reactor.turn();
  }

  arrive(...handles: number[]): void {
    for (const handle of handles) this.driver.arrive(handle);
    this.reactor.turn();
  }

  pass(ms: number): void {
    this.driver.nowMs += ms;
    this.reactor.turn();
  }

  close(slot: number): void {
    this.reactor.close(slot);
    this.reactor.turn();
  }
}

it('clients taken beyond the free slots wait for one, in their order', () => {
  const world = new World();
  world.arrive(11, 12, 13, 14);
  assert.deepEqual(world.given, ['0', '1']);
  assert.equal(world.reactor.waitingCount, 2);
  assert.equal(world.driver.calls.at(-1), 'accepting false');
  world.close(1);
  assert.deepEqual(world.given, ['0', '1', '1']);
  assert.equal(world.driver.calls.includes('accepting true'), false, 'somebody still waits');
  world.close(0);
  assert.equal(world.reactor.waitingCount, 0);
  world.close(0);
  assert.equal(world.driver.calls.at(-1), 'accepting true');
  assert.deepEqual(world.driver.refused, []);
});

it('a slot that comes free begins the wait anew', () => {
  const world = new World();
  world.arrive(11, 12, 13, 14);
  world.pass(WAIT_MS - 1);
  world.close(0);
  world.pass(WAIT_MS - 1);
  assert.deepEqual(world.given, ['0', '1', '0']);
  world.pass(1);
  assert.deepEqual(world.given, ['0', '1', '0', '2 503']);
});

it('when the wait is over clients are turned away, as many at once as there are slots', () => {
  const world = new World();
  world.arrive(11, 12, 13, 14, 15);
  world.pass(WAIT_MS);
  assert.deepEqual(world.given.slice(2), ['2 503', '3 503']);
  assert.equal(world.driver.calls.includes('accepting true'), false, 'no slot is left');
  world.close(3);
  assert.deepEqual(world.given.slice(4), ['3 503']);
  world.close(3);
  assert.equal(world.driver.calls.at(-1), 'accepting true', 'who comes now hears of it at once');
  world.arrive(16);
  assert.deepEqual(world.given.slice(5), ['3 503']);
  world.close(0);
  world.close(2);
  world.arrive(17);
  assert.equal(world.given.length, 7);
  assert.doesNotMatch(world.given[6], /503/, 'a slot is free again');
  world.arrive(18);
  assert.equal(world.reactor.waitingCount, 1, 'and a new wait begins');
});

it('the idlest connection makes room, if it was idle for long enough', () => {
  const world = new World();
  world.arrive(11);
  world.pass(10);
  world.arrive(12);
  world.idle.add(0).add(1);
  world.pass(WAIT_MS);
  world.arrive(13);
  assert.deepEqual(world.given, ['0', '1', '2']);
  assert.ok(world.driver.calls.includes('close 0'), 'the first was idle for longest');
  world.arrive(14);
  assert.ok(world.driver.calls.includes('close 1'));
  assert.equal(world.given.length, 4);
  world.arrive(15);
  assert.match(world.given[4], /503/, 'those in use stay');
});

it('who makes room may take its time, until no place is left', () => {
  const world = new World();
  world.lingers = true;
  world.arrive(11, 12);
  world.idle.add(0).add(1);
  world.pass(WAIT_MS);
  const closes = (): string[] => world.driver.calls.filter((call) => call.startsWith('close'));
  world.arrive(13);
  world.pass(WAIT_MS);
  world.arrive(14);
  world.pass(WAIT_MS);
  assert.deepEqual(world.given, ['0', '1', '2', '3']);
  assert.deepEqual(closes(), ['close 0'], 'one place is kept ready, that of who left first');
  world.idle.add(2);
  world.arrive(15);
  assert.deepEqual(world.given.slice(4), ['0']);
  assert.deepEqual(closes(), ['close 0', 'close 1']);
});

it('who made room and has gone is not closed again', () => {
  const world = new World();
  world.lingers = true;
  world.arrive(11, 12);
  world.idle.add(0).add(1);
  world.pass(WAIT_MS);
  world.arrive(13);
  world.pass(WAIT_MS);
  world.close(0);
  world.arrive(14);
  assert.deepEqual(world.given, ['0', '1', '2', '0']);
  world.pass(WAIT_MS);
  world.close(1);
  world.idle.add(2);
  world.pass(WAIT_MS);
  world.arrive(15);
  const closes = world.driver.calls.filter((call) => call.startsWith('close'));
  assert.deepEqual(closes, ['close 0', 'close 1']);
});

it('without a limit everybody waits for ever', () => {
  const world = new World(0);
  world.arrive(11, 12, 13);
  world.idle.add(0).add(1);
  world.pass(1_000_000);
  assert.equal(world.reactor.waitingCount, 1);
  assert.equal(world.given.length, 2);
});

it('a fault while clients are turned away still rests accept()', () => {
  const world = new World();
  world.arrive(11, 12);
  world.arrive(-ERRNO.EMFILE);
  assert.equal(world.driver.calls.at(-1), 'accepting false');
  world.pass(WAIT_MS);
  assert.equal(world.driver.calls.includes('accepting true'), false);
  world.pass(ACCEPT_RETRY_MS);
  assert.equal(world.driver.calls.at(-1), 'accepting true');
});

it('after unlisten() those who wait still get their slots; turnAway() cuts them off', () => {
  const world = new World();
  world.arrive(11, 12, 13, 14);
  world.reactor.unlisten(false);
  world.driver.complete(Op.Accept, -1, 15);
  world.reactor.turn();
  assert.equal(world.reactor.waitingCount, 3);
  world.close(0);
  assert.equal(world.given.length, 3);
  world.reactor.turnAway();
  assert.deepEqual(world.driver.refused, [14, 15]);
  assert.equal(world.reactor.waitingCount, 0);
});
