// The reactor over a driver in memory: who is told what, in which order a socket ends, deadlines,
// and what stops and resumes taking clients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { ACCEPT_RETRY_MS, WRITE_LOOKS } from '../../src/base/fixed-limits.ts';
import { Slab } from '../../src/base/slab.ts';
import { ERRNO, Op } from '../../src/driver/driver.ts';
import { Reactor } from '../../src/reactor/reactor.ts';
import type { SocketOwner } from '../../src/reactor/sockets.ts';
import { FakeDriver } from '../../testing/fake-driver.ts';

const SLOTS = 3;
const Kind = { Short: 0, Long: 1, Write: 2, Idle: 3, Longest: 4 } as const;
const TIMEOUTS_MS = [50, 1000, 200, 80, 9000];

/** Writes down what it hears, and gives blocks back. */
class Listener implements SocketOwner {
  readonly heard: string[] = [];
  readonly #world: World;
  /** Done when a deadline passes. */
  onDue: (kind: number) => void = () => {};

  constructor(world: World) {
    this.#world = world;
  }

  received(result: number, block: number): void {
    this.heard.push(`received ${result}`);
    if (block >= 0) this.#world.slab.release(block);
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

class World {
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
        listening: (result) => this.heard.push(`listening ${result}`),
        unlistened: () => this.heard.push('unlistened'),
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
    const world = new World();
    const { reactor, driver } = world;
    const [one, two] = [world.accept(), world.accept()];
    reactor.receive(one);
    reactor.receive(two);
    reactor.send(two, 0, 0, 10, false);
    driver.deliver(one, Buffer.from('hello'));
    driver.finish(two);
    driver.take(two, 7);
    assert.equal(reactor.turn(), 3);
    assert.deepEqual(world.news(one), ['received 5']);
    assert.deepEqual(world.news(two), ['received 0', 'sent 7']);
    assert.equal(reactor.turn(), 0);
    assert.equal(reactor.receiving(one) || reactor.sending(two), false);
  });

  it('do not nest, and read the clocks once', () => {
    const world = new World();
    const { reactor, driver } = world;
    const slot = world.accept();
    const at = reactor.nowMs;
    driver.nowMs += 5;
    driver.wallMs += 5;
    assert.equal(reactor.nowMs, at);
    world.owners[slot].sent = () => {
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
    const world = new World();
    world.driver.complete(Op.Connect, 0, 0);
    assert.throws(() => world.reactor.turn(), AssertionFault);
  });

  it('one receive and one send are in flight at most', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.receive(slot);
    world.reactor.send(slot, 0, 0, 1, false);
    assert.ok(world.reactor.receiving(slot) && world.reactor.sending(slot));
    assert.throws(() => world.reactor.receive(slot), AssertionFault);
    assert.throws(() => world.reactor.send(slot, 0, 0, 1, false), AssertionFault);
  });

  it('a client has an address', () => {
    const world = new World();
    const slot = world.accept();
    assert.deepEqual(world.reactor.peer(slot), { address: '192.0.2.1', port: 1000 + slot });
  });
});

