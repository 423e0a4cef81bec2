// The reactor over a driver in memory: who is told what, in which order a socket ends, deadlines,
// and what stops and resumes taking clients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { ACCEPT_RETRY_MS, WRITE_CHECKS } from '../../src/base/fixed-limits.ts';
import { Slab } from '../../src/base/slab.ts';
import { Op } from '../../src/driver/driver.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import type { SocketOwner } from '../../src/reactor/sockets.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

const SLOTS = 3;
const Kind = { Short: 0, Long: 1, Write: 2, Idle: 3, Longest: 4 } as const;
const TIMEOUTS_MS = [50, 1000, 200, 80, 9000];

/** Writes down what it hears, and gives blocks back. */
class Listener implements SocketOwner {
  readonly heard: string[] = [];
  readonly #fixture: Fixture;
  /** Done when a deadline passes. */
  onDue: (kind: number) => void = () => {};

  constructor(fixture: Fixture) {
    this.#fixture = fixture;
  }

  received(result: number, block: number): void {
    this.heard.push(`received ${result}`);
    if (block >= 0) this.#fixture.slab.release(block);
  }

  sent(result: number): void {
    this.heard.push(`sent ${result}`);
  }

  due(kind: number): void {
    this.heard.push(`due ${kind}`);
    this.onDue(kind);
  }

  closed(): void {
    this.heard.push('closed');
  }

  yieldSlot(): boolean {
    return false;
  }
}

class Fixture {
  readonly slab = new Slab(64, 8);
  readonly driver = new FakeDriver(this.slab);
  readonly owners: Listener[] = [];
  readonly heard: string[] = [];
  readonly reactor: Reactor;

  constructor() {
    this.reactor = new Reactor({
      driver: this.driver,
      slab: this.slab,
      slots: SLOTS,
      timeoutsMs: TIMEOUTS_MS,
      sendTimeout: Kind.Write,
      backlog: 16,
      overload: null,
      events: {
        accepted: (slot) => {
          const owner = new Listener(this);
          this.owners[slot] = owner;
          this.heard.push(`accepted ${slot}`);
          return owner;
        },
        acceptFault: (result) => this.heard.push(`fault ${result}`),
        listenDone: (result) => this.heard.push(`listening ${result}`),
        unlistenDone: () => this.heard.push('unlistened'),
      },
    });
    this.reactor.listen({ host: '127.0.0.1', port: 0 });
    this.reactor.turn();
  }

  /** A new client's slot. */
  accept(): number {
    this.driver.arrive(100);
    this.reactor.turn();
    return Number(this.heard.at(-1)?.split(' ')[1]);
  }

  /** Lets time pass, then has a turn. */
  pass(ms: number): void {
    this.driver.nowMs += ms;
    this.driver.wallMs += ms;
    this.reactor.turn();
  }

  /** What a socket's owner heard since it was asked last. */
  news(slot: number): string[] {
    return this.owners[slot].heard.splice(0);
  }
}

describe('turns', () => {
  it('tell each owner what finished, and count it', () => {
    const fixture = new Fixture();
    const { reactor, driver } = fixture;
    const [one, two] = [fixture.accept(), fixture.accept()];
    reactor.receive(one);
    reactor.receive(two);
    reactor.send(two, 0, 0, 10, false);
    driver.deliver(one, Buffer.from('hello'));
    driver.finish(two);
    driver.take(two, 7);
    assert.equal(reactor.turn(), 3);
    assert.deepEqual(fixture.news(one), ['received 5']);
    assert.deepEqual(fixture.news(two), ['received 0', 'sent 7']);
    assert.equal(reactor.turn(), 0);
    assert.equal(reactor.receiving(one) || reactor.sending(two), false);
  });

  it('do not nest, and read the clocks once', () => {
    const fixture = new Fixture();
    const { reactor, driver } = fixture;
    const slot = fixture.accept();
    const at = reactor.nowMs;
    driver.nowMs += 5;
    driver.wallMs += 5;
    assert.equal(reactor.nowMs, at);
    fixture.owners[slot].sent = () => {
      assert.ok(reactor.inTurn);
      assert.throws(() => reactor.turn(), AssertionFault);
      assert.equal(reactor.nowMs, driver.nowMs);
      assert.equal(reactor.wallMs, driver.wallMs);
    };
    reactor.send(slot, 0, 0, 1, false);
    driver.take(slot);
    reactor.turn();
    assert.equal(reactor.inTurn, false);
  });

  it('know no operations but those of a server', () => {
    const fixture = new Fixture();
    fixture.driver.complete(Op.Connect, 0, 0);
    assert.throws(() => fixture.reactor.turn(), AssertionFault);
  });

  it('one receive and one send are in flight at most', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.receive(slot);
    fixture.reactor.send(slot, 0, 0, 1, false);
    assert.ok(fixture.reactor.receiving(slot) && fixture.reactor.sending(slot));
    assert.throws(() => fixture.reactor.receive(slot), AssertionFault);
    assert.throws(() => fixture.reactor.send(slot, 0, 0, 1, false), AssertionFault);
  });

  it('a client has an address', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    assert.deepEqual(fixture.reactor.peer(slot), { address: '192.0.2.1', port: 1000 + slot });
  });
});

