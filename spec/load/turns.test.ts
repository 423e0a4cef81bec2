// Single turns of a load on a virtual clock: what each returns, how long the pump may sleep after
// it, and what the load reports about its phases.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Load } from '../../src/load/load.ts';
import { type LoadOptions, prepareLoad } from '../../src/load/options.ts';
import { Phase } from '../../src/load/phase.ts';
import { type Script, VirtualServer } from './fixtures/virtual-server.ts';

const silent: Script = { latencyMs: () => Number.POSITIVE_INFINITY };
const prompt: Script = { latencyMs: () => 1 };

class Fixture {
  readonly server: VirtualServer;
  readonly load: Load;
  readonly reported: string[] = [];
  /** How long each report takes. */
  reportMs = 0;

  constructor(options: Omit<LoadOptions, 'url'>, script: Script) {
    const prepared = prepareLoad({ url: 'http://127.0.0.1/', ...options });
    assert.ok('requests' in prepared, String(prepared));
    this.server = new VirtualServer(script);
    const plan = { ...prepared, address: { host: '127.0.0.1', port: 80 } };
    this.load = new Load(plan, this.server, this.server.slab, {
      counting: () => this.#note('counting'),
      counted: () => this.#note('counted'),
      secondEnded: () => this.#note('second'),
    });
    this.load.start();
  }

  #note(what: string): void {
    this.reported.push(`${what} ${this.server.nowMs}`);
    this.server.goTo(this.server.nowMs + this.reportMs);
  }

  /** A turn after so much time; returns its result. */
  after(ms: number): number {
    this.server.goTo(this.server.nowMs + ms);
    return this.load.turn();
  }

  /** Turns at this time, until one has nothing to do. */
  settle(): void {
    while (this.load.turn() > 0);
  }
}

describe('a turn', () => {
  it('returns completions and sends together, and sends so many at most', () => {
    const fixture = new Fixture({ rate: 1_000, durationMs: 10_000, connections: 2_000 }, silent);
    assert.equal(fixture.load.turn(), 128, 'connects at a time');
    // Further connects are made every 8 ms.
    while (fixture.load.phase !== Phase.Running) fixture.after(8);
    fixture.settle();
    assert.equal(fixture.server.sent.length, 1);
    // 1,500 requests are due: their sends, then the completions of as many sends.
    assert.equal(fixture.after(1_500), 1_024);
    assert.equal(fixture.load.turn(), 256 + 476);
    assert.equal(fixture.load.turn(), 256);
    assert.equal(fixture.server.sent.length, 1_501);
    assert.ok(fixture.load.lateMsMax <= 1_500 && fixture.load.lateMsMax > 1_498);
  });

  it('without work adds to the idle time, while requests are sent', () => {
    const fixture = new Fixture({ rate: 10, durationMs: 1_000, connections: 1 }, silent);
    fixture.settle();
    const { load } = fixture;
    assert.equal(load.rest.idleMs, 0);
    assert.equal(fixture.after(30), 0);
    assert.equal(load.rest.idleMs, 30);
    fixture.server.goTo(fixture.server.nowMs + 20);
    load.slept();
    fixture.after(1);
    assert.deepEqual([load.rest.idleMs, load.rest.sleptMs], [31, 20]);
    // Turns that took as long as these were paused by other processes.
    assert.equal(load.rest.idleCpuMs, 0.1);
    fixture.after(0.01);
    assert.ok(Math.abs(load.rest.idleCpuMs - 0.11) < 1e-6, `${load.rest.idleCpuMs}`);
  });

  it('with work takes until its end, which is no idle time of the next one', () => {
    const fixture = new Fixture({ rate: 1, durationMs: 9_000, connections: 9 }, silent);
    fixture.settle();
    fixture.reportMs = 40;
    // A request is due as the second ends, whose report takes time.
    assert.equal(fixture.after(1_000), 1);
    const { idleMs } = fixture.load.rest;
    fixture.settle();
    fixture.after(1);
    assert.equal(fixture.load.rest.idleMs - idleMs, 1);
  });

  it('after the end has nothing to do', () => {
    const fixture = new Fixture({ durationMs: 5, connections: 1 }, prompt);
    for (let count = 0; count < 100 && fixture.load.phase !== Phase.Closed; count++) {
      fixture.after(1);
    }
    assert.equal(fixture.load.phase, Phase.Closed);
    const idleMs = fixture.load.rest.idleMs;
    assert.equal(fixture.after(1_000), 0);
    assert.deepEqual([fixture.load.phase, fixture.load.rest.idleMs], [Phase.Closed, idleMs]);
    fixture.load.stop();
    assert.equal(fixture.load.phase, Phase.Closed);
    fixture.server.destroy();
  });
});

