// The pump with mocked timers of Node: when turns run, when it sleeps, what wakes it.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { it, type TestContext } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { Slab } from '../../src/base/slab.ts';
import { Op } from '../../src/driver/driver.ts';
import { Pump, TURNS_IN_A_ROW } from '../../src/reactor/pump.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

class Fixture {
  readonly driver: FakeDriver;
  readonly reactor: Reactor;
  readonly pump: Pump;
  readonly #context: TestContext;
  dues = 0;
  onSent: () => void = () => {};
  onDue: () => void = () => {};

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
            this.onDue();
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

/** A timer that setTimeout() made. */
class RecordedTimer {
  readonly fire: () => void;
  readonly ms: number;
  isHeld = true;
  isCleared = false;

  constructor(fire: () => void, ms: number) {
    this.fire = fire;
    this.ms = ms;
  }

  ref(): void {
    this.isHeld = true;
  }

  unref(): void {
    this.isHeld = false;
  }
}

/** The timers that are made from now on; none fires by itself. */
function recordTimers(context: TestContext): RecordedTimer[] {
  const timers: RecordedTimer[] = [];
  context.mock.method(globalThis, 'setTimeout', (fire: () => void, ms: number) => {
    const timer = new RecordedTimer(fire, ms);
    timers.push(timer);
    return timer;
  });
  context.mock.method(globalThis, 'clearTimeout', (timer?: RecordedTimer) => {
    if (timer !== undefined) timer.isCleared = true;
  });
  return timers;
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
  const timers = recordTimers(context);
  void fixture.pump.pause(2 ** 40);
  void fixture.pump.pause(5);
  // One round of Node's loop, without a timer.
  void fixture.pump.pause(0);
  assert.deepEqual(
    timers.map(({ ms }) => ms),
    [2 ** 31 - 1, 5],
  );
  assert.ok(!timers.some(({ isHeld }) => isHeld), 'and does not keep the process alive');
});

