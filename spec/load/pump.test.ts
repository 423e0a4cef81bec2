// The pump of a load with mocked timers of Node: turns while there is work, then a sleep until a
// completion or the next due request, and one call at the end.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import type { Driver } from '../../src/driver/driver.ts';
import type { Load } from '../../src/load/load.ts';
import { Phase } from '../../src/load/phase.ts';
import { EMPTY_TURNS_MAX, LoadPump, TURNS_IN_A_ROW } from '../../src/load/pump.ts';

class Fixture {
  readonly calls: string[] = [];
  turns = 0;
  ends = 0;
  phase: Phase = Phase.Running;
  /** The result of a turn. */
  work: () => number = () => 0;
  quietMs = 40;
  canSleep = true;
  readonly driver: Pick<Driver, 'sleep' | 'wake'> = {
    sleep: () => {
      this.calls.push('sleep');
      return this.canSleep;
    },
    wake: () => {},
  };
  readonly #context: TestContext;

  constructor(context: TestContext) {
    this.#context = context;
    context.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
    const fixture = this;
    const load = {
      start: () => this.calls.push('start'),
      turn: () => {
        this.turns += 1;
        return this.work();
      },
      get phase() {
        return fixture.phase;
      },
      quietMs: () => this.quietMs,
      slept: () => this.calls.push('slept'),
    };
    const closed = (): void => {
      this.ends += 1;
    };
    new LoadPump(load as unknown as Load, this.driver as Driver, closed).start();
  }

  tick(ms = 0): void {
    this.#context.mock.timers.tick(ms);
  }

  /** The turns within a tick, and what was called. */
  during(ms: number): unknown[] {
    const { turns } = this;
    this.tick(ms);
    return [this.turns - turns, ...this.calls.splice(0)];
  }
}

it('starts the load at once, and its turns later', (context) => {
  const fixture = new Fixture(context);
  assert.deepEqual([fixture.turns, ...fixture.calls], [0, 'start']);
});

it('sleeps after some empty turns, for a little less than is quiet', (context) => {
  const fixture = new Fixture(context);
  assert.deepEqual(fixture.during(0), [EMPTY_TURNS_MAX + 1, 'start', 'sleep']);
  assert.deepEqual(fixture.during(37), [0]);
  // The next sleep begins after as many empty turns.
  assert.deepEqual(fixture.during(1), [EMPTY_TURNS_MAX + 1, 'slept', 'sleep']);
  fixture.quietMs = 1;
  assert.deepEqual(fixture.during(38), [EMPTY_TURNS_MAX + 1, 'slept', 'sleep']);
  fixture.quietMs = 3;
  assert.deepEqual(fixture.during(0), [0]);
  assert.deepEqual(fixture.during(1), [EMPTY_TURNS_MAX + 1, 'slept', 'sleep'], 'at least 1 ms');
});

it('a turn with work starts the count of empty turns again', (context) => {
  const fixture = new Fixture(context);
  fixture.work = () => (fixture.turns === EMPTY_TURNS_MAX ? 1 : 0);
  assert.deepEqual(fixture.during(0), [2 * EMPTY_TURNS_MAX + 1, 'start', 'sleep']);
});

it('a wake ends the sleep and its timer, once', (context) => {
  const fixture = new Fixture(context);
  fixture.tick();
  fixture.calls.length = 0;
  fixture.driver.wake(false);
  fixture.driver.wake(false);
  assert.deepEqual(fixture.calls, ['slept'], 'no turn within the call');
  assert.deepEqual(fixture.during(0), [EMPTY_TURNS_MAX + 1, 'slept', 'sleep']);
  // The timer of the first sleep would fire now.
  fixture.quietMs = 40;
  assert.deepEqual(fixture.during(37), [0]);
  assert.deepEqual(fixture.during(1), [EMPTY_TURNS_MAX + 1, 'slept', 'sleep']);
});

it('a wake while it is awake does nothing', (context) => {
  const fixture = new Fixture(context);
  fixture.driver.wake(false);
  assert.deepEqual(fixture.during(0), [EMPTY_TURNS_MAX + 1, 'start', 'sleep']);
});

it('does not sleep while nothing is quiet, or the driver has completions', (context) => {
  for (const isQuiet of [false, true]) {
    context.mock.timers.reset();
    const fixture = new Fixture(context);
    if (isQuiet) fixture.canSleep = false;
    else fixture.quietMs = 0;
    const most = 1_000;
    fixture.work = () => {
      if (fixture.turns === most) fixture.phase = Phase.Closed;
      return 0;
    };
    for (let count = 0; count < most && fixture.ends === 0; count++) fixture.tick();
    assert.equal(fixture.turns, most);
    assert.equal(fixture.calls.includes('sleep'), isQuiet);
  }
});

it('lets Node run after so many turns with work', (context) => {
  const fixture = new Fixture(context);
  fixture.work = () => 1;
  const seen: number[] = [];
  const note = (): void => {
    seen.push(fixture.turns);
    if (seen.length < 2) setImmediate(note);
    else fixture.phase = Phase.Closed;
  };
  setImmediate(note);
  for (let count = 0; count < 4; count++) fixture.tick();
  assert.deepEqual(seen, [TURNS_IN_A_ROW, 2 * TURNS_IN_A_ROW]);
});

it('ends with the load, and says so once', (context) => {
  const fixture = new Fixture(context);
  fixture.work = () => {
    if (fixture.turns === 3) fixture.phase = Phase.Closed;
    return 1;
  };
  assert.deepEqual(fixture.during(1_000), [3, 'start']);
  assert.equal(fixture.ends, 1);
});
