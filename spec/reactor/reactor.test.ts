// The reactor over a driver in memory: what it reports to owners, the order in which a socket
// closes, deadlines, and what pauses and resumes accept().

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AssertionFault } from '../../src/base/assert.ts';
import { ERRNO } from '../../src/base/errno.ts';
import { ACCEPT_RETRY_MS, WRITE_CHECKS } from '../../src/base/fixed-limits.ts';
import { Op } from '../../src/driver/driver.ts';
import { Fixture, Kind, SLOTS } from './fixtures/reactor-fixture.ts';

describe('turns', () => {
  it('report completions to each owner, and count them', () => {
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

  it('assert on operations that a server does not start', () => {
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
  it('is reported, and so is its end', () => {
    const fixture = new Fixture();
    fixture.reactor.unlisten(false);
    fixture.reactor.turn();
    assert.deepEqual(fixture.events, ['listenDone 8080', 'unlistenDone']);
  });

  it('pauses when all slots are used, and resumes when one is free', () => {
    const fixture = new Fixture();
    const slots = Array.from({ length: SLOTS }, () => fixture.accept());
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    fixture.reactor.close(slots[1]);
    fixture.reactor.turn();
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.accept(), slots[1]);
  });

  it('pauses after a fault, and is retried by itself', () => {
    const fixture = new Fixture();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    assert.equal(fixture.events.at(-1), `fault ${-ERRNO.EMFILE}`);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    fixture.pass(ACCEPT_RETRY_MS - 1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 1);
    fixture.pass(1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('after a fault a socket that closes ends the pause early', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    fixture.reactor.close(slot);
    fixture.reactor.turn();
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('with all slots used it does not resume after a fault', () => {
    const fixture = new Fixture();
    for (let count = 0; count < SLOTS; count++) fixture.accept();
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    fixture.pass(ACCEPT_RETRY_MS);
    assert.equal(fixture.driver.calls.filter((call) => call === 'setAccepting false').length, 1);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
  });

  it('after unlisten() nothing resumes it', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.driver.arrive(-ERRNO.ENFILE);
    fixture.reactor.turn();
    fixture.reactor.unlisten(false);
    fixture.reactor.close(slot);
    fixture.pass(ACCEPT_RETRY_MS);
    assert.ok(!fixture.driver.calls.includes('setAccepting true'));
    assert.equal(fixture.events.at(-1), 'unlistenDone');
  });

  it('only while it lasts clients of other listeners are accepted', () => {
    const fixture = new Fixture();
    fixture.reactor.acceptAlso(7, true);
    assert.equal(fixture.driver.calls.at(-1), 'acceptAlso 7 true');
    fixture.reactor.unlisten(false);
    fixture.reactor.acceptAlso(8, true);
    fixture.reactor.acceptAlso(7, false);
    assert.equal(fixture.driver.calls.at(-1), 'unlisten');
  });
});

describe('turns', () => {
  it('are metered, with what further polls return, and end when the reactor rests', () => {
    const seen: string[] = [];
    const meter = {
      isOpen: false,
      polled: (nowMs: number, completions: number) => seen.push(`${nowMs}: ${completions}`),
    };
    const fixture = new Fixture(meter);
    const { driver, reactor } = fixture;
    const slot = fixture.accept();
    reactor.receive(slot);
    reactor.arm(slot, Kind.Short);
    seen.length = 0;
    const now = driver.now.bind(driver);
    driver.now = () => {
      driver.now = now;
      driver.deliver(slot, new Uint8Array(5));
      driver.nowMs += 500;
      return now();
    };
    reactor.turn();
    const lateMs = driver.nowMs;
    assert.deepEqual(seen.splice(0), [`${lateMs}: 0`, `${lateMs}: 1`]);
    driver.nowMs += 7;
    reactor.rest();
    assert.deepEqual(seen, [], 'no turn is open');
    meter.isOpen = true;
    reactor.rest();
    assert.deepEqual(seen, [`${lateMs + 7}: 0`]);
  });
});

describe('closing a socket', () => {
  it('with nothing in flight closes it without a reset', () => {
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

  it('awaits what is in flight first; the owner gets completions of sends alone', () => {
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

  it('releases a block received meanwhile, unread', () => {
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

  it('by a reset resets also with nothing in flight', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.reset(slot);
    fixture.reactor.reset(slot);
    assert.deepEqual(fixture.driver.calls.slice(1), [`abort ${slot}`, `close ${slot}`]);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), ['closed']);
  });

  it('starts nothing more', () => {
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

  it('frees the slot before closed() of its owner', () => {
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
  it('do not pass over what came while the process was paused after a poll', () => {
    const fixture = new Fixture();
    const { driver, reactor } = fixture;
    const slot = fixture.accept();
    reactor.receive(slot);
    reactor.arm(slot, Kind.Short);
    const owner = fixture.owners[slot];
    owner.received = (result, block) => {
      owner.events.push(`received ${result}`);
      fixture.slab.release(block);
      reactor.arm(slot, Kind.Long);
    };
    const now = driver.now.bind(driver);
    // Between poll() and the clock: bytes arrive, and the process continues long afterwards.
    driver.now = () => {
      driver.now = now;
      driver.deliver(slot, new Uint8Array(5));
      driver.nowMs += 500;
      return now();
    };
    assert.equal(reactor.turn(), 1);
    assert.deepEqual(fixture.news(slot), ['received 5']);
    assert.equal(reactor.armed(slot), Kind.Long);
    // Without news it passes as ever.
    fixture.pass(1000);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Long}`]);
  });

  it('pass by the clock of their turn, however long its further polls take', () => {
    const fixture = new Fixture();
    const { driver, reactor } = fixture;
    const slots = [fixture.accept(), fixture.accept()];
    reactor.receive(slots[0]);
    reactor.arm(slots[0], Kind.Short);
    reactor.arm(slots[1], Kind.Long);
    driver.nowMs += 40;
    const now = driver.now.bind(driver);
    driver.now = () => {
      driver.now = now;
      driver.deliver(slots[0], new Uint8Array(5));
      driver.nowMs += 10;
      return now();
    };
    // The process pauses again: what came for the second client by now was not polled.
    fixture.owners[slots[0]].received = (_result, block) => {
      fixture.slab.release(block);
      driver.nowMs += 5000;
    };
    reactor.turn();
    assert.deepEqual(fixture.news(slots[1]), []);
    reactor.turn();
    assert.deepEqual(fixture.news(slots[1]), [`due ${Kind.Long}`]);
  });

  it('do not pass over what only a further poll returns', () => {
    const fixture = new Fixture();
    const { driver, reactor } = fixture;
    const slots = [fixture.accept(), fixture.accept(), fixture.accept()];
    for (const slot of slots) {
      reactor.receive(slot);
      reactor.arm(slot, Kind.Short);
    }
    for (const [index, slot] of slots.entries()) {
      fixture.owners[slot].received = (_result, block) => {
        fixture.slab.release(block);
        reactor.arm(slot, Kind.Long);
        // As a driver that returns a part of what there is.
        if (index < 2) driver.deliver(slots[index + 1], new Uint8Array(5));
      };
    }
    const now = driver.now.bind(driver);
    driver.now = () => {
      driver.now = now;
      driver.deliver(slots[0], new Uint8Array(5));
      driver.nowMs += 500;
      return now();
    };
    assert.equal(reactor.turn(), 3);
    for (const slot of slots) {
      assert.deepEqual(fixture.news(slot), []);
      assert.equal(reactor.armed(slot), Kind.Long);
    }
  });

  it('are reported when they pass, once', () => {
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

  it('that are extended repeatedly pass when that stops, hardly late', () => {
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

  it('armed outside of a turn count from now, and wake the pump', () => {
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
    assert.equal(wakes, 1, 'within a turn the pump does not sleep');
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

  it('a send that completes within the next turn has none', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.driver.take(slot);
    fixture.reactor.turn();
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('that of a send that does not complete passes, in addition to that of the owner', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.arm(slot, Kind.Longest);
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    assert.equal(fixture.reactor.nextDueMs(), fixture.driver.nowMs + 200);
    for (let check = 1; check < WRITE_CHECKS; check++) {
      fixture.pass(200);
      assert.deepEqual(fixture.news(slot), [], `check ${check}`);
    }
    fixture.pass(200);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Write}`]);
    assert.equal(fixture.reactor.armed(slot), Kind.Longest);
  });

  it('a send is late only when checks in a row find nothing acknowledged', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    const socket = fixture.driver.socket(slot);
    const check = (unacknowledged: number): string[] => {
      socket.unacknowledged = unacknowledged;
      fixture.pass(200);
      return fixture.news(slot);
    };
    // The first has nothing to compare with; less and more are progress, the same is none.
    const checks = [900, 900, 900, 900, 899, 899, 899, 899, 950, 950, 950, 950];
    for (const [index, left] of checks.entries()) assert.deepEqual(check(left), [], `${index}`);
    assert.deepEqual(check(950), [`due ${Kind.Write}`]);
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('the checks of a send start anew, whatever those of the send before found', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    const socket = fixture.driver.socket(slot);
    socket.unacknowledged = 900;
    for (let send = 0; send < 5; send++) {
      fixture.reactor.send(slot, 0, 0, 10, false);
      fixture.reactor.turn();
      for (let check = 0; check < WRITE_CHECKS; check++) fixture.pass(200);
      fixture.driver.take(slot);
      fixture.reactor.turn();
      assert.deepEqual(fixture.news(slot), ['sent 10']);
    }
  });

  it('the driver is asked for unacknowledged bytes only while a send is late', () => {
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

  it('after progress the next send has the full timeout again', () => {
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
    for (let check = 0; check < WRITE_CHECKS; check++) {
      assert.deepEqual(fixture.news(slot), []);
      fixture.pass(200);
    }
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Write}`]);
  });
});

describe('a watch', () => {
  it('is reported as a failed receive', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.watch(slot);
    fixture.reactor.watch(slot);
    fixture.driver.breakWatched(slot);
    fixture.reactor.turn();
    assert.deepEqual(fixture.news(slot), [`received ${-ERRNO.ECONNRESET}`]);
    fixture.reactor.watch(slot);
    assert.ok(fixture.driver.socket(slot).watched, 'another watch may start');
  });

  it('is not started while a receive is in flight, which reports the same', () => {
    const fixture = new Fixture();
    const slot = fixture.accept();
    fixture.reactor.receive(slot);
    fixture.reactor.watch(slot);
    assert.equal(fixture.driver.socket(slot).watched, false);
  });

  it('that started before a receive leaves the report to the receive', () => {
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

  it('is awaited before its socket is closed', () => {
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
