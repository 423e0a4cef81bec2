// When a ring driver sleeps and what wakes it, on a scripted kernel.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { IORING_OP_RECV, IORING_OP_SEND } from '../../../src/driver/linux/uring-layout.ts';
import { REGION, RingBench } from '../scripted/ring-fixture.ts';

const CANCELED = -ERRNO.ECANCELED;

describe('the bell', () => {
  it('sleep refuses while there is something to do', () => {
    const bench = new RingBench({ capacity: 1 });
    const sockets = [0, 1].map((slot) => bench.adopt(slot));
    bench.driver.receive(0);
    assert.equal(bench.driver.sleep(), false, 'an entry is to be submitted');
    bench.driver.receive(1);
    bench.settle();
    bench.write(sockets[0], 'a');
    assert.equal(bench.driver.sleep(), false, 'the kernel has work');
    bench.write(sockets[1], 'b');
    assert.equal(bench.single(bench.poll()), "RECEIVE 0: 'a'");
    assert.equal(bench.driver.sleep(), false, 'a completion is not read');
    assert.equal(bench.single(bench.poll()), "RECEIVE 1: 'b'");
    bench.driver.close(0);
    assert.equal(bench.driver.sleep(), false, 'a CLOSE is to be told');
    assert.equal(bench.single(bench.poll()), 'CLOSE 0: 0');
    assert.equal(bench.driver.sleep(), true);
    bench.poll();
    bench.finish(1);
  });

  it('wakes once for many completions, and is silent while awake', () => {
    const bench = new RingBench();
    const sockets = [0, 1, 2].map((slot) => bench.adopt(slot));
    for (const slot of [0, 1, 2]) bench.driver.receive(slot);
    bench.settle();
    assert.equal(bench.driver.sleep(), true);
    for (const socket of sockets) bench.write(socket, 'x');
    for (let round = 0; round < 3; round++) bench.kernel.loop();
    assert.deepEqual(bench.wakes, [true]);
    for (const one of bench.settle()) bench.told(one);
    for (const slot of [0, 1, 2]) bench.driver.receive(slot);
    bench.poll();
    for (const socket of sockets) bench.write(socket, 'y');
    assert.equal(bench.kernel.bell, false, 'nobody sleeps, so it does not ring');
    for (const one of bench.settle()) bench.told(one);
    assert.deepEqual(bench.wakes, [true]);
    bench.finish(0, 1, 2);
  });

  it('a call wakes before the bell does: one wake, and the late bell does no harm', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    bench.driver.receive(0);
    bench.settle();
    assert.equal(bench.driver.sleep(), true);
    bench.write(socket, 'x');
    bench.driver.send(0, REGION, 0, 1, false);
    assert.deepEqual(bench.wakes, [false]);
    bench.kernel.loop();
    assert.deepEqual(bench.wakes, [false], 'who is awake hears no bell');
    assert.equal(bench.kernel.bell, false, 'and it does not ring on');
    for (const one of bench.settle()) bench.told(one);
    // It rings for nothing: nobody wakes, and it is quiet again.
    assert.equal(bench.driver.sleep(), true);
    bench.kernel.bell = true;
    bench.kernel.loop();
    bench.kernel.loop();
    assert.deepEqual(bench.wakes, [false]);
    assert.equal(bench.kernel.bell, false);
    assert.deepEqual(bench.settle(), []);
    bench.finish(0);
  });

  it('what comes between the last poll and sleep is not lost', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    for (let round = 0; round < 50; round++) {
      bench.driver.receive(0);
      bench.settle();
      if (round % 2 === 0) bench.write(socket, 'x');
      const asleep = bench.driver.sleep();
      assert.equal(asleep, round % 2 === 1);
      if (asleep) bench.write(socket, 'x');
      bench.kernel.loop();
      assert.equal(bench.wakes.splice(0).length, asleep ? 1 : 0);
      assert.equal(bench.single(bench.poll()), "RECEIVE 0: 'x'");
    }
    bench.finish(0);
  });

  it('what the kernel is asked for is entered once a turn, and not at all for nothing', () => {
    const bench = new RingBench();
    const socket = bench.adopt(0);
    bench.driver.receive(0);
    bench.settle();
    const before = bench.kernel.enterCount;
    for (let turn = 0; turn < 10; turn++) bench.poll();
    assert.equal(bench.kernel.enterCount, before);
    bench.write(socket, 'x');
    assert.equal(bench.single(bench.poll()), "RECEIVE 0: 'x'");
    bench.driver.receive(0);
    bench.driver.send(0, REGION, 0, 1, false);
    assert.equal(bench.single(bench.poll()), 'SEND 0: 1');
    assert.equal(bench.kernel.enterCount, before + 2);
    const operations = bench.kernel.taken.map((entry) => entry[0] & 0xff);
    assert.deepEqual(operations, [IORING_OP_RECV, IORING_OP_RECV, IORING_OP_SEND]);
    bench.driver.abort(0, false);
    assert.equal(bench.single(bench.settle()), `RECEIVE 0: ${CANCELED}`);
    bench.finish(0);
  });
});