describe('listening', () => {
  it('is told, and so is its end', () => {
    const fixture = new Fixture();
    fixture.reactor.unlisten(false);
    fixture.reactor.turn();
    assert.deepEqual(fixture.heard, ['listening 8080', 'unlistened']);
  });

  it('stops when every slot is taken, and goes on when one is free', () => {
    const fixture = new Fixture();
    const slots = Array.from({ length: SLOTS }, () => fixture.accept());
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    fixture.reactor.close(slots[1]);
    fixture.reactor.turn();
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.accept(), slots[1]);
  });

  it('rests after a fault, and tries again by itself', () => {
    const fixture = new Fixture();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    assert.equal(fixture.heard.at(-1), `fault ${-ERRNO.EMFILE}`);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    fixture.pass(ACCEPT_RETRY_MS - 1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 1);
    fixture.pass(1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('after a fault a socket that closes ends the rest early', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    fixture.reactor.close(slot);
    fixture.reactor.turn();
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('with every slot taken a fault does not make it go on', () => {
    const fixture = new Fixture();
    for (let count = 0; count < SLOTS; count++) fixture.accept();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    fixture.pass(ACCEPT_RETRY_MS);
    assert.equal(fixture.driver.calls.filter((call) => call === 'setAccepting false').length, 1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
  });

  it('once it is over nothing resumes it', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.arrive(-ERRNO.ENFILE);
    fixture.reactor.turn();
    fixture.reactor.unlisten(false);
    fixture.reactor.close(slot);
    fixture.pass(ACCEPT_RETRY_MS);
    assert.ok(!fixture.driver.calls.includes('setAccepting true'));
    assert.equal(fixture.heard.at(-1), 'unlistened');
  });
});

describe('the end of a socket', () => {
  it('with nothing in flight is an orderly close', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.close(slot);
    fixture.reactor.close(slot);
    assert.deepEqual(fixture.driver.calls.slice(1), [`close ${slot}`]);
    assert.deepEqual(fixture.news(slot), []);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
    assert.equal(fixture.reactor.sockets.openCount, 0);
  });

  it('with something in flight joins it first; the owner hears of sends alone', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.receive(slot);
    fixture.reactor.send(slot, 0, 0, 5, false);
    fixture.reactor.close(slot);
    assert.deepEqual(fixture.driver.calls.slice(1), [`abort ${slot}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.driver.calls.slice(1), [`abort ${slot}`, `close ${slot}`]);
    assert.deepEqual(fixture.news(slot), [`sent ${-ERRNO.ECANCELED}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
  });

  it('a block that came in meanwhile is given back, unread', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.receive(slot);
    fixture.driver.deliver(slot, Buffer.from('late'));
    fixture.reactor.close(slot);
    assert.equal(fixture.slab.freeCount, fixture.slab.blockCount - 1);
    fixture.reactor.turn();
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
    assert.equal(fixture.slab.freeCount, fixture.slab.blockCount);
  });

  it('as a reset is one also with nothing in flight', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.reset(slot);
    fixture.reactor.reset(slot);
    assert.deepEqual(fixture.driver.calls.slice(1), [`abort ${slot}`, `close ${slot}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
  });

  it('asks for nothing more', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.shutdownSend(slot);
    assert.ok(fixture.driver.socket(slot).isShut);
    fixture.reactor.receive(slot);
    fixture.reactor.close(slot);
    assert.throws(() => fixture.reactor.receive(slot), AssertionFault);
    assert.throws(() => fixture.reactor.send(slot, 0, 0, 1, false), AssertionFault);
    assert.throws(() => fixture.reactor.arm(slot, Kind.Long), AssertionFault);
    fixture.reactor.turn();
    fixture.reactor.turn();
    assert.throws(() => fixture.reactor.close(slot), AssertionFault);
  });

  it('the slot is free when its owner is told', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.owners[slot].closed = () => {
      assert.equal(fixture.reactor.sockets.openCount, 0);
      assert.equal(fixture.reactor.sockets.acquire(), slot);
    };
    fixture.reactor.close(slot);
    fixture.reactor.turn();
    assert.equal(fixture.reactor.sockets.openCount, 1);
  });
});

describe('deadlines', () => {
  it('are told when they pass, once', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.arm(slot, Kind.Long);
    assert.equal(fixture.reactor.armed(slot), Kind.Long);
    fixture.reactor.arm(slot, Kind.Short);
    assert.equal(fixture.reactor.armed(slot), Kind.Short);
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 50);
    fixture.pass(49);
    assert.deepEqual(fixture.news(slot), []);
    fixture.pass(1);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Short}`]);
    assert.equal(fixture.reactor.armed(slot), -1);
    fixture.pass(5000);
    assert.deepEqual(fixture.news(slot), []);
  });

  it('that are disarmed do not pass', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.arm(slot, Kind.Short);
    fixture.reactor.disarm(slot);
    fixture.pass(5000);
    assert.deepEqual(fixture.news(slot), []);
  });

  it('that are extended again and again pass when that stops, hardly late', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    for (let count = 0; count < 100; count++) {
      fixture.reactor.extend(slot, Kind.Idle);
      fixture.pass(7);
      assert.deepEqual(fixture.news(slot), []);
    }
    fixture.pass(80 - 7 - 1);
    assert.deepEqual(fixture.news(slot), []);
    fixture.pass(1 + 80 / 16);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Idle}`]);
  });

  it('armed outside of a turn count from now, and wake who sleeps', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    let wakes = 0;
    fixture.driver.wake = () => {
      wakes += 1;
    };
    fixture.driver.nowMs += 500;
    fixture.reactor.arm(slot, Kind.Short);
    assert.equal(wakes, 1);
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 50);
    fixture.owners[slot].onDue = () => fixture.reactor.arm(slot, Kind.Long);
    fixture.pass(50);
    assert.equal(wakes, 1, 'within a turn nobody sleeps');
  });

  it('of several sockets all pass, and those that close meanwhile do not', () => {
    const fixture = new Fixture();
    const [one, two, three] = [fixture.accept(), fixture.accept(), fixture.accept()];
    for (const slot of [one, two, three]) fixture.reactor.arm(slot, Kind.Short);
    fixture.owners[one].onDue = () => fixture.reactor.close(two);
    fixture.pass(60);
    assert.deepEqual(fixture.news(one), [`due ${Kind.Short}`]);
    assert.deepEqual(fixture.news(three), [`due ${Kind.Short}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(two), ['closed']);
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send that comes back with the next turn has none', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.driver.take(slot);
    fixture.reactor.turn();
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send that does not come back passes, beside what its owner waits for', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.arm(slot, Kind.Longest);
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 200);
    for (let look = 1; look < WRITE_CHECKS; look++) {
      fixture.pass(200);
      assert.deepEqual(fixture.news(slot), [], `look ${look}`);
    }
    fixture.pass(200);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Write}`]);
    assert.equal(fixture.reactor.armed(slot), Kind.Longest);
  });

  it('a send is late only when looks in a row find nothing acknowledged', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    const socket = fixture.driver.socket(slot);
    const look = (unacknowledged: number): string[] => {
      socket.unacknowledged = unacknowledged;
      fixture.pass(200);
      return fixture.news(slot);
    };
    // The first has nothing to compare with; less and more are progress, the same is none.
    const looks = [900, 900, 900, 900, 899, 899, 899, 899, 950, 950, 950, 950];
    for (const [index, left] of looks.entries()) assert.deepEqual(look(left), [], `${index}`);
    assert.deepEqual(look(950), [`due ${Kind.Write}`]);
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send begins its looks anew, whatever those of the send before found', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    const socket = fixture.driver.socket(slot);
    socket.unacknowledged = 900;
    for (let send = 0; send < 5; send++) {
      fixture.reactor.send(slot, 0, 0, 10, false);
      fixture.reactor.turn();
      for (let look = 0; look < WRITE_CHECKS; look++) fixture.pass(200);
      fixture.driver.take(slot);
      fixture.reactor.turn();
      assert.deepEqual(fixture.news(slot), ['sent 10']);
    }
  });

  it('of a driver is asked only while a send is late', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.calls.length = 0;
    for (let send = 0; send < 3; send++) {
      fixture.reactor.send(slot, 0, 0, 10, false);
      fixture.reactor.turn();
      fixture.pass(150);
      fixture.driver.take(slot);
      fixture.reactor.turn();
      fixture.pass(300);
    }
    assert.deepEqual(fixture.driver.calls, []);
  });

  it('a send that makes progress has its whole time again', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.owners[slot].sent = () => fixture.reactor.send(slot, 0, 5, 10, false);
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    for (let count = 0; count < 5; count++) {
      fixture.pass(150);
      fixture.driver.take(slot, 1);
      fixture.reactor.turn();
    }
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), []);
    for (let look = 0; look < WRITE_CHECKS; look++) {
      assert.deepEqual(fixture.news(slot), []);
      fixture.pass(200);
    }
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Write}`]);
  });
});

