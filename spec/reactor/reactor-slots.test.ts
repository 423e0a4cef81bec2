// The reactor with several sockets: what one of them does changes nothing for the others, and what
// ends with a socket is gone with it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { ACCEPT_RETRY_MS, LATE_POLLS_MAX, WRITE_CHECKS } from '../../src/base/fixed-limits.ts';
import { Op } from '../../src/driver/driver.ts';
import { ownerNode, sendNode, slotOfNode } from '../../src/reactor/sockets.ts';
import { Fixture, Kind, SLOTS, TIMEOUTS_MS } from './fixtures/reactor-fixture.ts';

const MANY = 10;

/** A fixture with its slots in use. */
function full(options: ConstructorParameters<typeof Fixture>[1] = {}): {
  readonly fixture: Fixture;
  readonly slots: readonly number[];
} {
  const fixture = new Fixture(null, options);
  const slots = Array.from({ length: options.slots ?? SLOTS }, () => fixture.accept());
  return { fixture, slots };
}

describe('deadlines of several sockets', () => {
  it('have nodes of their own', () => {
    const slots = [0, 1, 2, 3, 500];
    const nodes = slots.flatMap((slot) => [ownerNode(slot), sendNode(slot)]);
    assert.deepEqual(nodes, [0, 1, 2, 3, 4, 5, 6, 7, 1000, 1001]);
    assert.deepEqual(
      nodes.map(slotOfNode),
      slots.flatMap((slot) => [slot, slot]),
    );
  });

  it('armed within a turn count from the clock of that turn', () => {
    const { fixture, slots } = full();
    const { driver, reactor } = fixture;
    const [slot, other] = slots;
    reactor.receive(slot);
    driver.deliver(slot, new Uint8Array(1));
    fixture.owners[slot].received = (_result, block) => {
      fixture.slab.release(block);
      const before = reactor.nowMs;
      driver.nowMs += 7;
      for (const one of [slot, other]) reactor.arm(one, Kind.Short);
      assert.equal(reactor.nowMs, before);
    };
    reactor.turn();
    assert.ok(reactor.nowMs < driver.nowMs);
  });

  it('pass for their own socket, whether of its owner or of a send', () => {
    const { fixture, slots } = full();
    for (const slot of slots) {
      fixture.reactor.arm(slot, Kind.Longest);
      fixture.reactor.send(slot, 0, 0, 10, false);
      fixture.reactor.turn();
      for (let check = 0; check <= WRITE_CHECKS; check++) fixture.pass(TIMEOUTS_MS[Kind.Write]);
      for (const other of slots) {
        assert.deepEqual(fixture.news(other), other === slot ? [`due ${Kind.Write}`] : []);
      }
      assert.equal(fixture.reactor.armed(slot), Kind.Longest);
      fixture.driver.take(slot);
      fixture.reactor.turn();
      fixture.reactor.disarm(slot);
      assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
      assert.deepEqual(fixture.news(slot), ['sent 10']);
    }
  });

  it('end when close() is called, before the socket is closed', () => {
    const { fixture, slots } = full();
    for (const slot of slots) {
      fixture.reactor.arm(slot, Kind.Long);
      fixture.reactor.send(slot, 0, 0, 10, false);
      fixture.reactor.turn();
      assert.ok(Number.isFinite(fixture.reactor.nextDueMs()));
      fixture.reactor.close(slot);
      assert.equal(fixture.reactor.armed(slot), -1);
      assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
    }
  });

  it('of a socket that closes do not end those of others', () => {
    const { fixture, slots } = full();
    for (const slot of slots) {
      fixture.reactor.arm(slot, Kind.Longest);
      fixture.reactor.send(slot, 0, 0, 10, false);
    }
    fixture.reactor.turn();
    for (let closing = 0; closing < slots.length; closing++) {
      const rest = slots.slice(closing + 1);
      fixture.reactor.close(slots[closing]);
      fixture.pass(0);
      fixture.pass(0);
      for (const slot of rest) assert.equal(fixture.reactor.armed(slot), Kind.Longest);
      if (rest.length > 0) assert.ok(fixture.reactor.nextDueMs() <= fixture.driver.nowMs + 200);
    }
    assert.equal(fixture.reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('a late send of the lowest kind keeps its first deadline when another follows', () => {
    const { fixture, slots } = full({ sendTimeout: Kind.Short });
    const [slot] = slots;
    const { reactor, driver } = fixture;
    const owner = fixture.owners[slot];
    owner.sent = () => {
      owner.sent = () => {};
      reactor.send(slot, 0, 0, 10, false);
    };
    reactor.send(slot, 0, 0, 10, false);
    driver.take(slot);
    // The first send completes, and the second begins in the same turn.
    reactor.turn();
    const dueMs = driver.nowMs + TIMEOUTS_MS[Kind.Short];
    assert.equal(reactor.nextDueMs(), dueMs);
    fixture.pass(TIMEOUTS_MS[Kind.Short] - 10);
    assert.equal(reactor.nextDueMs(), dueMs, 'the turn after it does not start it again');
  });
});

describe('before a deadline passes', () => {
  it('so many further polls are made at most, however much comes', () => {
    const { fixture, slots } = full();
    const { driver, reactor } = fixture;
    const [slot] = slots;
    reactor.arm(slot, Kind.Short);
    const owner = fixture.owners[slot];
    owner.sent = () => {
      reactor.send(slot, 0, 0, 1, false);
      driver.take(slot);
    };
    owner.sent(0);
    const { polls } = driver;
    fixture.pass(TIMEOUTS_MS[Kind.Short]);
    assert.equal(driver.polls - polls, 1 + LATE_POLLS_MAX);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Short}`]);
  });

  it('a send with nothing unacknowledged has as many checks as others', () => {
    const { fixture, slots } = full();
    const [slot] = slots;
    fixture.driver.socket(slot).unacknowledged = 0;
    fixture.reactor.send(slot, 0, 0, 10, false);
    fixture.reactor.turn();
    for (let check = 0; check < WRITE_CHECKS; check++) {
      fixture.pass(TIMEOUTS_MS[Kind.Write]);
      assert.deepEqual(fixture.news(slot), [], `check ${check}`);
    }
    fixture.pass(TIMEOUTS_MS[Kind.Write]);
    assert.deepEqual(fixture.news(slot), [`due ${Kind.Write}`]);
  });

  it('that of another socket does not retry accept() early', () => {
    const fixture = new Fixture();
    fixture.reactor.arm(fixture.accept(), Kind.Short);
    fixture.driver.arrive(-ERRNO.EMFILE);
    fixture.reactor.turn();
    fixture.pass(TIMEOUTS_MS[Kind.Short]);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting false');
    fixture.pass(ACCEPT_RETRY_MS - TIMEOUTS_MS[Kind.Short]);
    assert.equal(fixture.driver.calls.at(-1), 'setAccepting true');
  });
});

describe('sends of many sockets', () => {
  it('may be as many in a turn as it polls, of every socket', () => {
    const { fixture, slots } = full({ slots: MANY });
    const { reactor, driver } = fixture;
    const { polls } = driver;
    const sends = 1 + LATE_POLLS_MAX;
    for (const slot of slots) {
      let more = sends - 1;
      fixture.owners[slot].sent = () => {
        if (more === 0) return;
        more -= 1;
        reactor.send(slot, 0, 0, 10, false);
        driver.take(slot);
      };
      reactor.send(slot, 0, 0, 10, false);
      driver.take(slot);
    }
    // A deadline that is due lets the turn poll again for what has come.
    reactor.arm(slots[0], Kind.Short);
    driver.nowMs += TIMEOUTS_MS[Kind.Short];
    assert.equal(reactor.turn(), sends * MANY);
    assert.equal(driver.polls - polls, sends);
    for (const slot of slots) {
      assert.equal(reactor.sending(slot), false);
      assert.equal(driver.socket(slot).output.length, 10 * sends);
    }
    reactor.turn();
    assert.equal(reactor.nextDueMs(), Number.POSITIVE_INFINITY);
  });

  it('get their deadline in the turn after, also the last of several in a turn', () => {
    const { fixture, slots } = full();
    const { reactor, driver } = fixture;
    const [slot] = slots;
    fixture.owners[slot].sent = () => reactor.send(slot, 0, 0, 10, false);
    for (let round = 0; round < 3; round++) {
      // Sent once and again within one turn, then late.
      if (round === 0) reactor.send(slot, 0, 0, 10, false);
      driver.take(slot);
      reactor.turn();
      reactor.turn();
      assert.equal(reactor.nextDueMs(), driver.nowMs + TIMEOUTS_MS[Kind.Write], `${round}`);
      driver.nowMs += 10;
    }
  });

  it('of a socket and the next one in its slot are told apart', () => {
    const { fixture, slots } = full();
    const { reactor, driver } = fixture;
    const [slot] = slots;
    reactor.send(slot, 0, 0, 10, false);
    driver.take(slot);
    reactor.close(slot);
    reactor.turn();
    reactor.turn();
    assert.equal(fixture.accept(), slot);
    reactor.send(slot, 0, 0, 10, false);
    reactor.turn();
    assert.equal(reactor.nextDueMs(), driver.nowMs + TIMEOUTS_MS[Kind.Write]);
  });
});

describe('closing', () => {
  it('cancels without a reset, unless a reset is wanted', () => {
    for (const isReset of [false, true]) {
      const { fixture, slots } = full();
      const socket = fixture.driver.socket(slots[1]);
      fixture.reactor.receive(slots[1]);
      if (isReset) fixture.reactor.reset(slots[1]);
      else fixture.reactor.close(slots[1]);
      assert.equal(socket.isAborted, true);
      assert.equal(socket.isReset, isReset);
    }
  });

  it('of a socket that is reset while it closes does not reset it', () => {
    const { fixture, slots } = full();
    const socket = fixture.driver.socket(slots[0]);
    fixture.reactor.receive(slots[0]);
    fixture.reactor.close(slots[0]);
    fixture.reactor.reset(slots[0]);
    assert.equal(socket.isReset, false);
    assert.equal(fixture.driver.calls.filter((call) => call.startsWith('abort')).length, 1);
  });
});

describe('the listener', () => {
  const acceptAlso = (fixture: Fixture): boolean => {
    fixture.driver.calls.length = 0;
    fixture.reactor.acceptAlso(7, true);
    return fixture.driver.calls.length > 0;
  };

  it('that could not be opened accepts nothing', () => {
    const fixture = new Fixture();
    fixture.driver.complete(Op.Listen, -1, -ERRNO.EACCES);
    fixture.reactor.turn();
    assert.equal(fixture.events.at(-1), `listenDone ${-ERRNO.EACCES}`);
    assert.equal(acceptAlso(fixture), false);
  });

  it('on a unix socket has port 0, and accepts', () => {
    const fixture = new Fixture();
    fixture.reactor.unlisten(false);
    fixture.reactor.turn();
    assert.equal(acceptAlso(fixture), false);
    fixture.driver.complete(Op.Listen, -1, 0);
    fixture.reactor.turn();
    assert.equal(acceptAlso(fixture), true);
  });
});

it('a new reactor does not ask its pump to yield', () => {
  assert.equal(new Fixture().reactor.yieldWanted, false);
});
