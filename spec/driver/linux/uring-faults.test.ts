// The uring driver on a scripted kernel: errors, full queues, missing buffers, late completions.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Op } from '../../../src/driver/driver.ts';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import { CQE_BUFFER_SHIFT, CQE_F_BUFFER } from '../../../src/driver/linux/uring-layout.ts';
import { ScriptedRing, type ScriptedSocket } from '../scripted/ring.ts';
import { plainCalls, REGION, RingFixture } from '../scripted/ring-fixture.ts';

const CANCELED = -ERRNO.ECANCELED;

/** Slot 0 has the only block; slot 1 has peeked, found nothing, and polls for bytes. */
function waitWithoutBuffer(fixture: RingFixture): { waiting: ScriptedSocket; block: number } {
  const other = fixture.adopt(0);
  const waiting = fixture.adopt(1);
  // The kernel reported more bytes, but there are none: the receive does not wait for readiness.
  fixture.write(waiting, 'x'.repeat(65));
  fixture.driver.receive(1);
  assert.equal(fixture.single(fixture.settle()), `RECEIVE 1: '${'x'.repeat(64)}'`);
  waiting.input = Buffer.alloc(0);
  fixture.write(other, 'holds the only block');
  fixture.driver.receive(0);
  const [{ block }] = fixture.settle();
  fixture.driver.receive(1);
  assert.deepEqual(fixture.settle(), []);
  return { waiting, block };
}