describe('a watch', () => {
  it('is told as a failed receive would be', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.watch(slot);
    fixture.reactor.watch(slot);
    fixture.driver.breakWatched(slot);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), [`received ${-ERRNO.ECONNRESET}`]);
    fixture.reactor.watch(slot);
    assert.ok(fixture.driver.socket(slot).watched, 'there may be another one');
  });

  it('is not asked for while a receive is in flight, which tells by itself', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.receive(slot);
    fixture.reactor.watch(slot);
    assert.equal(fixture.driver.socket(slot).watched, false);
  });

  it('that began before a receive leaves it to that one', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.watch(slot);
    fixture.reactor.receive(slot);
    fixture.driver.breakWatched(slot);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), []);
    fixture.driver.deliver(slot, Buffer.from('the last'));
    fixture.reactor.turn();
    fixture.reactor.watch(slot);
    fixture.driver.breakWatched(slot);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['received 8', `received ${-ERRNO.ECONNRESET}`]);
  });

  it('is joined before its socket is closed', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.watch(slot);
    fixture.driver.calls.length = 0;
    fixture.reactor.close(slot);
    assert.deepEqual(fixture.driver.calls, [`abort ${slot}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.driver.calls, [`abort ${slot}`, `close ${slot}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
  });
});

describe('looks at what was sent before our side was shut', () => {
  it('count in a row those without progress, until all is acknowledged', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    const socket = fixture.driver.socket(slot);
    fixture.reactor.shutdownSend(slot);
    const looks: number[] = [];
    for (const left of [500, 500, 500, 400, 400, 1, 0]) {
      socket.unacknowledged = left;
      looks.push(fixture.reactor.stalledChecks(slot));
    }
    assert.deepEqual(looks, [0, 1, 2, 0, 1, 0, -1]);
  });

  it('begin anew, whatever looks at sends had found', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.socket(slot).unacknowledged = 500;
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    for (let look = 0; look < WRITE_CHECKS; look++) fixture.pass(200);
    fixture.driver.take(slot);
    fixture.reactor.turn();
    fixture.reactor.shutdownSend(slot);
    assert.equal(fixture.reactor.stalledChecks(slot), 0);
    assert.equal(fixture.reactor.stalledChecks(slot), 1);
  });

  it('find nothing to wait for where nothing is known', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.shutdownSend(slot);
    assert.equal(fixture.reactor.stalledChecks(slot), -1);
  });
});