describe('listening', () => {
  it('is told, and so is its end', () => {
    const world = new World();
    world.reactor.unlisten(false);
    world.reactor.turn();
    assert.deepEqual(world.heard, ['listening 8080', 'unlistened']);
  });

  it('stops when every slot is taken, and goes on when one is free', () => {
    const world = new World();
    const slots = Array.from({ length: SLOTS }, () => world.accept());
    assert.equal(world.driver.calls.at(-1), 'accepting false');
    world.reactor.close(slots[1]);
    world.reactor.turn();
    assert.equal(world.driver.calls.at(-1), 'accepting true');
    assert.equal(world.accept(), slots[1]);
  });

  it('rests after a fault, and tries again by itself', () => {
    const world = new World();
    world.driver.arrive(-ERRNO.EMFILE);
    world.reactor.turn();
    assert.equal(world.heard.at(-1), `fault ${-ERRNO.EMFILE}`);
    assert.equal(world.driver.calls.at(-1), 'accepting false');
    world.pass(ACCEPT_RETRY_MS - 1);
    assert.equal(world.driver.calls.at(-1), 'accepting false');
    assert.equal(world.reactor.nextDueMs(), world.driver.nowMs + 1);
    world.pass(1);
    assert.equal(world.driver.calls.at(-1), 'accepting true');
    assert.equal(world.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('after a fault a socket that closes ends the rest early', () => {
    const world = new World();
    const slot = world.accept();
    world.driver.arrive(-ERRNO.EMFILE);
    world.reactor.turn();
    world.reactor.close(slot);
    world.reactor.turn();
    assert.equal(world.driver.calls.at(-1), 'accepting true');
    assert.equal(world.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('with every slot taken a fault does not make it go on', () => {
    const world = new World();
    for (let count = 0; count < SLOTS; count++) world.accept();
    world.driver.arrive(-ERRNO.EMFILE);
    world.reactor.turn();
    world.pass(ACCEPT_RETRY_MS);
    assert.equal(world.driver.calls.filter((call) => call === 'accepting false').length, 1);
    assert.equal(world.driver.calls.at(-1), 'accepting false');
  });

  it('once it is over nothing resumes it', () => {
    const world = new World();
    const slot = world.accept();
    world.driver.arrive(-ERRNO.ENFILE);
    world.reactor.turn();
    world.reactor.unlisten(false);
    world.reactor.close(slot);
    world.pass(ACCEPT_RETRY_MS);
    assert.ok(!world.driver.calls.includes('accepting true'));
    assert.equal(world.heard.at(-1), 'unlistened');
  });
});

describe('the end of a socket', () => {
  it('with nothing in flight is an orderly close', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.close(slot);
    world.reactor.close(slot);
    assert.deepEqual(world.driver.calls.slice(1), [`close ${slot}`]);
    assert.deepEqual(world.news(slot), []);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['closed']);
    assert.equal(world.reactor.sockets.openCount, 0);
  });

  it('with something in flight joins it first; the owner hears of sends alone', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.receive(slot);
    world.reactor.send(slot, 0, 0, 5, false);
    world.reactor.close(slot);
    assert.deepEqual(world.driver.calls.slice(1), [`abort ${slot}`]);
    world.reactor.turn();
    assert.deepEqual(world.driver.calls.slice(1), [`abort ${slot}`, `close ${slot}`]);
    assert.deepEqual(world.news(slot), [`sent ${-ERRNO.ECANCELED}`]);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['closed']);
  });

  it('a block that came in meanwhile is given back, unread', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.receive(slot);
    world.driver.deliver(slot, Buffer.from('late'));
    world.reactor.close(slot);
    assert.equal(world.slab.freeCount, world.slab.blockCount - 1);
    world.reactor.turn();
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['closed']);
    assert.equal(world.slab.freeCount, world.slab.blockCount);
  });

  it('as a reset is one also with nothing in flight', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.reset(slot);
    world.reactor.reset(slot);
    assert.deepEqual(world.driver.calls.slice(1), [`abort ${slot}`, `close ${slot}`]);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['closed']);
  });

  it('asks for nothing more', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.shutdownSend(slot);
    assert.ok(world.driver.socket(slot).isShut);
    world.reactor.receive(slot);
    world.reactor.close(slot);
    assert.throws(() => world.reactor.receive(slot), AssertionFault);
    assert.throws(() => world.reactor.send(slot, 0, 0, 1, false), AssertionFault);
    assert.throws(() => world.reactor.arm(slot, Kind.Long), AssertionFault);
    world.reactor.turn();
    world.reactor.turn();
    assert.throws(() => world.reactor.close(slot), AssertionFault);
  });

  it('the slot is free when its owner is told', () => {
    const world = new World();
    const slot = world.accept();
    world.owners[slot].closed = () => {
      assert.equal(world.reactor.sockets.openCount, 0);
      assert.equal(world.reactor.sockets.acquire(), slot);
    };
    world.reactor.close(slot);
    world.reactor.turn();
    assert.equal(world.reactor.sockets.openCount, 1);
  });
});

