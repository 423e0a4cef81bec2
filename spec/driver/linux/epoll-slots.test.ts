// The epoll driver on the scripted kernel: slots and blocks that run out, are given up and used
// again; connections that come about or do not; nobody is kept waiting by others.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO, Op } from '../../../src/driver/driver.ts';
import type { Rig } from '../scripted/driver-fixture.ts';
import { BLOCK, rigOf, withSocket } from '../scripted/epoll-fixture.ts';
import type { ScriptedSocket } from '../scripted/syscalls.ts';

const { EAGAIN, EINTR, EMFILE, ENOMEM, ECANCELED, ECONNABORTED } = ERRNO;
const { ECONNREFUSED, ECONNRESET, ETIMEDOUT } = ERRNO;

describe('starvation', () => {
  /** Busy sockets go on at once, whenever they are told something: `hurry` says how. */
  function withBusy(hurry: (rig: Rig, slot: number, socket: ScriptedSocket) => void): void {
    const rig = rigOf({ slots: 10, blockCount: 10, completions: 8 });
    const sockets = Array.from({ length: 9 }, (_, slot) => rig.adopt(slot));
    for (const [slot, socket] of sockets.entries()) hurry(rig, slot, socket);
    const quiet = rig.adopt(9);
    rig.receive(9);
    quiet.write('me too');
    for (let turns = 0; turns < 20; turns++) {
      for (const one of rig.turn()) {
        if (one.op === Op.Receive) rig.take(one);
        if (one.slot < 9) hurry(rig, one.slot, sockets[one.slot]);
      }
    }
    assert.ok(!rig.isInFlight(Op.Receive, 9), 'the quiet one was served');
    for (let slot = 0; slot < 10; slot++) rig.finish(slot);
    rig.end();
  }

  it('those who upload without end keep nobody waiting', () => {
    withBusy((rig, slot, socket) => {
      socket.write(BLOCK);
      rig.receive(slot);
    });
  });

  it('those who download without end keep nobody waiting', () => {
    withBusy((rig, slot, socket) => {
      socket.take();
      rig.send(slot, BLOCK);
    });
  });
});

describe('the slab is empty', () => {
  it('receives wait, each is fed in its turn, and nobody spins', () => {
    const rig = rigOf({ blockCount: 1 });
    const sockets = Array.from({ length: 4 }, (_, slot) => rig.adopt(slot));
    const block = rig.slab.acquire();
    for (const [slot, socket] of sockets.entries()) {
      rig.receive(slot);
      socket.write(BLOCK + BLOCK);
    }
    assert.deepEqual(rig.settle(), []);
    assert.ok(rig.isAsleep);
    rig.slab.release(block);
    assert.equal(rig.wakes > 0 && !rig.isAsleep, true, 'a block that comes back wakes');
    const order: number[] = [];
    rig.settle((one) => {
      order.push(one.slot);
      rig.take(one);
      rig.receive(one.slot);
    });
    assert.deepEqual(order, [0, 1, 2, 3, 0, 1, 2, 3]);
    for (const slot of sockets.keys()) rig.finish(slot);
    rig.end();
  });

  it('a block that came and went before the sleep leaves the wake armed', () => {
    withSocket(
      (rig, socket) => {
        const block = rig.slab.acquire();
        rig.receive(0);
        socket.write('hungry');
        assert.deepEqual(rig.turn(), []);
        // Whoever gives a block back may be the next to take it.
        rig.slab.release(block);
        assert.equal(rig.slab.acquire(), block);
        assert.ok(rig.sleep());
        rig.slab.release(block);
        assert.ok(!rig.isAsleep, 'the block that stayed free wakes');
        assert.equal(rig.drain(0).text, 'hungry');
      },
      { blockCount: 1 },
    );
  });

  it('an end and a reset are told without a block, even if looking was disturbed', () => {
    for (const fault of [0, -EINTR, -EAGAIN]) {
      for (const isReset of [false, true]) {
        withSocket(
          (rig, socket) => {
            const block = rig.slab.acquire();
            rig.receive(0);
            rig.kernel.script('recv', fault);
            if (isReset) socket.reset();
            else socket.end();
            for (let turns = 0; turns < 4; turns++) rig.turn();
            assert.equal(rig.last(Op.Receive, 0), isReset ? -ECONNRESET : 0);
            rig.slab.release(block);
          },
          { blockCount: 1 },
        );
      }
    }
  });

  it('abort frees a receive that waits, and its slot is used again', () => {
    withSocket(
      (rig, socket) => {
        const block = rig.slab.acquire();
        rig.receive(0);
        socket.write('for nobody');
        rig.settle();
        rig.finish(0);
        const next = rig.adopt(0);
        rig.receive(0);
        rig.settle();
        rig.slab.release(block);
        rig.settle();
        assert.ok(rig.isInFlight(Op.Receive, 0), 'nothing of the past');
        next.write('mine');
        assert.equal(rig.drain(0).text, 'mine');
      },
      { blockCount: 1 },
    );
  });
});