it('started again it has a timer for a deadline no earlier than the last one', (context) => {
  const fixture = new Fixture(context);
  const { driver, pump, reactor } = fixture;
  pump.start();
  driver.arrive(1);
  fixture.settle();
  reactor.arm(0, 0);
  for (let count = 0; count < 3; count++) fixture.tick();
  assert.ok(driver.isAsleep, 'with a timer');
  pump.stop();
  driver.isAsleep = false;
  pump.start();
  fixture.settle();
  fixture.tick(502);
  fixture.settle();
  assert.equal(fixture.dues, 1);
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

it('runs so many turns in a row, and one more without completions before it sleeps', (context) => {
  const fixture = new Fixture(context);
  const { driver, pump, reactor } = fixture;
  pump.start();
  driver.arrive(1);
  fixture.settle();
  let sends = 0;
  const send = (): void => {
    sends += 1;
    reactor.send(0, 0, 0, 1, false);
    driver.take(0);
  };
  fixture.onSent = () => {
    if (sends < TURNS_IN_A_ROW + 2) send();
  };
  const { polls } = driver;
  const pollsThen: number[] = [];
  send();
  // It runs behind the first batch, and again behind the second.
  const note = (): void => {
    pollsThen.push(driver.polls - polls);
    if (pollsThen.length < 2) setImmediate(note);
  };
  setImmediate(note);
  fixture.settle();
  fixture.tick();
  assert.deepEqual(pollsThen, [TURNS_IN_A_ROW, TURNS_IN_A_ROW + 3], 'the last one had none');
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
  const timers = recordTimers(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.driver.arrive(2);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.tick();
  fixture.settle();
  const [first] = timers;
  assert.ok(first.isHeld);
  fixture.pump.hold(false);
  assert.equal(first.isHeld, false, 'the timer that runs');
  fixture.pump.hold(true);
  assert.ok(first.isHeld);
  fixture.pump.hold(false);
  fixture.reactor.arm(1, 1);
  fixture.tick();
  fixture.settle();
  assert.equal(timers.length, 2);
  assert.equal(timers[1].isHeld, false, 'and the next one');
});

it('one timer runs: of the next deadline, a little late, at most the longest', (context) => {
  const fixture = new Fixture(context);
  const timers = recordTimers(context);
  const { driver, pump, reactor } = fixture;
  const rests = (): RecordedTimer[] => timers.filter(({ isCleared }) => !isCleared);
  pump.start();
  driver.arrive(1);
  driver.arrive(2);
  fixture.settle();
  let dueMs = driver.nowMs + 2 ** 40;
  context.mock.method(reactor, 'nextDueMs', () => dueMs);
  for (const [waitMs, timerMs] of [
    [2 ** 40, 2 ** 31 - 1],
    [500, 501],
    [60, 61],
    // It has passed meanwhile.
    [-10, 1],
  ]) {
    dueMs = driver.nowMs + waitMs;
    driver.wake(false);
    fixture.tick();
    fixture.settle();
    assert.equal(timers.at(-1)?.ms, timerMs);
    assert.equal(rests().length, 1, 'the earlier timer was cleared');
  }
  const { length } = timers;
  dueMs += 1000;
  driver.wake(false);
  fixture.tick();
  fixture.settle();
  assert.equal(timers.length, length, 'a timer that is due before stays');
  pump.stop();
  assert.deepEqual(rests(), []);
});

it('a timer runs no turn within its call, but after what Node has read', (context) => {
  const fixture = new Fixture(context);
  const timers = recordTimers(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.reactor.arm(0, 1);
  fixture.tick();
  fixture.settle();
  fixture.driver.nowMs += 61;
  const { polls } = fixture.driver;
  timers[0].fire();
  assert.equal(fixture.driver.polls, polls);
  fixture.tick();
  assert.equal(fixture.dues, 1);
  // The next deadline has a timer of its own.
  fixture.reactor.arm(0, 1);
  fixture.tick();
  fixture.settle();
  assert.equal(timers.length, 2);
});

it('woken by Node itself a turn runs at once, and only the first wake counts', (context) => {
  const fixture = new Fixture(context);
  const { driver, pump } = fixture;
  pump.start();
  fixture.settle();
  const { polls } = driver;
  const { wake } = driver;
  wake(true);
  assert.ok(driver.polls > polls);
  assert.ok(driver.isAsleep);
  const immediates = context.mock.method(globalThis, 'setImmediate', () => {});
  wake(false);
  wake(false);
  wake(true);
  assert.equal(immediates.mock.callCount(), 1);
});

it('a turn has no asynchronous context of the handler that woke it', async (context) => {
  const fixture = new Fixture(context);
  // The mocked setImmediate() of the other tests has no contexts.
  context.mock.timers.reset();
  const { driver, pump } = fixture;
  const storage = new AsyncLocalStorage<string>();
  pump.start();
  while (!driver.isAsleep) await nextRound();
  const stores: (string | undefined)[] = [];
  const poll = driver.poll.bind(driver);
  driver.poll = (out) => {
    stores.push(storage.getStore());
    return poll(out);
  };
  storage.run('a request', () => driver.wake(false));
  while (stores.length === 0) await nextRound();
  pump.stop();
  assert.deepEqual([...new Set(stores)], [undefined]);
});

it('an error of a turn that Node itself woke is thrown again outside of that call', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.settle();
  const later: (() => void)[] = [];
  fixture.driver.poll = () => {
    throw new Error('an assertion');
  };
  const nextTick = context.mock.method(process, 'nextTick', (run: () => void) => later.push(run));
  fixture.driver.wake(true);
  // Node needs its own to report a failure.
  nextTick.mock.restore();
  assert.equal(later.length, 1);
  assert.throws(later[0], /an assertion/);
});

it('stopped by a deadline the driver is not asked to sleep: it may be gone', (context) => {
  const fixture = new Fixture(context);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.reactor.arm(0, 1);
  fixture.tick(30);
  fixture.onDue = () => fixture.pump.stop();
  fixture.driver.sleep = () => assert.fail('a stopped pump sleeps');
  fixture.tick(32);
  fixture.tick();
  assert.equal(fixture.dues, 1);
});

it('without deadlines there is no timer', (context) => {
  const fixture = new Fixture(context);
  const timers = recordTimers(context);
  fixture.pump.start();
  fixture.settle();
  fixture.driver.arrive(1);
  fixture.settle();
  assert.deepEqual(timers, []);
  fixture.reactor.arm(0, 0);
  fixture.tick();
  fixture.driver.wake(false);
  fixture.tick();
  assert.equal(timers.length, 1, 'the timer of a deadline is made once');
});

it('a wake before the first turn, or after stop(), starts nothing', (context) => {
  const fixture = new Fixture(context);
  const { driver, pump } = fixture;
  const immediates = context.mock.method(globalThis, 'setImmediate');
  driver.wake(false);
  assert.equal(immediates.mock.callCount(), 0);
  pump.start();
  driver.wake(false);
  assert.equal(immediates.mock.callCount(), 1, 'that of start()');
  fixture.settle();
  pump.stop();
  immediates.mock.resetCalls();
  driver.wake(false);
  driver.wake(true);
  assert.equal(immediates.mock.callCount(), 0);
});

it('without a timer hold() decides for the next one', (context) => {
  const fixture = new Fixture(context);
  const timers = recordTimers(context);
  fixture.pump.hold(true);
  fixture.pump.hold(false);
  fixture.pump.start();
  fixture.driver.arrive(1);
  fixture.settle();
  fixture.reactor.arm(0, 0);
  fixture.tick();
  assert.deepEqual(
    timers.map(({ isHeld }) => isHeld),
    [false],
  );
});
