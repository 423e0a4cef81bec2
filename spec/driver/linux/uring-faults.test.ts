// The ring driver on a scripted kernel: refusals, full queues, missing buffers, late completions.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Op } from '../../../src/driver/driver.ts';
import { UringDriver } from '../../../src/driver/linux/uring.ts';
import { CQE_BUFFER_SHIFT, CQE_F_BUFFER } from '../../../src/driver/linux/uring-layout.ts';
import { ScriptedRing, type ScriptedSocket } from '../scripted/ring.ts';
import { plainCalls, REGION, RingBench } from '../scripted/ring-fixture.ts';

const CANCELED = -ERRNO.ECANCELED;

/** Slot 0 has the only block; slot 1 has looked, found nothing, and waits for bytes without one. */
function waitWithoutBuffer(bench: RingBench): { waiting: ScriptedSocket; block: number } {
  const other = bench.adopt(0);
  const waiting = bench.adopt(1);
  // The kernel said that there is more, and then there is not: the receive does not wait for it.
  bench.write(waiting, 'x'.repeat(65));
  bench.driver.receive(1);
  assert.equal(bench.single(bench.settle()), `RECEIVE 1: '${'x'.repeat(64)}'`);
  waiting.input = Buffer.alloc(0);
  bench.write(other, 'holds the only block');
  bench.driver.receive(0);
  const [{ block }] = bench.settle();
  bench.driver.receive(1);
  assert.deepEqual(bench.settle(), []);
  return { waiting, block };
}