describe('the time until the next turn', () => {
  it('is that of the next due request, between 3 and 50 milliseconds', () => {
    const fixture = new Fixture({ rate: 10, durationMs: 10_000, connections: 1 }, prompt);
    fixture.settle();
    const quiet = (ms: number): number => {
      fixture.after(ms);
      return Math.round(fixture.load.quietMs() * 100) / 100;
    };
    assert.equal(quiet(2), 50, '98 ms, and no more than 50');
    assert.equal(quiet(58), 40);
    assert.equal(quiet(37), 3);
    assert.equal(quiet(0.5), 0, 'a shorter wait is not worth a sleep');
    assert.equal(quiet(1), 0);
  });

  it('of a closed loop has no due request', () => {
    const fixture = new Fixture({ durationMs: 10_000, connections: 1 }, silent);
    fixture.settle();
    assert.equal(fixture.load.quietMs(), 50);
  });

  it('is that of the next connect, when nothing can be sent', () => {
    const fixture = new Fixture(
      { rate: 1_000, durationMs: 10_000, connections: 1 },
      {
        latencyMs: () => 1,
        connects: (index) => (index === 0 ? 0 : -111),
        closesAtOnce: () => true,
      },
    );
    const { load } = fixture;
    for (
      let count = 0;
      count < 50 && load.pool.nextConnectMs === Number.POSITIVE_INFINITY;
      count++
    ) {
      fixture.after(1);
    }
    assert.equal(load.pool.openCount, 0);
    const waitMs = load.pool.nextConnectMs - fixture.server.nowMs;
    assert.ok(waitMs > 60, `${waitMs} ms`);
    assert.equal(load.quietMs(), 50, 'although requests are due');
    fixture.after(waitMs - 20);
    assert.ok(Math.abs(load.quietMs() - 20) < 0.01);
  });
});

describe('a load reports', () => {
  it('when it counts, and every second in between', () => {
    const fixture = new Fixture({ durationMs: 2_500, warmUpMs: 1_500, connections: 1 }, prompt);
    while (fixture.load.phase !== Phase.Closed) fixture.after(10);
    assert.deepEqual(fixture.reported, [
      'second 2010',
      'counting 2510',
      'second 3510',
      'second 4510',
      'counted 5010',
    ]);
    assert.deepEqual(
      fixture.load.recorder.seconds.map(({ endMs }) => endMs),
      [1_000, 2_000, 2_500],
    );
    fixture.server.destroy();
  });

  it('without a warm-up at once, and nothing twice', () => {
    const fixture = new Fixture({ rate: 100, durationMs: 1_000, connections: 1 }, prompt);
    while (fixture.load.phase !== Phase.Closed) fixture.after(5);
    assert.deepEqual(fixture.reported, ['counting 1005', 'counted 2005']);
  });
});

describe('a load that is stopped', () => {
  it('while it connects sends nothing, whatever connects later', () => {
    const fixture = new Fixture({ durationMs: 1_000, connections: 300 }, prompt);
    fixture.load.turn();
    fixture.load.stop();
    assert.equal(fixture.load.phase, Phase.Closing);
    for (let count = 0; count < 20; count++) fixture.after(1);
    assert.equal(fixture.load.phase, Phase.Closed);
    assert.deepEqual([fixture.server.sent.length, fixture.reported], [0, []]);
    assert.equal(fixture.load.isStopped, true);
    assert.equal(fixture.load.fault, 0);
    fixture.server.destroy();
  });

  it('while it drains closes at once', () => {
    const fixture = new Fixture({ rate: 100, durationMs: 50, connections: 8 }, silent);
    while (fixture.load.phase !== Phase.Draining) fixture.after(5);
    fixture.load.stop();
    assert.equal(fixture.load.phase, Phase.Closing);
    assert.deepEqual(fixture.load.recorder.errorCounts(), { unanswered: 5 });
  });
});

describe('a load whose connects fail', () => {
  it('closes when the first hundred have, and has their fault', () => {
    for (const [connections, tries] of [
      [3, 3],
      // As many again are on their way then.
      [1_000, 256],
    ] as const) {
      const fixture = new Fixture(
        { durationMs: 1_000, connections },
        { latencyMs: () => 1, connects: () => -111 },
      );
      for (let count = 0; count < 50 && fixture.load.phase !== Phase.Closed; count++) {
        fixture.after(0);
      }
      assert.equal(fixture.load.phase, Phase.Closed);
      assert.equal(fixture.load.fault, -111);
      assert.equal(fixture.server.addresses.length, tries);
      fixture.server.destroy();
    }
  });

  it('runs when one of them is open', () => {
    const fixture = new Fixture(
      { durationMs: 100, connections: 4 },
      { latencyMs: () => 1, connects: (index) => (index < 3 ? -111 : 0) },
    );
    while (fixture.load.phase !== Phase.Closed) fixture.after(1);
    assert.equal(fixture.load.fault, 0);
    assert.ok(fixture.load.recorder.responses > 0);
    assert.deepEqual(fixture.load.recorder.errorDetails(), { 'errno 111': 3 });
  });
});