describe('abort, close and what follows in the slot', () => {
  it('abort answers what is in flight in every state, once, however often it is asked', () => {
    const states: ((rig: Rig, socket: ScriptedSocket) => void)[] = [
      (rig) => rig.receive(0),
      (rig) => rig.send(0, 'untried'),
      (rig) => {
        rig.send(0, BLOCK);
        rig.settle();
        rig.send(0, 'parked');
        rig.settle();
        rig.receive(0);
      },
      (rig, socket) => {
        socket.write(BLOCK + BLOCK);
        rig.settle();
        rig.receive(0);
        rig.send(0, 'untried');
      },
      (rig, socket) => {
        socket.reset();
        rig.settle();
        rig.receive(0);
        rig.send(0, 'untried');
      },
    ];
    for (const state of states) {
      const rig = rigOf();
      const socket = rig.adopt(0);
      state(rig, socket);
      const asked = rig.inFlight.size;
      rig.driver.abort(0, true);
      rig.driver.abort(0, true);
      const told = rig.settle();
      assert.equal(told.length, asked);
      for (const one of told) assert.equal(one.result, -ECANCELED);
      rig.close(0);
      rig.settle();
      assert.ok(socket.isClosed && socket.lingersZero);
      rig.end();
    }
  });

  it('a slot used again hears nothing of its past, and its past says nothing for it', () => {
    const rig = rigOf();
    for (let round = 0; round < 40; round++) {
      const socket = rig.adopt(0);
      if (round % 2 === 0) socket.write(BLOCK);
      if (round % 3 === 0) rig.settle();
      if (round % 5 < 3) rig.receive(0);
      if (round % 7 < 4) rig.send(0, 'past');
      rig.driver.abort(0, true);
      rig.settle();
      rig.close(0);
      rig.settle();
      const next = rig.adopt(0);
      rig.receive(0);
      assert.deepEqual(rig.settle(), [], `round ${round}`);
      rig.send(0, 'new');
      next.write('bytes');
      assert.equal(rig.drain(0).text, 'bytes');
      next.take();
      assert.equal(next.takenText, 'new');
      assert.deepEqual(socket.taken, []);
      rig.finish(0);
    }
    rig.end();
  });

  it('a slot used again inherits nothing that costs calls', () => {
    const rig = rigOf();
    const socket = rig.adopt(0);
    socket.write('bytes');
    socket.end();
    rig.settle();
    rig.finish(0);
    rig.adopt(0);
    rig.settle();
    const { recv } = rig.kernel.counts;
    rig.receive(0);
    rig.settle();
    assert.equal(rig.kernel.counts.recv, recv, 'nothing was announced, so nothing is tried');
    rig.finish(0);
    rig.end();
  });

  it('sends given up before they are tried pile up nowhere', () => {
    const slots = [0, 1, 2, 3, 4, 5, 6, 7];
    const rig = rigOf({ slots: slots.length, completions: 4 });
    for (let round = 0; round < 20; round++) {
      for (const slot of slots) {
        rig.adopt(slot);
        rig.receive(slot);
        rig.send(slot, 'never');
        rig.driver.abort(slot, true);
      }
      // As many completions wait as fit into all of these polls: there is never room for a send.
      for (let turns = 0; turns < 4; turns++) assert.equal(rig.turn().length, 4);
      for (const slot of slots) rig.close(slot);
      for (let turns = 0; turns < 2; turns++) assert.equal(rig.turn().length, 4);
    }
    rig.end();
  });
});