describe('deadlines', () => {
  it('are told when they pass, once', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.arm(slot, Kind.Long);
    assert.equal(world.reactor.armed(slot), Kind.Long);
    world.reactor.arm(slot, Kind.Short);
    assert.equal(world.reactor.armed(slot), Kind.Short);
    assert.equal(world.reactor.nextDueMs(), world.driver.nowMs + 50);
    world.pass(49);
    assert.deepEqual(world.news(slot), []);
    world.pass(1);
    assert.deepEqual(world.news(slot), [`due ${Kind.Short}`]);
    assert.equal(world.reactor.armed(slot), -1);
    world.pass(5000);
    assert.deepEqual(world.news(slot), []);
  });

  it('that are disarmed do not pass', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.arm(slot, Kind.Short);
    world.reactor.disarm(slot);
    world.pass(5000);
    assert.deepEqual(world.news(slot), []);
  });

  it('that are extended again and again pass when that stops, hardly late', () => {
    const world = new World();
    const slot = world.accept();
    for (let count = 0; count < 100; count++) {
      world.reactor.extend(slot, Kind.Idle);
      world.pass(7);
      assert.deepEqual(world.news(slot), []);
    }
    world.pass(80 - 7 - 1);
    assert.deepEqual(world.news(slot), []);
    world.pass(1 + 80 / 16);
    assert.deepEqual(world.news(slot), [`due ${Kind.Idle}`]);
  });

  it('armed outside of a turn count from now, and wake who sleeps', () => {
    const world = new World();
    const slot = world.accept();
    let wakes = 0;
    world.driver.wake = () => {
      wakes += 1;
    };
    world.driver.nowMs += 500;
    world.reactor.arm(slot, Kind.Short);
    assert.equal(wakes, 1);
    assert.equal(world.reactor.nextDueMs(), world.driver.nowMs + 50);
    world.owners[slot].onDue = () => world.reactor.arm(slot, Kind.Long);
    world.pass(50);
    assert.equal(wakes, 1, 'within a turn nobody sleeps');
  });

  it('of several sockets all pass, and those that close meanwhile do not', () => {
    const world = new World();
    const [one, two, three] = [world.accept(), world.accept(), world.accept()];
    for (const slot of [one, two, three]) world.reactor.arm(slot, Kind.Short);
    world.owners[one].onDue = () => world.reactor.close(two);
    world.pass(60);
    assert.deepEqual(world.news(one), [`due ${Kind.Short}`]);
    assert.deepEqual(world.news(three), [`due ${Kind.Short}`]);
    world.reactor.turn();
    assert.deepEqual(world.news(two), ['closed']);
    assert.equal(world.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send that comes back with the next turn has none', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.send(slot, 0, 0, 10, false);
    world.driver.take(slot);
    world.reactor.turn();
    assert.equal(world.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send that does not come back passes, beside what its owner waits for', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.arm(slot, Kind.Longest);
    world.reactor.send(slot, 0, 0, 10, false);
    world.reactor.turn();
    assert.equal(world.reactor.nextDueMs(), world.driver.nowMs + 200);
    for (let look = 1; look < WRITE_LOOKS; look++) {
      world.pass(200);
      assert.deepEqual(world.news(slot), [], `look ${look}`);
    }
    world.pass(200);
    assert.deepEqual(world.news(slot), [`due ${Kind.Write}`]);
    assert.equal(world.reactor.armed(slot), Kind.Longest);
  });

  it('a send is late only when looks in a row find nothing acknowledged', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.send(slot, 0, 0, 10, false);
    world.reactor.turn();
    const socket = world.driver.socket(slot);
    const look = (unacknowledged: number): string[] => {
      socket.unacknowledged = unacknowledged;
      world.pass(200);
      return world.news(slot);
    };
    // The first has nothing to compare with; less and more are progress, the same is none.
    const looks = [900, 900, 900, 900, 899, 899, 899, 899, 950, 950, 950, 950];
    for (const [index, left] of looks.entries()) assert.deepEqual(look(left), [], `${index}`);
    assert.deepEqual(look(950), [`due ${Kind.Write}`]);
    assert.equal(world.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a send begins its looks anew, whatever those of the send before found', () => {
    const world = new World();
    const slot = world.accept();
    const socket = world.driver.socket(slot);
    socket.unacknowledged = 900;
    for (let send = 0; send < 5; send++) {
      world.reactor.send(slot, 0, 0, 10, false);
      world.reactor.turn();
      for (let look = 0; look < WRITE_LOOKS; look++) world.pass(200);
      world.driver.take(slot);
      world.reactor.turn();
      assert.deepEqual(world.news(slot), ['sent 10']);
    }
  });

  it('of a driver is asked only while a send is late', () => {
    const world = new World();
    const slot = world.accept();
    world.driver.calls.length = 0;
    for (let send = 0; send < 3; send++) {
      world.reactor.send(slot, 0, 0, 10, false);
      world.reactor.turn();
      world.pass(150);
      world.driver.take(slot);
      world.reactor.turn();
      world.pass(300);
    }
    assert.deepEqual(world.driver.calls, []);
  });

  it('a send that makes progress has its whole time again', () => {
    const world = new World();
    const slot = world.accept();
    world.owners[slot].sent = () => world.reactor.send(slot, 0, 5, 10, false);
    world.reactor.send(slot, 0, 0, 10, false);
    world.reactor.turn();
    for (let count = 0; count < 5; count++) {
      world.pass(150);
      world.driver.take(slot, 1);
      world.reactor.turn();
    }
    world.reactor.turn();
    assert.deepEqual(world.news(slot), []);
    for (let look = 0; look < WRITE_LOOKS; look++) {
      assert.deepEqual(world.news(slot), []);
      world.pass(200);
    }
    assert.deepEqual(world.news(slot), [`due ${Kind.Write}`]);
  });
});

