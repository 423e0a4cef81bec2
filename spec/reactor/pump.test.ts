// The pump with Node's clock in the test's hand: when there are turns, when it sleeps, what wakes
// it.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { Slab } from '../../src/base/slab.ts';
import { Op } from '../../src/driver/driver.ts';
import { Pump } from '../../src/reactor/pump.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

class World {
  readonly driver: FakeDriver;
  readonly reactor: Reactor;
  readonly pump: Pump;
  readonly #context: TestContext;
  dues = 0;
  onSent: () => void = () => {};

  constructor(context: TestContext) {
    this.#context = context;
    context.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
    const slab = new Slab(64, 4);
    this.driver = new FakeDriver(slab);
    this.reactor = new Reactor({
      driver: this.driver,
      slab,
      slots: 2,
      timeoutsMs: [500, 60],
      sendTimeout: 1,
      backlog: 16,
      overload: null,
      events: {
        accepted: () => ({
          received() {},
          sent: () => this.onSent(),
          due: () => {
            this.dues += 1;
          },
          closed() {},
          yieldSlot: () => false,
        }),
        acceptFault() {},
        listening() {},
        unlistened() {},
      },
    });
    this.pump = new Pump(this.reactor);
  }

  /** Lets immediates run and `ms` pass, for Node and for the driver alike. */
  tick(ms = 0): void {
    this.driver.nowMs += ms;
    this.#context.mock.timers.tick(ms);
  }

  /** Ticks until nothing more happens. */
  settle(): void {
    for (let count = 0; count < 10 && !this.driver.isAsleep; count++) this.tick();
    assert.ok(this.driver.isAsleep, 'it goes to sleep');
  }
}

it('without anything to do it sleeps after a few turns', (context) => {
  const world = new World(context);
  assert.equal(world.driver.polls, 0);
  world.pump.start();
  world.settle();
  const { polls } = world.driver;
  assert.ok(polls >= 1 && polls < 10, `${polls} turns`);
  world.tick(10_000);
  assert.equal(world.driver.polls, polls);
});

it('what finishes wakes it', (context) => {
  const world = new World(context);
  world.pump.start();
  world.settle();
  const { polls } = world.driver;
  world.driver.arrive(1);
  assert.equal(world.driver.polls, polls, 'not within the call');
  world.settle();
  assert.ok(world.driver.polls > polls);
  assert.equal(world.reactor.sockets.openCount, 1);
});

it('while there is work it goes on, and lets others go on in between', (context) => {
  const world = new World(context);
  world.pump.start();
  world.settle();
  let sends = 0;
  world.onSent = () => {
    if (sends === 100) return;
    sends += 1;
    world.reactor.send(0, 0, 0, 1, false);
    world.driver.take(0);
  };
  world.driver.arrive(1);
  world.tick();
  let turnsOfOthers = 0;
  const other = () => {
    if (sends === 100) return;
    turnsOfOthers += 1;
    setImmediate(other);
  };
  world.onSent();
  other();
  for (let count = 0; count < 100 && sends < 100; count++) world.tick();
  assert.equal(sends, 100);
  assert.ok(turnsOfOthers > 3, `others had ${turnsOfOthers} turns in between`);
  world.settle();
});

it('who wants the time gets it after the turn', (context) => {
  const world = new World(context);
  world.pump.start();
  world.settle();
  world.driver.arrive(1);
  world.driver.arrive(2);
  const { polls } = world.driver;
  world.reactor.yieldWanted = true;
  let pollsThen = 0;
  setImmediate(() => {
    pollsThen = world.driver.polls;
  });
  world.tick();
  assert.equal(pollsThen, polls + 1);
  assert.equal(world.reactor.yieldWanted, false);
  world.settle();
});

it('a driver that refuses to sleep is asked again', (context) => {
  const world = new World(context);
  let refusals = 0;
  const sleep = world.driver.sleep.bind(world.driver);
  world.driver.sleep = () => {
    refusals += 1;
    return refusals > 3 && sleep();
  };
  world.pump.start();
  world.settle();
  assert.equal(refusals, 4);
});

it('a deadline wakes it, not before its time', (context) => {
  const world = new World(context);
  world.pump.start();
  world.driver.arrive(1);
  world.settle();
  world.reactor.arm(0, 0);
  world.settle();
  world.tick(499);
  assert.equal(world.dues, 0);
  world.tick(3);
  world.settle();
  assert.equal(world.dues, 1);
});

it('an earlier deadline goes before a later one, a timer too early does no harm', (context) => {
  const world = new World(context);
  world.pump.start();
  world.driver.arrive(1);
  world.driver.arrive(2);
  world.settle();
  world.reactor.arm(0, 0);
  world.settle();
  world.reactor.arm(1, 1);
  world.settle();
  world.tick(62);
  world.settle();
  assert.equal(world.dues, 1);
  // The first is put off: its timer comes too early and sleeps on.
  world.tick(300);
  world.reactor.arm(0, 0);
  world.settle();
  world.tick(300);
  world.settle();
  assert.equal(world.dues, 1);
  world.tick(300);
  world.settle();
  assert.equal(world.dues, 2);
});

it('once stopped there are no turns, whatever comes', (context) => {
  const world = new World(context);
  world.pump.start();
  world.driver.arrive(1);
  world.settle();
  world.reactor.arm(0, 0);
  world.pump.stop();
  const { polls } = world.driver;
  world.driver.complete(Op.Unlisten, -1, 0);
  world.tick(10_000);
  assert.equal(world.driver.polls, polls);
});

it('stopped before its first turn it has none', (context) => {
  const world = new World(context);
  world.pump.start();
  world.pump.stop();
  world.tick(100);
  assert.equal(world.driver.polls, 0);
});

it('stopped within a turn it has no other', (context) => {
  const world = new World(context);
  world.pump.start();
  world.driver.arrive(1);
  world.settle();
  world.onSent = () => world.pump.stop();
  world.reactor.send(0, 0, 0, 1, false);
  world.driver.take(0);
  const { polls } = world.driver;
  world.tick();
  world.tick(1000);
  assert.equal(world.driver.polls, polls + 1);
});

it('who waits between turns waits its time', async (context) => {
  const world = new World(context);
  let isOver = false;
  const waiting = world.pump.wait(50).then(() => {
    isOver = true;
  });
  world.tick(49);
  await Promise.resolve();
  assert.equal(isOver, false);
  world.tick(1);
  await waiting;
});
