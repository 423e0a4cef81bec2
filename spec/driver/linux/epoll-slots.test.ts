// The epoll driver on the scripted kernel: slots and blocks that run out, are released and used
// again; connections that succeed or fail; fairness between sockets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { ScriptedFixture } from '../scripted/driver-fixture.ts';
import { BLOCK, epollFixture, withSocket } from '../scripted/epoll-fixture.ts';
import type { ScriptedSocket } from '../scripted/syscalls.ts';

const { EAGAIN, EINTR, EMFILE, ENOMEM, ECANCELED, ECONNABORTED } = ERRNO;
const { ECONNREFUSED, ECONNRESET, ETIMEDOUT } = ERRNO;

describe('starvation', () => {
  /** Busy sockets continue at once after each completion, by `hurry`. */
  function withBusy(
    hurry: (fixture: ScriptedFixture, slot: number, socket: ScriptedSocket) => void,
  ): void {
    const fixture = epollFixture({ slots: 10, blockCount: 10, completions: 8 });
    const sockets = Array.from({ length: 9 }, (_, slot) => fixture.adopt(slot));
    for (const [slot, socket] of sockets.entries()) hurry(fixture, slot, socket);
    const quiet = fixture.adopt(9);
    fixture.receive(9);
    quiet.write('me too');
    for (let turns = 0; turns < 20; turns++) {
      for (const completion of fixture.turn()) {
        if (completion.op === Op.Receive) fixture.take(completion);
        if (completion.slot < 9) hurry(fixture, completion.slot, sockets[completion.slot]);
      }
    }
    assert.ok(!fixture.isInFlight(Op.Receive, 9), 'the idle one was served');
    for (let slot = 0; slot < 10; slot++) fixture.finish(slot);
    fixture.end();
  }

  it('endless uploads do not delay other sockets', () => {
    withBusy((fixture, slot, socket) => {
      socket.write(BLOCK);
      fixture.receive(slot);
    });
  });

  it('endless downloads do not delay other sockets', () => {
    withBusy((fixture, slot, socket) => {
      socket.take();
      fixture.send(slot, BLOCK);
    });
  });
});

describe('the slab is empty', () => {
  it('receives are starved, each gets a block in its turn, and the driver does not spin', () => {
    const fixture = epollFixture({ blockCount: 1 });
    const sockets = Array.from({ length: 4 }, (_, slot) => fixture.adopt(slot));
    const block = fixture.slab.acquire();
    for (const [slot, socket] of sockets.entries()) {
      fixture.receive(slot);
      socket.write(BLOCK + BLOCK);
    }
    assert.deepEqual(fixture.settle(), []);
    assert.ok(fixture.isAsleep);
    fixture.slab.release(block);
    assert.equal(fixture.wakes > 0 && !fixture.isAsleep, true, 'a released block wakes');
    const order: number[] = [];
    fixture.settle((completion) => {
      order.push(completion.slot);
      fixture.take(completion);
      fixture.receive(completion.slot);
    });
    assert.deepEqual(order, [0, 1, 2, 3, 0, 1, 2, 3]);
    for (const slot of sockets.keys()) fixture.finish(slot);
    fixture.end();
  });

  it('a block that was released and acquired before the sleep leaves the wake enabled', () => {
    withSocket(
      (fixture, socket) => {
        const block = fixture.slab.acquire();
        fixture.receive(0);
        socket.write('starved');
        assert.deepEqual(fixture.turn(), []);
        // The caller that releases a block may be the next to acquire it.
        fixture.slab.release(block);
        assert.equal(fixture.slab.acquire(), block);
        assert.ok(fixture.sleep());
        fixture.slab.release(block);
        assert.ok(!fixture.isAsleep, 'a block that stays free wakes');
        assert.equal(fixture.drain(0).text, 'starved');
      },
      { blockCount: 1 },
    );
  });

  it('an end and a reset are reported without a block, even if the peek was interrupted', () => {
    for (const fault of [0, -EINTR, -EAGAIN]) {
      for (const isReset of [false, true]) {
        withSocket(
          (fixture, socket) => {
            const block = fixture.slab.acquire();
            fixture.receive(0);
            fixture.kernel.script('recv', fault);
            if (isReset) socket.reset();
            else socket.end();
            for (let turns = 0; turns < 4; turns++) fixture.turn();
            assert.equal(fixture.last(Op.Receive, 0), isReset ? -ECONNRESET : 0);
            fixture.slab.release(block);
          },
          { blockCount: 1 },
        );
      }
    }
  });

  it('an end that was reported before the receive keeps the driver from sleeping', () => {
    for (const isReset of [false, true]) {
      withSocket(
        (fixture, socket) => {
          const block = fixture.slab.acquire();
          if (isReset) socket.reset();
          else socket.end();
          fixture.settle();
          fixture.turn();
          // As a handler that starts to receive at the end of a turn.
          fixture.receive(0);
          assert.equal(fixture.sleep(), false, 'the receive was not tried');
          fixture.settle();
          assert.equal(fixture.last(Op.Receive, 0), isReset ? -ECONNRESET : 0);
          fixture.slab.release(block);
        },
        { blockCount: 1 },
      );
    }
  });

  it('abort completes a starved receive, and its slot is used again', () => {
    withSocket(
      (fixture, socket) => {
        const block = fixture.slab.acquire();
        fixture.receive(0);
        socket.write('for no one');
        fixture.settle();
        fixture.finish(0);
        const next = fixture.adopt(0);
        fixture.receive(0);
        fixture.settle();
        fixture.slab.release(block);
        fixture.settle();
        assert.ok(fixture.isInFlight(Op.Receive, 0), 'no completion of the earlier socket');
        next.write('mine');
        assert.equal(fixture.drain(0).text, 'mine');
      },
      { blockCount: 1 },
    );
  });
});