describe('connecting', () => {
  function connecting(run: (rig: Rig) => void): void {
    const rig = rigOf();
    run(rig);
    rig.finish(0);
    rig.end();
  }

  it('succeeds once, and bytes follow', () => {
    connecting((rig) => {
      rig.connect(0);
      assert.deepEqual(rig.settle(), []);
      rig.kernel.newest?.connected();
      rig.settle();
      assert.equal(rig.last(Op.Connect, 0), 0);
      rig.kernel.newest?.write('hello');
      assert.equal(rig.drain(0).text, 'hello');
    });
  });

  it('a server that says something and ends at once is heard to the end', () => {
    connecting((rig) => {
      rig.connect(0);
      rig.kernel.newest?.connected();
      rig.kernel.newest?.write('bye');
      rig.kernel.newest?.end();
      rig.settle();
      assert.equal(rig.last(Op.Connect, 0), 0);
      assert.deepEqual(rig.drain(0), { text: 'bye', end: 0 });
    });
  });

  it('fails at once, later, or for want of a descriptor', () => {
    for (const errno of [ECONNREFUSED, ETIMEDOUT]) {
      connecting((rig) => {
        rig.connect(0);
        rig.settle();
        rig.kernel.newest?.reset(errno);
        rig.settle();
        assert.equal(rig.last(Op.Connect, 0), -errno);
      });
      connecting((rig) => {
        rig.kernel.script('connect', -errno);
        rig.connect(0);
        rig.settle();
        assert.equal(rig.last(Op.Connect, 0), -errno);
      });
    }
    connecting((rig) => {
      rig.kernel.script('socket', -EMFILE);
      rig.connect(0);
      rig.settle();
      assert.equal(rig.last(Op.Connect, 0), -EMFILE);
    });
  });

  it('is ended by abort, and an event that comes too late says nothing', () => {
    connecting((rig) => {
      rig.connect(0);
      rig.settle();
      rig.driver.abort(0, true);
      rig.kernel.newest?.connected();
      rig.settle();
      assert.equal(rig.last(Op.Connect, 0), -ECANCELED);
    });
  });
});

describe('taking clients', () => {
  function handlesOf(rig: Rig): number[] {
    return rig
      .settle((one) => {
        if (one.op === Op.Accept && one.result >= 0) rig.driver.refuse(one.result);
      })
      .map(({ result }) => result);
  }

  it('aborted and interrupted ones are passed over', () => {
    const rig = rigOf();
    rig.listen();
    rig.kernel.script('accept', -ECONNABORTED, -EINTR, 0, -EINTR, -ECONNABORTED);
    for (let count = 0; count < 4; count++) rig.kernel.client();
    const results = handlesOf(rig);
    assert.equal(results.length, 2, 'two of four were aborted');
    assert.ok(results.every((result) => result >= 0));
    rig.end();
  });

  it('want of descriptors is told, and those who wait are taken later', () => {
    const rig = rigOf();
    rig.listen();
    rig.kernel.script('accept', 0, -EMFILE);
    for (let count = 0; count < 3; count++) rig.kernel.client();
    const told = rig.turn();
    assert.deepEqual(
      told.map(({ result }) => result >= 0 || result),
      [true, -EMFILE],
    );
    rig.driver.refuse(told[0].result);
    rig.driver.accepting(false);
    assert.deepEqual(rig.settle(), [], 'nobody is taken, and nobody is kept awake');
    rig.driver.accepting(true);
    assert.equal(handlesOf(rig).length, 2);
    rig.end();
  });

  it('a listener that epoll does not take is a failed LISTEN', () => {
    const rig = rigOf();
    rig.kernel.script('control', -ENOMEM);
    rig.ask(Op.Listen, -1);
    rig.driver.listen({ host: '127.0.0.1', port: 0 });
    rig.settle();
    assert.equal(rig.last(Op.Listen, -1), -ENOMEM);
    assert.equal(rig.kernel.listener, null, 'its descriptor is closed');
    rig.end();
  });

  it('a listener that epoll does not take back says so, and may be tried again', () => {
    const rig = rigOf();
    rig.listen();
    rig.driver.accepting(false);
    rig.kernel.client();
    rig.kernel.script('control', -ENOMEM);
    rig.driver.accepting(true);
    assert.deepEqual(
      rig.settle().map(({ op, result }) => [op, result]),
      [[Op.Accept, -ENOMEM]],
    );
    rig.driver.accepting(false);
    rig.driver.accepting(true);
    assert.equal(handlesOf(rig).length, 1);
    rig.end();
  });

  it('those who are inside do not keep clients out', () => {
    const rig = rigOf({ slots: 8, completions: 8 });
    rig.listen();
    const sockets = Array.from({ length: 8 }, (_, slot) => rig.adopt(slot));
    const hurry = (slot: number): void => {
      sockets[slot].write(BLOCK);
      rig.receive(slot);
    };
    for (const slot of sockets.keys()) hurry(slot);
    rig.kernel.client();
    for (let turns = 0; turns < 40; turns++) {
      for (const one of rig.turn()) {
        if (one.op === Op.Accept) rig.driver.refuse(one.result);
        else rig.take(one);
        if (one.op === Op.Receive) hurry(one.slot);
      }
    }
    assert.ok(
      rig.told.some(({ op }) => op === Op.Accept),
      'the client was taken',
    );
    for (const slot of sockets.keys()) rig.finish(slot);
    rig.end();
  });
});