describe('the uring driver whose kernel fails calls', () => {
  for (const name of ['EINTR', 'EAGAIN', 'EBUSY'] as const) {
    it(`${name} of enter: entries are kept, and submitted once`, () => {
      const fixture = new RingFixture();
      const socket = fixture.adopt(0);
      fixture.write(socket, 'hello');
      fixture.driver.receive(0);
      fixture.driver.send(0, REGION, 0, 10, false);
      const failure = -ERRNO[name === 'EBUSY' ? 'EAGAIN' : name];
      fixture.kernel.enterScript.push(name === 'EBUSY' ? -16 : failure, failure);
      for (let turn = 0; turn < 2; turn++) {
        assert.deepEqual(fixture.poll(), []);
        assert.equal(fixture.driver.sleep(), false, 'an entry is to be submitted');
      }
      assert.equal(fixture.kernel.taken.length, 0);
      const completions = fixture.settle().map((one) => fixture.describe(one));
      assert.deepEqual(completions.sort(), ["RECEIVE 0: 'hello'", 'SEND 0: 10']);
      assert.equal(fixture.kernel.taken.length, 2, 'none was submitted twice');
      fixture.finish(0);
    });
  }

  it('enter takes some entries: the others follow, each once', () => {
    const fixture = new RingFixture();
    const sockets = [0, 1, 2, 3, 4, 5, 6, 7].map((slot) => fixture.adopt(slot));
    for (let slot = 0; slot < 8; slot++) {
      fixture.region[slot] = 65 + slot;
      fixture.driver.send(slot, REGION, slot, slot + 1, false);
    }
    fixture.kernel.enterScript.push(3, 1, 0);
    const finished = fixture.settle();
    assert.deepEqual(
      finished.map(({ slot }) => slot),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.equal(fixture.kernel.taken.length, 8);
    const texts = sockets.map(({ output }) => String(output));
    assert.deepEqual(texts, ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']);
    fixture.finish(0, 1, 2, 3, 4, 5, 6, 7);
  });

  it('a submission queue that fills up in the middle of a turn is emptied', () => {
    const fixture = new RingFixture({
      slots: 40,
      blockCount: 512,
      sizes: { entries: 8, completions: 128 },
    });
    const slots = Array.from({ length: 40 }, (_, slot) => slot);
    const sockets = slots.map((slot) => fixture.adopt(slot));
    // The kernel takes no entries for a while.
    fixture.kernel.enterScript.push(-ERRNO.EAGAIN, -ERRNO.EINTR, 0, 2);
    for (const slot of slots) {
      fixture.driver.receive(slot);
      fixture.driver.send(slot, REGION, 0, slot + 1, false);
      fixture.write(sockets[slot], `${slot}`);
    }
    const completions = fixture.settle().map((one) => fixture.describe(one));
    const expected = slots.flatMap((slot) => [
      `RECEIVE ${slot}: '${slot}'`,
      `SEND ${slot}: ${slot + 1}`,
    ]);
    assert.deepEqual(completions.sort(), expected.sort());
    for (const [slot, socket] of sockets.entries()) {
      assert.equal(Buffer.concat(socket.output).length, slot + 1);
    }
    fixture.finish(...slots);
  });

  it('completions beyond the queue for them come later, none lost, none twice', () => {
    const fixture = new RingFixture({ slots: 40, blockCount: 512, completionCount: 4 });
    const slots = Array.from({ length: 40 }, (_, slot) => slot);
    for (const slot of slots) {
      fixture.write(fixture.adopt(slot), `${slot}`);
      fixture.driver.receive(slot);
      fixture.driver.send(slot, REGION, 0, 1, false);
    }
    const completions = fixture.settle().map((one) => fixture.describe(one));
    const expected = slots.flatMap((slot) => [`RECEIVE ${slot}: '${slot}'`, `SEND ${slot}: 1`]);
    assert.deepEqual(completions.sort(), expected.sort());
    fixture.finish(...slots);
  });

  it('what was opened is closed when a ring cannot be set up', () => {
    const steps = { setup: 1, mapMemory: 3, eventfd: 1, register: 2 };
    for (const [name, count] of Object.entries(steps)) {
      for (let after = 0; after < count; after++) {
        const kernel = new ScriptedRing();
        kernel.failing = { name, after, errno: ERRNO.ENOMEM };
        const slab = new Slab(64, 16);
        const options = { slab, slots: 4, backlog: 4 };
        assert.throws(
          () => new UringDriver(options, plainCalls(kernel), kernel),
          / failed: out of memory \(ENOMEM\)$/,
        );
        assert.deepEqual([...kernel.open], [], `${name} ${after}: descriptors`);
        assert.equal(kernel.memory.mappingCount, 0, `${name} ${after}: memory`);
        assert.equal(slab.freeCount, 16);
      }
    }
  });
});

describe('the uring driver and its blocks', () => {
  it('more sockets receive in a turn than there are buffers: the others do in the next', () => {
    const fixture = new RingFixture({ blockCount: 16 });
    for (let slot = 0; slot < 8; slot++) {
      fixture.write(fixture.adopt(slot), `bytes ${slot}`);
      fixture.driver.receive(slot);
    }
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(
      completions,
      Array.from({ length: 8 }, (_, slot) => `RECEIVE ${slot}: 'bytes ${slot}'`),
    );
    fixture.finish(0, 1, 2, 3, 4, 5, 6, 7);
  });

  it('ENOBUFS, EAGAIN and EINTR of a receive are tried again', () => {
    for (const errno of [ERRNO.ENOBUFS, ERRNO.EAGAIN, ERRNO.EINTR]) {
      const fixture = new RingFixture();
      fixture.write(fixture.adopt(0), 'bytes');
      fixture.kernel.receiveScript.push(-errno, -errno);
      fixture.driver.receive(0);
      assert.equal(fixture.single(fixture.settle()), "RECEIVE 0: 'bytes'");
      fixture.finish(0);
    }
  });

  it('a starved receive waits for a block, and a released block wakes', () => {
    const fixture = new RingFixture({ blockCount: 1 });
    fixture.write(fixture.adopt(0), 'first');
    fixture.driver.receive(0);
    const [{ block }] = fixture.settle();
    fixture.write(fixture.adopt(1), 'second');
    fixture.driver.receive(1);
    assert.deepEqual(fixture.settle(), []);
    assert.equal(fixture.driver.sleep(), true);
    fixture.slab.release(block);
    assert.deepEqual(fixture.wakes, [false]);
    assert.equal(fixture.single(fixture.settle()), "RECEIVE 1: 'second'");
    fixture.finish(0, 1);
  });

  it('the end and a reset are reported while no block is free', () => {
    const fixture = new RingFixture({ blockCount: 1 });
    fixture.write(fixture.adopt(0), 'the block goes here');
    fixture.driver.receive(0);
    const [{ block }] = fixture.settle();
    const ended = fixture.adopt(1);
    const broken = fixture.adopt(2);
    fixture.driver.receive(1);
    fixture.driver.receive(2);
    assert.deepEqual(fixture.settle(), []);
    fixture.end(ended);
    fixture.reset(broken, ERRNO.ECONNRESET);
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(completions.sort(), ['RECEIVE 1: 0', `RECEIVE 2: ${-ERRNO.ECONNRESET}`]);
    fixture.slab.release(block);
    fixture.finish(0, 1, 2);
  });

  it('an end is reported also when another socket got the last block in the same turn', () => {
    const fixture = new RingFixture({ blockCount: 2 });
    const sockets = [0, 1].map((slot) => fixture.adopt(slot));
    for (const slot of [0, 1]) fixture.driver.receive(slot);
    assert.deepEqual(fixture.settle(), []);
    fixture.write(sockets[0], 'takes the buffer');
    fixture.end(sockets[1]);
    const [{ slot, block }] = fixture.poll();
    assert.equal(slot, 0);
    const others = fixture.starve();
    assert.equal(others.length, 1);
    assert.equal(fixture.single(fixture.settle()), 'RECEIVE 1: 0');
    fixture.release([block, ...others]);
    fixture.finish(0, 1);
  });

  it('a receive that found no buffer and then no bytes gets later bytes', () => {
    const fixture = new RingFixture({ blockCount: 1 });
    const { waiting, block } = waitWithoutBuffer(fixture);
    fixture.slab.release(block);
    assert.deepEqual(fixture.settle(), [], 'the kernel has the block');
    fixture.write(waiting, 'late');
    assert.equal(fixture.single(fixture.settle()), "RECEIVE 1: 'late'");
    // The next one has a buffer, and is cancelled as such.
    fixture.driver.receive(1);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.abort(1, false);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 1: ${CANCELED}`);
    fixture.finish(0, 1);
  });

  it('receives that did not fit in a poll complete while the kernel has buffers', () => {
    const fixture = new RingFixture({ blockCount: 1, capacity: 2 });
    const sockets = [0, 1, 2, 3, 4, 5].map((slot) => fixture.adopt(slot));
    fixture.write(sockets[0], 'holds the only block');
    fixture.driver.receive(0);
    const [{ block }] = fixture.settle();
    for (const slot of [1, 2, 3, 4, 5]) {
      fixture.write(sockets[slot], `bytes ${slot}`);
      fixture.driver.receive(slot);
    }
    assert.deepEqual(fixture.settle(), []);
    // The first starved receives need no buffer any more.
    for (const socket of sockets.slice(1, 4)) {
      socket.input = Buffer.alloc(0);
      fixture.reset(socket, ERRNO.ECONNRESET);
    }
    fixture.slab.release(block);
    const completions: string[] = [];
    for (let turn = 0; turn < 20; turn++)
      completions.push(...fixture.settle().map((o) => fixture.describe(o)));
    const reset = -ERRNO.ECONNRESET;
    assert.deepEqual(completions.sort(), [
      `RECEIVE 1: ${reset}`,
      `RECEIVE 2: ${reset}`,
      `RECEIVE 3: ${reset}`,
      "RECEIVE 4: 'bytes 4'",
      "RECEIVE 5: 'bytes 5'",
    ]);
    fixture.finish(0, 1, 2, 3, 4, 5);
  });

  it('70,000 receives: the tail of the buffer ring wraps at 65,536', () => {
    const fixture = new RingFixture({ blockCount: 64 });
    const sockets = [0, 1, 2].map((slot) => fixture.adopt(slot));
    let receives = 0;
    for (let round = 0; receives < 70_000; round++) {
      for (const [slot, socket] of sockets.entries()) {
        fixture.driver.receive(slot);
        socket.input = Buffer.from(`${round}.${slot}`);
        fixture.kernel.changed(socket.fd);
      }
      const finished = [...fixture.poll(), ...fixture.poll()];
      assert.equal(finished.length, 3);
      for (const { slot, result, block } of finished) {
        assert.equal(fixture.bytesOf(block, result).toString(), `${round}.${slot}`);
        fixture.slab.release(block);
        receives += 1;
      }
    }
    fixture.finish(0, 1, 2);
  });
});

describe('the uring driver and late completions', () => {
  it('a late completion of a former socket reaches no other one, and its block is released', () => {
    const fixture = new RingFixture();
    fixture.adopt(0);
    fixture.driver.receive(0);
    fixture.driver.send(0, REGION, 0, 1, false);
    fixture.settle();
    const tags = fixture.kernel.taken.map((entry) => [entry[8], entry[9]] as const);
    fixture.driver.abort(0, true);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 0: ${CANCELED}`);
    fixture.driver.close(0);
    fixture.settle();
    const socket = fixture.adopt(0);
    fixture.driver.receive(0);
    fixture.kernel.sockets.forEach((one) => {
      one.room = 0;
    });
    fixture.driver.send(0, REGION, 0, 5, false);
    assert.deepEqual(fixture.settle(), []);
    const freeBefore = fixture.slab.freeCount;
    for (const [low, high] of tags) {
      fixture.kernel.post(low, high, 5, 0);
      fixture.kernel.post(low, high, -ERRNO.ECONNRESET, 0);
    }
    const [[low, high]] = tags;
    const number = fixture.kernel.stealBuffer();
    fixture.kernel.post(low, high, 5, CQE_F_BUFFER | (number << CQE_BUFFER_SHIFT));
    assert.deepEqual(fixture.settle(), []);
    assert.equal(fixture.slab.freeCount, freeBefore, 'the kernel got another block instead');
    fixture.drain(socket, 5);
    fixture.write(socket, 'mine');
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(completions.sort(), ["RECEIVE 0: 'mine'", 'SEND 0: 5']);
    fixture.finish(0);
  });

  it('user_data keeps all bits at the first slot and at the last of very many', () => {
    const last = 99_999;
    const fixture = new RingFixture({ slots: last + 1 });
    for (const slot of [0, 0xffff, 0x10000, last]) {
      for (let life = 0; life < 3; life++) {
        const socket = fixture.adopt(slot);
        fixture.driver.receive(slot);
        fixture.driver.send(slot, REGION, 0, 7, false);
        fixture.write(socket, 'seven');
        const completions = fixture.settle().map((one) => fixture.describe(one));
        assert.deepEqual(completions.sort(), [`RECEIVE ${slot}: 'seven'`, `SEND ${slot}: 7`]);
        fixture.driver.close(slot);
        assert.equal(fixture.single(fixture.settle()), `CLOSE ${slot}: 0`);
      }
    }
    fixture.finish();
  });

  it('short sends are reported as they are', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    fixture.region.write('0123456789');
    fixture.kernel.sendBytesMax = 4;
    for (let from = 0, turn = 0; from < 10; turn++) {
      assert.ok(turn < 3);
      fixture.driver.send(0, REGION, from, 10, false);
      from += fixture.settle()[0].result;
    }
    assert.equal(String(Buffer.concat(socket.output)), '0123456789');
    fixture.finish(0);
  });
});