describe('abort, close and what follows in the slot', () => {
  it('abort completes what is in flight in every state, once, however often it is called', () => {
    const states: ((fixture: ScriptedFixture, socket: ScriptedSocket) => void)[] = [
      (fixture) => fixture.receive(0),
      (fixture) => fixture.send(0, 'untried'),
      (fixture) => {
        fixture.send(0, BLOCK);
        fixture.settle();
        fixture.send(0, 'parked');
        fixture.settle();
        fixture.receive(0);
      },
      (fixture, socket) => {
        socket.write(BLOCK + BLOCK);
        fixture.settle();
        fixture.receive(0);
        fixture.send(0, 'untried');
      },
      (fixture, socket) => {
        socket.reset();
        fixture.settle();
        fixture.receive(0);
        fixture.send(0, 'untried');
      },
    ];
    for (const state of states) {
      const fixture = epollFixture();
      const socket = fixture.adopt(0);
      state(fixture, socket);
      const asked = fixture.inFlight.size;
      fixture.driver.abort(0, true);
      fixture.driver.abort(0, true);
      const completions = fixture.settle();
      assert.equal(completions.length, asked);
      for (const completion of completions) assert.equal(completion.result, -ECANCELED);
      fixture.close(0);
      fixture.settle();
      assert.ok(socket.isClosed && socket.lingersZero);
      fixture.end();
    }
  });

  it('a slot used again gets no completion of its earlier socket, and loses none', () => {
    const fixture = epollFixture();
    for (let round = 0; round < 40; round++) {
      const socket = fixture.adopt(0);
      if (round % 2 === 0) socket.write(BLOCK);
      if (round % 3 === 0) fixture.settle();
      if (round % 5 < 3) fixture.receive(0);
      if (round % 7 < 4) fixture.send(0, 'past');
      fixture.driver.abort(0, true);
      fixture.settle();
      fixture.close(0);
      fixture.settle();
      const next = fixture.adopt(0);
      fixture.receive(0);
      assert.deepEqual(fixture.settle(), [], `round ${round}`);
      fixture.send(0, 'new');
      next.write('bytes');
      assert.equal(fixture.drain(0).text, 'bytes');
      next.take();
      assert.equal(next.takenText, 'new');
      assert.deepEqual(socket.taken, []);
      fixture.finish(0);
    }
    fixture.end();
  });

  it('a slot used again makes no needless system calls', () => {
    const fixture = epollFixture();
    const socket = fixture.adopt(0);
    socket.write('bytes');
    socket.end();
    fixture.settle();
    fixture.finish(0);
    fixture.adopt(0);
    fixture.settle();
    const { recv } = fixture.kernel.counts;
    fixture.receive(0);
    fixture.settle();
    assert.equal(fixture.kernel.counts.recv, recv, 'no event came, so no receive is tried');
    fixture.finish(0);
    fixture.end();
  });

  it('aborted sends that were never tried do not accumulate', () => {
    const slots = [0, 1, 2, 3, 4, 5, 6, 7];
    const fixture = epollFixture({ slots: slots.length, completions: 4 });
    for (let round = 0; round < 20; round++) {
      for (const slot of slots) {
        fixture.adopt(slot);
        fixture.receive(slot);
        fixture.send(slot, 'never');
        fixture.driver.abort(slot, true);
      }
      // Queued completions fill all of these polls: there is never room for a send.
      for (let turns = 0; turns < 4; turns++) assert.equal(fixture.turn().length, 4);
      for (const slot of slots) fixture.close(slot);
      for (let turns = 0; turns < 2; turns++) assert.equal(fixture.turn().length, 4);
    }
    fixture.end();
  });
});