describe('a watch', () => {
  it('is told as a failed receive would be', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.watch(slot);
    world.reactor.watch(slot);
    world.driver.breakWatched(slot);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), [`received ${-ERRNO.ECONNRESET}`]);
    world.reactor.watch(slot);
    assert.ok(world.driver.socket(slot).watched, 'there may be another one');
  });

  it('is not asked for while a receive is in flight, which tells by itself', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.receive(slot);
    world.reactor.watch(slot);
    assert.equal(world.driver.socket(slot).watched, false);
  });

  it('that began before a receive leaves it to that one', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.watch(slot);
    world.reactor.receive(slot);
    world.driver.breakWatched(slot);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), []);
    world.driver.deliver(slot, Buffer.from('the last'));
    world.reactor.turn();
    world.reactor.watch(slot);
    world.driver.breakWatched(slot);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['received 8', `received ${-ERRNO.ECONNRESET}`]);
  });

  it('is joined before its socket is closed', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.watch(slot);
    world.driver.calls.length = 0;
    world.reactor.close(slot);
    assert.deepEqual(world.driver.calls, [`abort ${slot}`]);
    world.reactor.turn();
    assert.deepEqual(world.driver.calls, [`abort ${slot}`, `close ${slot}`]);
    world.reactor.turn();
    assert.deepEqual(world.news(slot), ['closed']);
  });
});

describe('looks at what was sent before our side was shut', () => {
  it('count in a row those without progress, until all is acknowledged', () => {
    const world = new World();
    const slot = world.accept();
    const socket = world.driver.socket(slot);
    world.reactor.shutdownSend(slot);
    const looks: number[] = [];
    for (const left of [500, 500, 500, 400, 400, 1, 0]) {
      socket.unacknowledged = left;
      looks.push(world.reactor.quietLooks(slot));
    }
    assert.deepEqual(looks, [0, 1, 2, 0, 1, 0, -1]);
  });

  it('begin anew, whatever looks at sends had found', () => {
    const world = new World();
    const slot = world.accept();
    world.driver.socket(slot).unacknowledged = 500;
    world.reactor.send(slot, 0, 0, 10, false);
    world.reactor.turn();
    for (let look = 0; look < WRITE_LOOKS; look++) world.pass(200);
    world.driver.take(slot);
    world.reactor.turn();
    world.reactor.shutdownSend(slot);
    assert.equal(world.reactor.quietLooks(slot), 0);
    assert.equal(world.reactor.quietLooks(slot), 1);
  });

  it('find nothing to wait for where nothing is known', () => {
    const world = new World();
    const slot = world.accept();
    world.reactor.shutdownSend(slot);
    assert.equal(world.reactor.quietLooks(slot), -1);
  });
});