describe('a ring driver whose kernel refuses', () => {
  for (const name of ['EINTR', 'EAGAIN', 'EBUSY'] as const) {
    it(`${name} of enter: entries are kept, and submitted once`, () => {
      const bench = new RingBench();
      const socket = bench.adopt(0);
      bench.write(socket, 'hello');
      bench.driver.receive(0);
      bench.driver.send(0, REGION, 0, 10, false);
      const refusal = -ERRNO[name === 'EBUSY' ? 'EAGAIN' : name];
      bench.kernel.enterScript.push(name === 'EBUSY' ? -16 : refusal, refusal);
      for (let turn = 0; turn < 2; turn++) {
        assert.deepEqual(bench.poll(), []);
        assert.equal(bench.driver.sleep(), false, 'there is something to submit');
      }
      assert.equal(bench.kernel.taken.length, 0);
      const told = bench.settle().map((one) => bench.told(one));
      assert.deepEqual(told.sort(), ["RECEIVE 0: 'hello'", 'SEND 0: 10']);
      assert.equal(bench.kernel.taken.length, 2, 'none was submitted twice');
      bench.finish(0);
    });
  }

  it('enter takes some entries: the others follow, each once', () => {
    const bench = new RingBench();
    const sockets = [0, 1, 2, 3, 4, 5, 6, 7].map((slot) => bench.adopt(slot));
    for (let slot = 0; slot < 8; slot++) {
      bench.region[slot] = 65 + slot;
      bench.driver.send(slot, REGION, slot, slot + 1, false);
    }
    bench.kernel.enterScript.push(3, 1, 0);
    const finished = bench.settle();
    assert.deepEqual(
      finished.map(({ slot }) => slot),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.equal(bench.kernel.taken.length, 8);
    const texts = sockets.map(({ output }) => String(output));
    assert.deepEqual(texts, ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']);
    bench.finish(0, 1, 2, 3, 4, 5, 6, 7);
  });

  it('a submission queue that fills up in the middle of a turn is emptied', () => {
    const bench = new RingBench({
      slots: 40,
      blockCount: 512,
      sizes: { entries: 8, completions: 128 },
    });
    const slots = Array.from({ length: 40 }, (_, slot) => slot);
    const sockets = slots.map((slot) => bench.adopt(slot));
    // Room is asked for in vain for a while.
    bench.kernel.enterScript.push(-ERRNO.EAGAIN, -ERRNO.EINTR, 0, 2);
    for (const slot of slots) {
      bench.driver.receive(slot);
      bench.driver.send(slot, REGION, 0, slot + 1, false);
      bench.write(sockets[slot], `${slot}`);
    }
    const told = bench.settle().map((one) => bench.told(one));
    const expected = slots.flatMap((slot) => [
      `RECEIVE ${slot}: '${slot}'`,
      `SEND ${slot}: ${slot + 1}`,
    ]);
    assert.deepEqual(told.sort(), expected.sort());
    for (const [slot, socket] of sockets.entries()) {
      assert.equal(Buffer.concat(socket.output).length, slot + 1);
    }
    bench.finish(...slots);
  });

  it('completions beyond the queue for them come later, none lost, none twice', () => {
    const bench = new RingBench({ slots: 40, blockCount: 512, completionCount: 4 });
    const slots = Array.from({ length: 40 }, (_, slot) => slot);
    for (const slot of slots) {
      bench.write(bench.adopt(slot), `${slot}`);
      bench.driver.receive(slot);
      bench.driver.send(slot, REGION, 0, 1, false);
    }
    const told = bench.settle().map((one) => bench.told(one));
    const expected = slots.flatMap((slot) => [`RECEIVE ${slot}: '${slot}'`, `SEND ${slot}: 1`]);
    assert.deepEqual(told.sort(), expected.sort());
    bench.finish(...slots);
  });

  it('what was opened is closed again when a ring cannot be made', () => {
    const steps = { setup: 1, mapMemory: 3, eventfd: 1, register: 2 };
    for (const [name, count] of Object.entries(steps)) {
      for (let after = 0; after < count; after++) {
        const kernel = new ScriptedRing();
        kernel.failing = { name, after, errno: ERRNO.ENOMEM };
        const slab = new Slab(64, 16);
        const options = { slab, slots: 4, backlog: 4 };
        assert.throws(() => new UringDriver(options, plainCalls(kernel), kernel), /errno 12/);
        assert.deepEqual([...kernel.open], [], `${name} ${after}: descriptors`);
        assert.equal(kernel.memory.mappingCount, 0, `${name} ${after}: memory`);
        assert.equal(slab.freeCount, 16);
      }
    }
  });
});

describe('a ring driver and its blocks', () => {
  it('more comes in a turn than there are buffers: the others get theirs in the next', () => {
    const bench = new RingBench({ blockCount: 16 });
    for (let slot = 0; slot < 8; slot++) {
      bench.write(bench.adopt(slot), `bytes ${slot}`);
      bench.driver.receive(slot);
    }
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(
      told,
      Array.from({ length: 8 }, (_, slot) => `RECEIVE ${slot}: 'bytes ${slot}'`),
    );
    bench.finish(0, 1, 2, 3, 4, 5, 6, 7);
  });

  it('ENOBUFS, EAGAIN and EINTR of a receive are tried again', () => {
    for (const errno of [ERRNO.ENOBUFS, ERRNO.EAGAIN, ERRNO.EINTR]) {
      const bench = new RingBench();
      bench.write(bench.adopt(0), 'bytes');
      bench.kernel.receiveScript.push(-errno, -errno);
      bench.driver.receive(0);
      assert.equal(bench.single(bench.settle()), "RECEIVE 0: 'bytes'");
      bench.finish(0);
    }
  });

  it('a socket waits for a block, and is woken when one comes back', () => {
    const bench = new RingBench({ blockCount: 1 });
    bench.write(bench.adopt(0), 'first');
    bench.driver.receive(0);
    const [{ block }] = bench.settle();
    bench.write(bench.adopt(1), 'second');
    bench.driver.receive(1);
    assert.deepEqual(bench.settle(), []);
    assert.equal(bench.driver.sleep(), true);
    bench.slab.release(block);
    assert.deepEqual(bench.wakes, [false]);
    assert.equal(bench.single(bench.settle()), "RECEIVE 1: 'second'");
    bench.finish(0, 1);
  });

  it('the end and a reset are told while no block is free', () => {
    const bench = new RingBench({ blockCount: 1 });
    bench.write(bench.adopt(0), 'the block goes here');
    bench.driver.receive(0);
    const [{ block }] = bench.settle();
    const ended = bench.adopt(1);
    const broken = bench.adopt(2);
    bench.driver.receive(1);
    bench.driver.receive(2);
    assert.deepEqual(bench.settle(), []);
    bench.end(ended);
    bench.reset(broken, ERRNO.ECONNRESET);
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(told.sort(), ['RECEIVE 1: 0', `RECEIVE 2: ${-ERRNO.ECONNRESET}`]);
    bench.slab.release(block);
    bench.finish(0, 1, 2);
  });

  it('an end is told also when the last block went to somebody else in the same turn', () => {
    const bench = new RingBench({ blockCount: 2 });
    const sockets = [0, 1].map((slot) => bench.adopt(slot));
    for (const slot of [0, 1]) bench.driver.receive(slot);
    assert.deepEqual(bench.settle(), []);
    bench.write(sockets[0], 'takes the buffer');
    bench.end(sockets[1]);
    const [{ slot, block }] = bench.poll();
    assert.equal(slot, 0);
    const others = bench.starve();
    assert.equal(others.length, 1);
    assert.equal(bench.single(bench.settle()), 'RECEIVE 1: 0');
    bench.release([block, ...others]);
    bench.finish(0, 1);
  });

  it('one who found no buffer and then no bytes gets what comes later', () => {
    const bench = new RingBench({ blockCount: 1 });
    const { waiting, block } = waitWithoutBuffer(bench);
    bench.slab.release(block);
    assert.deepEqual(bench.settle(), [], 'the kernel has the block');
    bench.write(waiting, 'late');
    assert.equal(bench.single(bench.settle()), "RECEIVE 1: 'late'");
    bench.finish(0, 1);
  });

  it('those who did not fit in a poll are not forgotten while the kernel has buffers', () => {
    const bench = new RingBench({ blockCount: 1, capacity: 2 });
    const sockets = [0, 1, 2, 3, 4, 5].map((slot) => bench.adopt(slot));
    bench.write(sockets[0], 'holds the only block');
    bench.driver.receive(0);
    const [{ block }] = bench.settle();
    for (const slot of [1, 2, 3, 4, 5]) {
      bench.write(sockets[slot], `bytes ${slot}`);
      bench.driver.receive(slot);
    }
    assert.deepEqual(bench.settle(), []);
    // The first in line need no buffer any more.
    for (const socket of sockets.slice(1, 4)) {
      socket.input = Buffer.alloc(0);
      bench.reset(socket, ERRNO.ECONNRESET);
    }
    bench.slab.release(block);
    const told: string[] = [];
    for (let turn = 0; turn < 20; turn++) told.push(...bench.settle().map((o) => bench.told(o)));
    const reset = -ERRNO.ECONNRESET;
    assert.deepEqual(told.sort(), [
      `RECEIVE 1: ${reset}`,
      `RECEIVE 2: ${reset}`,
      `RECEIVE 3: ${reset}`,
      "RECEIVE 4: 'bytes 4'",
      "RECEIVE 5: 'bytes 5'",
    ]);
    bench.finish(0, 1, 2, 3, 4, 5);
  });

  it('70,000 receives: the numbers of the ring of buffers start again at 65,536', () => {
    const bench = new RingBench({ blockCount: 64 });
    const sockets = [0, 1, 2].map((slot) => bench.adopt(slot));
    let receives = 0;
    for (let round = 0; receives < 70_000; round++) {
      for (const [slot, socket] of sockets.entries()) {
        bench.driver.receive(slot);
        socket.input = Buffer.from(`${round}.${slot}`);
        bench.kernel.changed(socket.fd);
      }
      const finished = [...bench.poll(), ...bench.poll()];
      assert.equal(finished.length, 3);
      for (const { slot, result, block } of finished) {
        assert.equal(bench.bytesOf(block, result).toString(), `${round}.${slot}`);
        bench.slab.release(block);
        receives += 1;
      }
    }
    bench.finish(0, 1, 2);
  });
});

describe('a ring driver and what comes too late', () => {
  it("a late completion of a former socket is nobody else's, and its block comes back", () => {
    const bench = new RingBench();
    bench.adopt(0);
    bench.driver.receive(0);
    bench.driver.send(0, REGION, 0, 1, false);
    bench.settle();
    const tags = bench.kernel.taken.map((entry) => [entry[8], entry[9]] as const);
    bench.driver.abort(0, true);
    assert.equal(bench.single(bench.settle()), `RECEIVE 0: ${CANCELED}`);
    bench.driver.close(0);
    bench.settle();
    const socket = bench.adopt(0);
    bench.driver.receive(0);
    bench.kernel.sockets.forEach((one) => {
      one.room = 0;
    });
    bench.driver.send(0, REGION, 0, 5, false);
    assert.deepEqual(bench.settle(), []);
    const freeBefore = bench.slab.freeCount;
    for (const [low, high] of tags) {
      bench.kernel.post(low, high, 5, 0);
      bench.kernel.post(low, high, -ERRNO.ECONNRESET, 0);
    }
    const [[low, high]] = tags;
    const number = bench.kernel.stealBuffer();
    bench.kernel.post(low, high, 5, CQE_F_BUFFER | (number << CQE_BUFFER_SHIFT));
    assert.deepEqual(bench.settle(), []);
    assert.equal(bench.slab.freeCount, freeBefore, 'the kernel has another block instead');
    bench.drain(socket, 5);
    bench.write(socket, 'mine');
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(told.sort(), ["RECEIVE 0: 'mine'", 'SEND 0: 5']);
    bench.finish(0);
  });

  it('user_data is whole at the first slot and at the last of very many', () => {
    const last = 99_999;
    const bench = new RingBench({ slots: last + 1 });
    for (const slot of [0, 0xffff, 0x10000, last]) {
      for (let life = 0; life < 3; life++) {
        const socket = bench.adopt(slot);
        bench.driver.receive(slot);
        bench.driver.send(slot, REGION, 0, 7, false);
        bench.write(socket, 'seven');
        const told = bench.settle().map((one) => bench.told(one));
        assert.deepEqual(told.sort(), [`RECEIVE ${slot}: 'seven'`, `SEND ${slot}: 7`]);
        bench.driver.close(slot);
        assert.equal(bench.single(bench.settle()), `CLOSE ${slot}: 0`);
      }
    }
    bench.finish();
  });

  it('short sends are told as they are', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    bench.region.write('0123456789');
    bench.kernel.sendBytesMax = 4;
    for (let from = 0, turn = 0; from < 10; turn++) {
      assert.ok(turn < 3);
      bench.driver.send(0, REGION, from, 10, false);
      from += bench.settle()[0].result;
    }
    assert.equal(String(Buffer.concat(socket.output)), '0123456789');
    bench.finish(0);
  });
});

describe('abort in every state', () => {
  it('with a receive in flight', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    bench.driver.receive(0);
    assert.deepEqual(bench.settle(), []);
    bench.driver.abort(0, true);
    assert.equal(bench.single(bench.settle()), `RECEIVE 0: ${CANCELED}`);
    assert.ok(socket.lingersZero);
    bench.finish(0);
  });

  it('with a receive not yet submitted, twice', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    bench.driver.receive(0);
    bench.driver.abort(0, false);
    bench.driver.abort(0, false);
    assert.equal(bench.single(bench.settle()), `RECEIVE 0: ${CANCELED}`);
    assert.equal(socket.lingersZero, false);
    bench.finish(0);
  });

  it('with a send in flight', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    socket.room = 0;
    bench.driver.send(0, REGION, 0, 1, false);
    assert.deepEqual(bench.settle(), []);
    bench.driver.abort(0, true);
    assert.equal(bench.single(bench.settle()), `SEND 0: ${CANCELED}`);
    bench.finish(0);
  });

  it('with both in flight', () => {
    const bench = new RingBench();
    bench.adopt(0).room = 0;
    bench.driver.send(0, REGION, 0, 1, false);
    bench.driver.receive(0);
    bench.settle();
    bench.driver.abort(0, true);
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(told.sort(), [`RECEIVE 0: ${CANCELED}`, `SEND 0: ${CANCELED}`]);
    bench.finish(0);
  });

  it('while it waits for a block; the next socket of the slot gets its own', () => {
    const bench = new RingBench({ blockCount: 1 });
    bench.write(bench.adopt(0), 'first');
    bench.driver.receive(0);
    const [{ block }] = bench.settle();
    bench.write(bench.adopt(1), 'second');
    bench.driver.receive(1);
    assert.deepEqual(bench.settle(), []);
    bench.driver.abort(1, true);
    assert.throws(() => bench.driver.close(1), 'until poll() said so');
    assert.equal(bench.single(bench.poll()), `RECEIVE 1: ${CANCELED}`);
    bench.driver.close(1);
    bench.write(bench.adopt(1), 'third');
    bench.driver.receive(1);
    assert.equal(bench.single(bench.settle()), 'CLOSE 1: 0');
    bench.slab.release(block);
    assert.equal(bench.single(bench.settle()), "RECEIVE 1: 'third'");
    bench.finish(0, 1);
  });

  it('while it waits for bytes without a buffer, and they have just come', () => {
    const bench = new RingBench({ blockCount: 1, capacity: 1 });
    const { waiting, block } = waitWithoutBuffer(bench);
    bench.adopt(2);
    for (const slot of [0, 2]) bench.driver.send(slot, REGION, 0, 1, false);
    assert.equal(bench.single(bench.poll()), 'SEND 0: 1');
    bench.write(waiting, 'second');
    // The kernel has said that they came; the poll had room for the second send only.
    assert.equal(bench.single(bench.poll()), 'SEND 2: 1');
    bench.driver.abort(1, true);
    assert.equal(bench.single(bench.settle()), `RECEIVE 1: ${CANCELED}`);
    bench.slab.release(block);
    bench.finish(0, 1, 2);
  });

  it('while many wait: a slot that is used again stands in the queue once', () => {
    const bench = new RingBench({ slots: 3, blockCount: 1, capacity: 1 });
    bench.write(bench.adopt(0), 'first');
    bench.driver.receive(0);
    const [{ block }] = bench.settle();
    for (const slot of [1, 2]) {
      bench.write(bench.adopt(slot), `${slot}`);
      bench.driver.receive(slot);
    }
    assert.deepEqual(bench.settle(), []);
    // More often than the queue has places.
    for (let round = 0; round < 40; round++) {
      bench.driver.abort(2, true);
      assert.equal(bench.single(bench.poll()), `RECEIVE 2: ${CANCELED}`);
      bench.driver.close(2);
      assert.equal(bench.single(bench.poll()), 'CLOSE 2: 0');
      bench.write(bench.adopt(2), 'again');
      bench.driver.receive(2);
    }
    bench.slab.release(block);
    const told: string[] = [];
    for (let turn = 0; turn < 20; turn++) {
      for (const one of bench.poll()) told.push(bench.told(one));
    }
    assert.deepEqual(told.sort(), ["RECEIVE 1: '1'", "RECEIVE 2: 'again'"]);
    bench.finish(0, 1, 2);
  });

  it('while it waits for bytes without a buffer', () => {
    const bench = new RingBench({ blockCount: 1 });
    const { block } = waitWithoutBuffer(bench);
    bench.driver.abort(1, true);
    assert.equal(bench.single(bench.settle()), `RECEIVE 1: ${CANCELED}`);
    bench.slab.release(block);
    bench.finish(0, 1);
  });

  it('while it connects', () => {
    const bench = new RingBench();
    bench.driver.connect({ host: '127.0.0.1', port: 80 }, 0);
    assert.deepEqual(bench.settle(), []);
    bench.driver.abort(0, true);
    assert.equal(bench.single(bench.settle()), `CONNECT 0: ${CANCELED}`);
    bench.finish(0);
  });

  it('ENOBUFS that comes after the abort is its answer', () => {
    const bench = new RingBench({ blockCount: 1, capacity: 1 });
    const sockets = [0, 1].map((slot) => bench.adopt(slot));
    for (const slot of [0, 1]) bench.driver.receive(slot);
    assert.deepEqual(bench.settle(), []);
    for (const socket of sockets) bench.write(socket, 'bytes');
    // Both completions are made, and one is read.
    const first = bench.poll();
    assert.equal(bench.single(first), "RECEIVE 0: 'bytes'");
    bench.driver.abort(1, true);
    assert.equal(bench.single(bench.settle()), `RECEIVE 1: ${CANCELED}`);
    bench.finish(0, 1);
  });

  it('bytes that came before the abort are handed out', () => {
    const bench = new RingBench({ capacity: 1 });
    const sockets = [0, 1].map((slot) => bench.adopt(slot));
    for (const slot of [0, 1]) bench.driver.receive(slot);
    assert.deepEqual(bench.settle(), []);
    for (const socket of sockets) bench.write(socket, 'bytes');
    assert.equal(bench.single(bench.poll()), "RECEIVE 0: 'bytes'");
    bench.driver.abort(1, true);
    assert.equal(bench.single(bench.settle()), "RECEIVE 1: 'bytes'");
    bench.finish(0, 1);
  });

  it('when the kernel takes the cancellation only after the socket is closed', () => {
    const bench = new RingBench({ capacity: 1 });
    const sockets = [0, 1].map((slot) => bench.adopt(slot));
    for (const slot of [0, 1]) bench.driver.receive(slot);
    assert.deepEqual(bench.settle(), []);
    for (const socket of sockets) bench.write(socket, 'bytes');
    assert.equal(bench.single(bench.poll()), "RECEIVE 0: 'bytes'");
    bench.driver.abort(1, true);
    bench.kernel.enterScript.push(-ERRNO.EAGAIN);
    assert.equal(bench.single(bench.poll()), "RECEIVE 1: 'bytes'");
    bench.driver.close(1);
    assert.equal(bench.single(bench.settle()), 'CLOSE 1: 0');
    bench.finish(0);
  });
});