describe('abort in every state', () => {
  it('with a receive in flight', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    fixture.driver.receive(0);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.abort(0, true);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 0: ${CANCELED}`);
    assert.ok(socket.lingersZero);
    fixture.finish(0);
  });

  it('with a receive not yet submitted, twice', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    fixture.driver.receive(0);
    fixture.driver.abort(0, false);
    fixture.driver.abort(0, false);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 0: ${CANCELED}`);
    assert.equal(socket.lingersZero, false);
    fixture.finish(0);
  });

  it('with a send in flight', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    socket.room = 0;
    fixture.driver.send(0, REGION, 0, 1, false);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.abort(0, true);
    assert.equal(fixture.single(fixture.settle()), `SEND 0: ${CANCELED}`);
    fixture.finish(0);
  });

  it('with both in flight', () => {
    const fixture = new RingFixture();
    fixture.adopt(0).room = 0;
    fixture.driver.send(0, REGION, 0, 1, false);
    fixture.driver.receive(0);
    fixture.settle();
    fixture.driver.abort(0, true);
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(completions.sort(), [`RECEIVE 0: ${CANCELED}`, `SEND 0: ${CANCELED}`]);
    fixture.finish(0);
  });

  it('while a receive is starved; the next socket of the slot gets its own bytes', () => {
    const fixture = new RingFixture({ blockCount: 1 });
    fixture.write(fixture.adopt(0), 'first');
    fixture.driver.receive(0);
    const [{ block }] = fixture.settle();
    fixture.write(fixture.adopt(1), 'second');
    fixture.driver.receive(1);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.abort(1, true);
    assert.throws(() => fixture.driver.close(1), 'before poll() reported it');
    assert.equal(fixture.single(fixture.poll()), `RECEIVE 1: ${CANCELED}`);
    fixture.driver.close(1);
    fixture.write(fixture.adopt(1), 'third');
    fixture.driver.receive(1);
    assert.equal(fixture.single(fixture.settle()), 'CLOSE 1: 0');
    fixture.slab.release(block);
    assert.equal(fixture.single(fixture.settle()), "RECEIVE 1: 'third'");
    fixture.finish(0, 1);
  });

  it('while a receive polls for bytes, and they have just come', () => {
    const fixture = new RingFixture({ blockCount: 1, capacity: 1 });
    const { waiting, block } = waitWithoutBuffer(fixture);
    fixture.adopt(2);
    for (const slot of [0, 2]) fixture.driver.send(slot, REGION, 0, 1, false);
    assert.equal(fixture.single(fixture.poll()), 'SEND 0: 1');
    fixture.write(waiting, 'second');
    // The kernel reported them; the poll had room for the second send only.
    assert.equal(fixture.single(fixture.poll()), 'SEND 2: 1');
    fixture.driver.abort(1, true);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 1: ${CANCELED}`);
    fixture.slab.release(block);
    fixture.finish(0, 1, 2);
  });

  it('while many are starved: a slot that is used again is in the queue once', () => {
    const fixture = new RingFixture({ slots: 3, blockCount: 1, capacity: 1 });
    fixture.write(fixture.adopt(0), 'first');
    fixture.driver.receive(0);
    const [{ block }] = fixture.settle();
    for (const slot of [1, 2]) {
      fixture.write(fixture.adopt(slot), `${slot}`);
      fixture.driver.receive(slot);
    }
    assert.deepEqual(fixture.settle(), []);
    // More often than the queue has entries.
    for (let round = 0; round < 40; round++) {
      fixture.driver.abort(2, true);
      assert.equal(fixture.single(fixture.poll()), `RECEIVE 2: ${CANCELED}`);
      fixture.driver.close(2);
      assert.equal(fixture.single(fixture.poll()), 'CLOSE 2: 0');
      fixture.write(fixture.adopt(2), 'again');
      fixture.driver.receive(2);
    }
    fixture.slab.release(block);
    const completions: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      for (const one of fixture.poll()) completions.push(fixture.describe(one));
    }
    assert.deepEqual(completions.sort(), ["RECEIVE 1: '1'", "RECEIVE 2: 'again'"]);
    fixture.finish(0, 1, 2);
  });

  it('while a receive polls for bytes', () => {
    const fixture = new RingFixture({ blockCount: 1 });
    const { block } = waitWithoutBuffer(fixture);
    fixture.driver.abort(1, true);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 1: ${CANCELED}`);
    fixture.slab.release(block);
    fixture.finish(0, 1);
  });

  it('while it connects', () => {
    const fixture = new RingFixture();
    fixture.driver.connect({ host: '127.0.0.1', port: 80 }, 0);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.abort(0, true);
    assert.equal(fixture.single(fixture.settle()), `CONNECT 0: ${CANCELED}`);
    fixture.finish(0);
  });

  it('ENOBUFS after the abort completes as cancelled', () => {
    const fixture = new RingFixture({ blockCount: 1, capacity: 1 });
    const sockets = [0, 1].map((slot) => fixture.adopt(slot));
    for (const slot of [0, 1]) fixture.driver.receive(slot);
    assert.deepEqual(fixture.settle(), []);
    for (const socket of sockets) fixture.write(socket, 'bytes');
    // Both completions are written, and one is reaped.
    const first = fixture.poll();
    assert.equal(fixture.single(first), "RECEIVE 0: 'bytes'");
    fixture.driver.abort(1, true);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 1: ${CANCELED}`);
    fixture.finish(0, 1);
  });

  it('bytes that came before the abort are received', () => {
    const fixture = new RingFixture({ capacity: 1 });
    const sockets = [0, 1].map((slot) => fixture.adopt(slot));
    for (const slot of [0, 1]) fixture.driver.receive(slot);
    assert.deepEqual(fixture.settle(), []);
    for (const socket of sockets) fixture.write(socket, 'bytes');
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 0: 'bytes'");
    fixture.driver.abort(1, true);
    assert.equal(fixture.single(fixture.settle()), "RECEIVE 1: 'bytes'");
    fixture.finish(0, 1);
  });

  it('when the kernel gets the cancellation only after the socket is closed', () => {
    const fixture = new RingFixture({ capacity: 1 });
    const sockets = [0, 1].map((slot) => fixture.adopt(slot));
    for (const slot of [0, 1]) fixture.driver.receive(slot);
    assert.deepEqual(fixture.settle(), []);
    for (const socket of sockets) fixture.write(socket, 'bytes');
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 0: 'bytes'");
    fixture.driver.abort(1, true);
    fixture.kernel.enterScript.push(-ERRNO.EAGAIN);
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 1: 'bytes'");
    fixture.driver.close(1);
    assert.equal(fixture.single(fixture.settle()), 'CLOSE 1: 0');
    fixture.finish(0);
  });
});

describe('the uring driver: connecting and listening', () => {
  it('connect completes with the result of the kernel', () => {
    for (const result of [0, -ERRNO.ECONNREFUSED]) {
      const fixture = new RingFixture();
      fixture.driver.connect({ host: '::1', port: 80 }, 0);
      assert.deepEqual(fixture.settle(), []);
      const socket = fixture.kernel.newest;
      socket.connected = result;
      fixture.kernel.changed(socket.fd);
      assert.equal(fixture.single(fixture.settle()), `CONNECT 0: ${result}`);
      fixture.finish(0);
    }
  });

  it('clients are accepted as they fit, and none after unlisten', () => {
    const fixture = new RingFixture({ capacity: 2 });
    fixture.driver.listen({ host: '127.0.0.1', port: 0 });
    assert.equal(fixture.single(fixture.settle()), 'LISTEN -1: 0');
    const listener = fixture.kernel.newest;
    const handles = [1, 2, 3, 4, 5].map(() => fixture.kernel.descriptor());
    listener.backlog.push(...handles);
    fixture.kernel.changed(listener.fd);
    const accepted = fixture.settle();
    assert.deepEqual(
      accepted.map(({ op, result }) => [op, result]),
      handles.map((handle) => [Op.Accept, handle]),
    );
    for (const handle of handles) fixture.driver.refuse(handle);
    fixture.driver.setAccepting(false);
    listener.backlog.push(fixture.kernel.descriptor());
    fixture.kernel.changed(listener.fd);
    assert.deepEqual(fixture.settle(), []);
    fixture.driver.setAccepting(true);
    const [{ result }] = fixture.settle();
    fixture.driver.refuse(result);
    fixture.driver.unlisten();
    assert.equal(fixture.single(fixture.settle()), 'UNLISTEN -1: 0');
    fixture.finish();
  });

  it('a listener with an event while it drains accepts the waiting clients, and closes', () => {
    const fixture = new RingFixture();
    fixture.driver.listen({ host: '127.0.0.1', port: 0 });
    fixture.settle();
    const listener = fixture.kernel.newest;
    const client = fixture.kernel.descriptor();
    listener.backlog.push(client);
    fixture.kernel.changed(listener.fd);
    fixture.driver.unlisten();
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(completions, [`ACCEPT -1: ${client}`, 'UNLISTEN -1: 0']);
    fixture.driver.refuse(client);
    fixture.finish();
  });

  it('a listener that drains while not accepting accepts waiting clients before it sleeps', () => {
    const fixture = new RingFixture();
    fixture.driver.listen({ host: '127.0.0.1', port: 0 });
    fixture.settle();
    fixture.driver.setAccepting(false);
    assert.deepEqual(fixture.settle(), []);
    const client = fixture.kernel.descriptor();
    fixture.kernel.newest.backlog.push(client);
    fixture.driver.unlisten();
    assert.equal(fixture.driver.sleep(), false);
    const completions = fixture.settle().map((one) => fixture.describe(one));
    assert.deepEqual(completions, [`ACCEPT -1: ${client}`, 'UNLISTEN -1: 0']);
    fixture.driver.refuse(client);
    fixture.finish();
  });
});
