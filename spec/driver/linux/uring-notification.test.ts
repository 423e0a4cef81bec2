// When the uring driver sleeps and what wakes it, on a scripted kernel.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { NOT_CACHED } from '../../../src/driver/driver.ts';
import { IORING_OP_RECV, IORING_OP_SEND } from '../../../src/driver/linux/uring-layout.ts';
import { REGION, RingFixture } from '../scripted/ring-fixture.ts';

const CANCELED = -ERRNO.ECANCELED;

describe('the notification', () => {
  it('sleep returns false while there is something to do', () => {
    const fixture = new RingFixture({ capacity: 1 });
    const sockets = [0, 1].map((slot) => fixture.adopt(slot));
    fixture.driver.receive(0);
    assert.equal(fixture.driver.sleep(), false, 'an entry is to be submitted');
    fixture.driver.receive(1);
    fixture.settle();
    fixture.write(sockets[0], 'a');
    assert.equal(fixture.driver.sleep(), false, 'completions are due');
    fixture.write(sockets[1], 'b');
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 0: 'a'");
    assert.equal(fixture.driver.sleep(), false, 'a completion is not reaped');
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 1: 'b'");
    fixture.driver.close(0);
    assert.equal(fixture.driver.sleep(), false, 'a CLOSE is queued');
    assert.equal(fixture.single(fixture.poll()), 'CLOSE 0: 0');
    assert.equal(fixture.driver.sleep(), true);
    fixture.poll();
    fixture.finish(1);
  });

  it('sleep returns false while a send from a file was not tried', () => {
    const fixture = new RingFixture();
    fixture.adopt(0);
    fixture.settle();
    assert.equal(fixture.driver.mapFile(-1, 900, 0), true);
    fixture.driver.send(0, -1, 0, 5, false);
    assert.equal(fixture.driver.sleep(), false);
    assert.equal(fixture.single(fixture.poll()), `SEND 0: ${NOT_CACHED}`);
    assert.equal(fixture.driver.sleep(), true);
    fixture.poll();
    fixture.finish(0);
  });

  it('wakes once for many completions, and is not notified while awake', () => {
    const fixture = new RingFixture();
    const sockets = [0, 1, 2].map((slot) => fixture.adopt(slot));
    for (const slot of [0, 1, 2]) fixture.driver.receive(slot);
    fixture.settle();
    assert.equal(fixture.driver.sleep(), true);
    for (const socket of sockets) fixture.write(socket, 'x');
    for (let round = 0; round < 3; round++) fixture.kernel.loop();
    assert.deepEqual(fixture.wakes, [true]);
    for (const one of fixture.settle()) fixture.describe(one);
    for (const slot of [0, 1, 2]) fixture.driver.receive(slot);
    fixture.poll();
    for (const socket of sockets) fixture.write(socket, 'y');
    assert.equal(fixture.kernel.isNotified, false, 'while awake there is no notification');
    for (const one of fixture.settle()) fixture.describe(one);
    assert.deepEqual(fixture.wakes, [true]);
    fixture.finish(0, 1, 2);
  });

  it('a call wakes before the notification: one wake, the late notification has no effect', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    fixture.driver.receive(0);
    fixture.settle();
    assert.equal(fixture.driver.sleep(), true);
    fixture.write(socket, 'x');
    fixture.driver.send(0, REGION, 0, 1, false);
    assert.deepEqual(fixture.wakes, [false]);
    fixture.kernel.loop();
    assert.deepEqual(fixture.wakes, [false], 'an awake driver ignores the notification');
    assert.equal(fixture.kernel.isNotified, false, 'and the eventfd is cleared');
    for (const one of fixture.settle()) fixture.describe(one);
    // A notification without completions: no wake(), and the eventfd is cleared.
    assert.equal(fixture.driver.sleep(), true);
    fixture.kernel.isNotified = true;
    fixture.kernel.loop();
    fixture.kernel.loop();
    assert.deepEqual(fixture.wakes, [false]);
    assert.equal(fixture.kernel.isNotified, false);
    assert.deepEqual(fixture.settle(), []);
    fixture.finish(0);
  });

  it('a completion between the last poll and sleep is not lost', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    for (let round = 0; round < 50; round++) {
      fixture.driver.receive(0);
      fixture.settle();
      if (round % 2 === 0) fixture.write(socket, 'x');
      const asleep = fixture.driver.sleep();
      assert.equal(asleep, round % 2 === 1);
      if (asleep) fixture.write(socket, 'x');
      fixture.kernel.loop();
      assert.equal(fixture.wakes.splice(0).length, asleep ? 1 : 0);
      assert.equal(fixture.single(fixture.poll()), "RECEIVE 0: 'x'");
    }
    fixture.finish(0);
  });

  it('the kernel is entered once a turn, and not at all without a reason', () => {
    const fixture = new RingFixture();
    const socket = fixture.adopt(0);
    fixture.driver.receive(0);
    fixture.settle();
    const before = fixture.kernel.enterCount;
    for (let turn = 0; turn < 10; turn++) fixture.poll();
    assert.equal(fixture.kernel.enterCount, before);
    fixture.write(socket, 'x');
    assert.equal(fixture.single(fixture.poll()), "RECEIVE 0: 'x'");
    fixture.driver.receive(0);
    fixture.driver.send(0, REGION, 0, 1, false);
    assert.equal(fixture.single(fixture.poll()), 'SEND 0: 1');
    assert.equal(fixture.kernel.enterCount, before + 2);
    const operations = fixture.kernel.taken.map((entry) => entry[0] & 0xff);
    assert.deepEqual(operations, [IORING_OP_RECV, IORING_OP_RECV, IORING_OP_SEND]);
    fixture.driver.abort(0, false);
    assert.equal(fixture.single(fixture.settle()), `RECEIVE 0: ${CANCELED}`);
    fixture.finish(0);
  });
});
