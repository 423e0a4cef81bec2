// The pump with mocked timers of Node: when turns run, when it sleeps, what wakes it.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { Slab } from '../../src/base/slab.ts';
import { Op } from '../../src/driver/driver.ts';
import { Pump } from '../../src/reactor/pump.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

class Fixture {
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
          evict: () => false,
        }),
        acceptFault() {},
        listenDone() {},
        unlistenDone() {},
      },
    });
    this.pump = new Pump(this.reactor);
  }

  /** Runs immediates, and advances the clocks of Node and of the driver by `ms`. */
  tick(ms = 0): void {
    this.driver.nowMs += ms;
    this.#context.mock.timers.tick(ms);
  }

  /** Ticks until the driver sleeps. */
  settle(): void {
    for (let count = 0; count < 10 && !this.driver.isAsleep; count++) this.tick();
    assert.ok(this.driver.isAsleep, 'it sleeps');
  }
}

it('without completions it sleeps after a few turns', (context) => {
  const fixture = new Fixture(context);
  assert.equal(fixture.driver.polls, 0);
  fixture.pump.start();
  fixture.settle();
  const { polls } = fixture.driver;
  assert.ok(polls >= 1 && polls < 10, `${polls} turns`);
  fixture.tick(10_000);
  assert.equal(fixture.driver.polls, polls);
});

it('a completion wakes it', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.settle();
  const { polls } = fixture.driver;
  fixture.driver.arrive(1);
  assert.equal(fixture.driver.polls, polls, 'not within the call');
  fixture.settle();
  assert.ok(fixture.driver.polls > polls);
  assert.equal(fixture.reactor.sockets.openCount, 1);
});

it('a pause takes no more than a timer does, which would end at once', (context) => {
  const fixture = new Fixture(context);
  const asked: unknown[] = [];
  context.mock.method(globalThis, 'setTimeout', (_run: unknown, ms: unknown) => {
    asked.push(ms);
    return { unref() {} };
  });
  void fixture.pump.pause(2 ** 40);
  void fixture.pump.pause(5);
  assert.deepEqual(asked, [2 ** 31 - 1, 5]);
});

it('while there is work turns continue, and Node runs other callbacks between them', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.settle();
  let sends = 0;
  fixture.onSent = () => {
    if (sends === 100) return;
    sends += 1;
    fixture.reactor.send(0, 0, 0, 1, false);
    fixture.driver.take(0);
  };
  fixture.driver.arrive(1);
  fixture.tick();
  let turnsOfOthers = 0;
  const other = () => {
    if (sends === 100) return;
    turnsOfOthers += 1;
    setImmediate(other);
  };
  fixture.onSent();
  other();
  for (let count = 0; count < 100 && sends < 100; count++) fixture.tick();
  assert.equal(sends, 100);
  assert.ok(turnsOfOthers > 3, `other callbacks ran ${turnsOfOthers} times`);
  fixture.settle();
});

it('yieldWanted lets Node run after the turn', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.settle();
  fixture.driver.arrive(1);
  fixture.driver.arrive(2);
  const { polls } = fixture.driver;
  fixture.reactor.yieldWanted = true;
  let pollsThen = 0;
  setImmediate(() => {
    pollsThen = fixture.driver.polls;
  });
  fixture.tick();
  assert.equal(pollsThen, polls + 1);
  assert.equal(fixture.reactor.yieldWanted, false);
  fixture.settle();
});

it('a driver that does not sleep is polled again', (context) => {
  const fixture = new Fixture(context);
  let refusals = 0;
  const sleep = fixture.driver.sleep.bind(fixture.driver);
  fixture.driver.sleep = () => {
    refusals += 1;
    return refusals > 3 && sleep();
  };
  fixture.pump.start();
  fixture.settle();
  assert.equal(refusals, 4);
});

it('a deadline wakes it, not early', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.settle();
  fixture.tick(499);
  assert.equal(fixture.dues, 0);
  fixture.tick(3);
  fixture.settle();
  assert.equal(fixture.dues, 1);
});

it('an earlier deadline replaces a later timer, an early timer does no harm', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.driver.arrive(2);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.settle();
  fixture.reactor.arm(1, 1);
  fixture.settle();
  fixture.tick(62);
  fixture.settle();
  assert.equal(fixture.dues, 1);
  // The first is extended: its timer fires early, and the pump sleeps again.
  fixture.tick(300);
  fixture.reactor.arm(0, 0);
  fixture.settle();
  fixture.tick(300);
  fixture.settle();
  assert.equal(fixture.dues, 1);
  fixture.tick(300);
  fixture.settle();
  assert.equal(fixture.dues, 2);
});

it('after stop() no turn runs, whatever completes', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.pump.stop();
  const { polls } = fixture.driver;
  fixture.driver.complete(Op.Unlisten, -1, 0);
  fixture.tick(10_000);
  assert.equal(fixture.driver.polls, polls);
});

it('stopped before its first turn it runs none', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.pump.stop();
  fixture.tick(100);
  assert.equal(fixture.driver.polls, 0);
});

it('stopped within a turn it runs no other', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.onSent = () => fixture.pump.stop();
  fixture.reactor.send(0, 0, 0, 1, false);
  fixture.driver.take(0);
  const { polls } = fixture.driver;
  fixture.tick();
  fixture.tick(1000);
  assert.equal(fixture.driver.polls, polls + 1);
});

it('wait() takes its time', async (context) => {
  const fixture = new Fixture(context);
  let isOver = false;
  const waiting = fixture.pump.wait(50).then(() => {
    isOver = true;
  });
  fixture.tick(49);
  await Promise.resolve();
  assert.equal(isOver, false);
  fixture.tick(1);
  await waiting;
});

it('its timer keeps the process alive, unless hold() says otherwise', (context) => {
  const fixture = new Fixture(context);
  let isHeld = false;
  const timer = {
    ref() {
      isHeld = true;
    },
    unref() {
      isHeld = false;
    },
  };
  context.mock.method(globalThis, 'setTimeout', () => {
    isHeld = true;
    return timer;
  });
  context.mock.method(globalThis, 'clearTimeout', () => {});
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.driver.arrive(2);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.tick();
  fixture.settle();
  assert.ok(isHeld);
  fixture.pump.hold(false);
  assert.equal(isHeld, false, 'the timer that runs');
  fixture.pump.hold(true);
  assert.ok(isHeld);
  fixture.pump.hold(false);
  isHeld = true;
  fixture.reactor.arm(1, 1);
  fixture.tick();
  fixture.settle();
  assert.equal(isHeld, false, 'and the next one');
});