describe('connecting and listening on a ring', () => {
  it('connect comes to what the kernel says', () => {
    for (const result of [0, -ERRNO.ECONNREFUSED]) {
      const bench = new RingBench();
      bench.driver.connect({ host: '::1', port: 80 }, 0);
      assert.deepEqual(bench.settle(), []);
      const socket = bench.kernel.newest;
      socket.connected = result;
      bench.kernel.changed(socket.fd);
      assert.equal(bench.single(bench.settle()), `CONNECT 0: ${result}`);
      bench.finish(0);
    }
  });

  it('clients are taken as they fit, and none after unlisten', () => {
    const bench = new RingBench({ capacity: 2 });
    bench.driver.listen({ host: '127.0.0.1', port: 0 });
    assert.equal(bench.single(bench.settle()), 'LISTEN -1: 0');
    const listener = bench.kernel.newest;
    const handles = [1, 2, 3, 4, 5].map(() => bench.kernel.descriptor());
    listener.backlog.push(...handles);
    bench.kernel.changed(listener.fd);
    const accepted = bench.settle();
    assert.deepEqual(
      accepted.map(({ op, result }) => [op, result]),
      handles.map((handle) => [Op.Accept, handle]),
    );
    for (const handle of handles) bench.driver.refuse(handle);
    bench.driver.accepting(false);
    listener.backlog.push(bench.kernel.descriptor());
    bench.kernel.changed(listener.fd);
    assert.deepEqual(bench.settle(), []);
    bench.driver.accepting(true);
    const [{ result }] = bench.settle();
    bench.driver.refuse(result);
    bench.driver.unlisten();
    assert.equal(bench.single(bench.settle()), 'UNLISTEN -1: 0');
    bench.finish();
  });

  it('a listener that is announced while it closes takes those who wait, and closes', () => {
    const bench = new RingBench();
    bench.driver.listen({ host: '127.0.0.1', port: 0 });
    bench.settle();
    const listener = bench.kernel.newest;
    const client = bench.kernel.descriptor();
    listener.backlog.push(client);
    bench.kernel.changed(listener.fd);
    bench.driver.unlisten();
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(told, [`ACCEPT -1: ${client}`, 'UNLISTEN -1: 0']);
    bench.driver.refuse(client);
    bench.finish();
  });

  it('a listener that closes while it takes nobody does not sleep over those who wait', () => {
    const bench = new RingBench();
    bench.driver.listen({ host: '127.0.0.1', port: 0 });
    bench.settle();
    bench.driver.accepting(false);
    assert.deepEqual(bench.settle(), []);
    const client = bench.kernel.descriptor();
    bench.kernel.newest.backlog.push(client);
    bench.driver.unlisten();
    assert.equal(bench.driver.sleep(), false);
    const told = bench.settle().map((one) => bench.told(one));
    assert.deepEqual(told, [`ACCEPT -1: ${client}`, 'UNLISTEN -1: 0']);
    bench.driver.refuse(client);
    bench.finish();
  });
});