describe('connecting', () => {
  function connecting(run: (fixture: ScriptedFixture) => void): void {
    const fixture = epollFixture();
    run(fixture);
    fixture.finish(0);
    fixture.end();
  }

  it('succeeds once, and bytes follow', () => {
    connecting((fixture) => {
      fixture.connect(0);
      assert.deepEqual(fixture.settle(), []);
      fixture.kernel.newest?.connected();
      fixture.settle();
      assert.equal(fixture.last(Op.Connect, 0), 0);
      fixture.kernel.newest?.write('hello');
      assert.equal(fixture.drain(0).text, 'hello');
    });
  });

  it('bytes of a server that ends at once are received in full', () => {
    connecting((fixture) => {
      fixture.connect(0);
      fixture.kernel.newest?.connected();
      fixture.kernel.newest?.write('bye');
      fixture.kernel.newest?.end();
      fixture.settle();
      assert.equal(fixture.last(Op.Connect, 0), 0);
      assert.deepEqual(fixture.drain(0), { text: 'bye', end: 0 });
    });
  });

  it('fails at once, later, or without a descriptor', () => {
    for (const errno of [ECONNREFUSED, ETIMEDOUT]) {
      connecting((fixture) => {
        fixture.connect(0);
        fixture.settle();
        fixture.kernel.newest?.reset(errno);
        fixture.settle();
        assert.equal(fixture.last(Op.Connect, 0), -errno);
      });
      connecting((fixture) => {
        fixture.kernel.script('connect', -errno);
        fixture.connect(0);
        fixture.settle();
        assert.equal(fixture.last(Op.Connect, 0), -errno);
      });
    }
    connecting((fixture) => {
      fixture.kernel.script('socket', -EMFILE);
      fixture.connect(0);
      fixture.settle();
      assert.equal(fixture.last(Op.Connect, 0), -EMFILE);
    });
  });

  it('is cancelled by abort, and a late event has no effect', () => {
    connecting((fixture) => {
      fixture.connect(0);
      fixture.settle();
      fixture.driver.abort(0, true);
      fixture.kernel.newest?.connected();
      fixture.settle();
      assert.equal(fixture.last(Op.Connect, 0), -ECANCELED);
    });
  });
});

describe('taking clients', () => {
  function handlesOf(fixture: ScriptedFixture): number[] {
    return fixture
      .settle((completion) => {
        if (completion.op === Op.Accept && completion.result >= 0)
          fixture.driver.refuse(completion.result);
      })
      .map(({ result }) => result);
  }

  it('aborted and interrupted ones are skipped', () => {
    const fixture = epollFixture();
    fixture.listen();
    fixture.kernel.script('accept', -ECONNABORTED, -EINTR, 0, -EINTR, -ECONNABORTED);
    for (let count = 0; count < 4; count++) fixture.kernel.client();
    const results = handlesOf(fixture);
    assert.equal(results.length, 2, 'two of four were aborted');
    assert.ok(results.every((result) => result >= 0));
    fixture.end();
  });

  it('a lack of descriptors is reported, and waiting clients are accepted later', () => {
    const fixture = epollFixture();
    fixture.listen();
    fixture.kernel.script('accept', 0, -EMFILE);
    for (let count = 0; count < 3; count++) fixture.kernel.client();
    const completions = fixture.turn();
    assert.deepEqual(
      completions.map(({ result }) => result >= 0 || result),
      [true, -EMFILE],
    );
    fixture.driver.refuse(completions[0].result);
    fixture.driver.setAccepting(false);
    assert.deepEqual(fixture.settle(), [], 'no client is accepted, and the driver sleeps');
    fixture.driver.setAccepting(true);
    assert.equal(handlesOf(fixture).length, 2);
    fixture.end();
  });

  it('a listener that the epoll does not take is a failed LISTEN', () => {
    const fixture = epollFixture();
    fixture.kernel.script('control', -ENOMEM);
    fixture.submit(Op.Listen, -1);
    fixture.driver.listen({ host: '127.0.0.1', port: 0 });
    fixture.settle();
    assert.equal(fixture.last(Op.Listen, -1), -ENOMEM);
    assert.equal(fixture.kernel.listener, null, 'its descriptor is closed');
    fixture.end();
  });

  it('a listener that the epoll does not take again reports it, and may be tried again', () => {
    const fixture = epollFixture();
    fixture.listen();
    fixture.driver.setAccepting(false);
    fixture.kernel.client();
    fixture.kernel.script('control', -ENOMEM);
    fixture.driver.setAccepting(true);
    assert.deepEqual(
      fixture.settle().map(({ op, result }) => [op, result]),
      [[Op.Accept, -ENOMEM]],
    );
    fixture.driver.setAccepting(false);
    fixture.driver.setAccepting(true);
    assert.equal(handlesOf(fixture).length, 1);
    fixture.end();
  });

  it('busy sockets do not delay new clients', () => {
    const fixture = epollFixture({ slots: 8, completions: 8 });
    fixture.listen();
    const sockets = Array.from({ length: 8 }, (_, slot) => fixture.adopt(slot));
    const hurry = (slot: number): void => {
      sockets[slot].write(BLOCK);
      fixture.receive(slot);
    };
    for (const slot of sockets.keys()) hurry(slot);
    fixture.kernel.client();
    for (let turns = 0; turns < 40; turns++) {
      for (const completion of fixture.turn()) {
        if (completion.op === Op.Accept) fixture.driver.refuse(completion.result);
        else fixture.take(completion);
        if (completion.op === Op.Receive) hurry(completion.slot);
      }
    }
    assert.ok(
      fixture.completions.some(({ op }) => op === Op.Accept),
      'the client was accepted',
    );
    for (const slot of sockets.keys()) fixture.finish(slot);
    fixture.end();
  });
});
