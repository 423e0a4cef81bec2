// One socket of the portable driver over a scripted socket of Node: what is passed on and when, and
// what completes with which result. Failures at each step: callbacks-fail.test.ts.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import type { Probed } from '../../../src/driver/net/probe.ts';
import { NetQueue } from '../../../src/driver/net/queue.ts';
import { NetSocket } from '../../../src/driver/net/socket.ts';
import { errorOf, ScriptedSocket } from '../scripted/node-socket.ts';

const BLOCK_BYTES = 64;
const SLOT = 5;
const SEND_BYTES_MAX = 128 * 1024;

class Fixture {
  readonly node = new ScriptedSocket();
  readonly slab: Slab;
  readonly queue = new NetQueue(16);
  readonly watched = new Set<Probed>();
  readonly starved = new Set<NetSocket>();
  readonly socket: NetSocket;
  releases = 0;

  constructor({ blocks = 4, isUnix = false } = {}) {
    this.slab = new Slab(BLOCK_BYTES, blocks);
    const probe = {
      add: (one: Probed) => void this.watched.add(one),
      remove: (one: Probed) => void this.watched.delete(one),
    };
    const { queue, slab, starved } = this;
    const blockReleased = (): void => {
      this.releases += 1;
    };
    const shared = { queue, slab, starved, probe, table: {}, blockReleased };
    this.socket = new NetSocket(shared as never, this.node as unknown as Socket, isUnix);
    this.socket.slot = SLOT;
  }

  /** The completions as operation and result; of a receive its text. */
  poll(): (readonly [op: number, result: number | string])[] {
    const out = new Completions(16);
    const count = this.queue.moveTo(out, 0);
    return Array.from({ length: count }, (_, index) => {
      const [op, result, block] = [out.op[index], out.result[index], out.block[index]];
      assert.equal(out.slot[index], SLOT);
      assert.equal(block >= 0, op === Op.Receive && result > 0);
      if (op !== Op.Close) this.socket.endFlight(op);
      if (block < 0) return [op, result];
      const start = this.slab.start(block);
      const text = Buffer.from(this.slab.bytes.slice(start, start + result)).toString();
      this.slab.release(block);
      return [op, text];
    });
  }

  /** What was called of Node's socket since the last time. */
  called(): string[] {
    return this.node.calls.splice(0);
  }

  says(text: string): void {
    assert.ok(this.node.isReading, 'it reads');
    this.node.emit('data', Buffer.from(text));
  }
}

describe('bytes that a socket receives', () => {
  it('come in blocks, and nothing is read while some wait', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    assert.equal(node.isReading, false, 'not before a receive');
    socket.receive();
    const long = 'ab'.repeat(BLOCK_BYTES);
    fixture.says(long);
    assert.equal(node.isReading, false);
    assert.deepEqual(fixture.poll(), [[Op.Receive, long.slice(0, BLOCK_BYTES)]]);
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, long.slice(BLOCK_BYTES)]]);
    assert.equal(node.isReading, false, 'not before the next receive');
    socket.receive();
    assert.equal(node.isReading, true);
    fixture.says('x'.repeat(BLOCK_BYTES));
    assert.equal(node.isReading, true, 'all of it fits');
    assert.deepEqual(fixture.poll(), [[Op.Receive, 'x'.repeat(BLOCK_BYTES)]]);
    // Without a receive in flight.
    fixture.says('early');
    assert.equal(node.isReading, false);
    assert.deepEqual(fixture.poll(), []);
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, 'early']]);
  });

  it('wait for a block, in their turn, and the end follows them', () => {
    const fixture = new Fixture({ blocks: 1 });
    const { node, slab, socket, starved } = fixture;
    const held = slab.acquire();
    socket.receive();
    fixture.says('first');
    assert.deepEqual([fixture.poll(), starved.has(socket), node.isReading], [[], true, false]);
    // Node may report the end of a socket that is paused.
    node.emit('end');
    assert.deepEqual(fixture.poll(), []);
    slab.release(held);
    assert.equal(fixture.releases, 1);
    starved.delete(socket);
    socket.retry();
    assert.deepEqual(fixture.poll(), [[Op.Receive, 'first']]);
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0]]);
    assert.equal(slab.freeCount, 1);
  });

  it('do not overtake those of sockets that wait already', () => {
    const fixture = new Fixture();
    const { socket, starved } = fixture;
    const other = new Fixture().socket;
    starved.add(other);
    socket.receive();
    fixture.says('second');
    assert.deepEqual([fixture.poll(), [...starved]], [[], [other, socket]]);
    // Its turn, while others wait behind it.
    socket.retry();
    assert.deepEqual(fixture.poll(), [[Op.Receive, 'second']]);
  });

  it('are dropped after an abort or a close', () => {
    for (const how of ['abort', 'close']) {
      const fixture = new Fixture();
      const { node, socket } = fixture;
      socket.receive();
      fixture.says('kept');
      fixture.poll();
      node.emit('data', Buffer.from('waits'));
      if (how === 'abort') socket.abort(false);
      else socket.close();
      node.emit('data', Buffer.from('late'));
      fixture.poll();
      assert.equal(socket.rest, null);
      if (how === 'close') continue;
      socket.receive();
      assert.deepEqual(fixture.poll(), [[Op.Receive, -ERRNO.ECANCELED]]);
    }
  });
});

describe('bytes that a socket sends', () => {
  it('are passed on in parts, whose progress shows', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    for (const bytes of [1, SEND_BYTES_MAX, SEND_BYTES_MAX + 1]) {
      const most = Math.min(bytes, SEND_BYTES_MAX);
      socket.send(Buffer.alloc(bytes));
      assert.deepEqual(fixture.called(), [`write ${most}`]);
      assert.deepEqual(fixture.poll(), [], 'until all of it has left');
      node.writes.shift()?.();
      assert.deepEqual(fixture.poll(), [[Op.Send, most]]);
    }
  });

  it('leave before the end of the stream, which comes once', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    socket.send(Buffer.alloc(9));
    for (let count = 0; count < 2; count++) socket.shutdownSend();
    assert.deepEqual(fixture.called(), ['write 9']);
    node.writes.shift()?.();
    assert.deepEqual(fixture.called(), ['end']);
    assert.deepEqual(fixture.poll(), [[Op.Send, 9]]);
    assert.throws(() => socket.send(Buffer.alloc(1)), /nothing is sent after a shutdown/);
    const idle = new Fixture();
    idle.socket.shutdownSend();
    assert.deepEqual(idle.called(), ['end']);
  });

  it('that fail have the fault of the socket, or their own', () => {
    for (const [isKnown, fault] of [
      [false, -ERRNO.EPIPE],
      [true, -ERRNO.ETIMEDOUT],
    ] as const) {
      const fixture = new Fixture();
      const { node, socket } = fixture;
      socket.send(Buffer.alloc(1));
      const [written] = node.writes.splice(0);
      if (isKnown) node.emit('error', errorOf('ETIMEDOUT'));
      written(errorOf('EPIPE'));
      assert.deepEqual(fixture.poll(), [[Op.Send, fault]], 'once');
      written();
      assert.deepEqual(fixture.poll(), []);
    }
  });
});

describe('a socket that is broken', () => {
  it('by an error has the first one for whatever is asked', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    socket.receive();
    socket.watch();
    node.emit('error', errorOf('ETIMEDOUT'));
    node.emit('error', errorOf('ECONNRESET'));
    node.emit('close');
    const fault = -ERRNO.ETIMEDOUT;
    assert.deepEqual(fixture.poll(), [
      [Op.Receive, fault],
      [Op.Watch, fault],
    ]);
    assert.equal(fixture.watched.size, 0);
    socket.receive();
    socket.send(Buffer.alloc(1));
    socket.watch();
    assert.deepEqual(fixture.poll(), [
      [Op.Receive, fault],
      [Op.Send, fault],
      [Op.Watch, fault],
    ]);
    socket.abort(false);
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, fault]], 'an abort does not hide it');
    assert.deepEqual(fixture.called(), []);
  });

  it('without an error was reset', () => {
    const fixture = new Fixture();
    fixture.socket.receive();
    fixture.socket.watch();
    fixture.node.destroy();
    const fault = -ERRNO.ECONNRESET;
    assert.deepEqual(fixture.poll(), [
      [Op.Receive, fault],
      [Op.Watch, fault],
    ]);
    fixture.socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, fault]]);
  });

  it('after both ends is no fault of receives, but takes nothing more', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    node.emit('end');
    node.destroy();
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0]]);
    socket.send(Buffer.alloc(1));
    socket.watch();
    assert.deepEqual(fixture.poll(), [
      [Op.Send, -ERRNO.EPIPE],
      [Op.Watch, -ERRNO.ECONNRESET],
    ]);
    socket.probe();
    socket.shutdownSend();
    assert.deepEqual(fixture.called(), ['destroy']);
    socket.close();
    assert.deepEqual(fixture.poll(), [[Op.Close, 0]]);
  });
});

describe('a probe', () => {
  it('writes nothing while a write would fail by itself, or cannot be', () => {
    const fixture = new Fixture();
    const { node, socket } = fixture;
    socket.watch();
    assert.deepEqual([...fixture.watched], [socket]);
    socket.probe();
    assert.deepEqual(fixture.called(), ['write 0']);
    socket.send(Buffer.alloc(1));
    socket.probe();
    assert.deepEqual(fixture.called(), ['write 1']);
    node.writes.shift()?.();
    fixture.poll();
    socket.probe();
    socket.shutdownSend();
    socket.probe();
    assert.deepEqual(fixture.called(), ['write 0', 'end']);
    node.emit('error', errorOf('EPIPE'));
    assert.deepEqual(fixture.poll(), [[Op.Watch, -ERRNO.EPIPE]]);
    assert.equal(fixture.watched.size, 0);
  });
});

describe('an abort', () => {
  const CANCELLED = -ERRNO.ECANCELED;

  it('completes what is in flight, once, and resets where that is possible', () => {
    for (const [isUnix, connecting, ends] of [
      [false, false, ['reset', 'destroy']],
      [true, false, ['destroy']],
      [false, true, ['destroy']],
    ] as const) {
      const fixture = new Fixture({ isUnix });
      const { node, socket } = fixture;
      node.connecting = connecting;
      socket.receive();
      socket.send(Buffer.alloc(1));
      socket.watch();
      if (connecting) socket.startConnect();
      fixture.called();
      for (let count = 0; count < 2; count++) socket.abort(true);
      assert.deepEqual(fixture.called(), ends);
      assert.deepEqual(fixture.poll(), [
        ...(connecting ? [[Op.Connect, CANCELLED] as const] : []),
        [Op.Receive, CANCELLED],
        [Op.Send, CANCELLED],
        [Op.Watch, CANCELLED],
      ]);
      node.emit('connect');
      assert.deepEqual(fixture.poll(), []);
      socket.close();
      assert.deepEqual(fixture.poll(), [[Op.Close, 0]]);
    }
  });

  it('without a reset lets the kernel deliver what it has, and sends no end', () => {
    const fixture = new Fixture();
    const { socket } = fixture;
    socket.send(Buffer.alloc(1));
    socket.shutdownSend();
    fixture.called();
    socket.abort(false);
    assert.deepEqual(fixture.poll(), [[Op.Send, CANCELLED]]);
    assert.deepEqual(fixture.called(), []);
    socket.receive();
    assert.deepEqual(fixture.poll(), [[Op.Receive, CANCELLED]], 'nothing begins any more');
    socket.close();
    assert.deepEqual([fixture.called(), fixture.poll()], [['destroy'], [[Op.Close, 0]]]);
  });

  it('of a receive without a block gives up its turn', () => {
    const fixture = new Fixture({ blocks: 1 });
    const held = fixture.slab.acquire();
    fixture.socket.receive();
    fixture.says('lost');
    fixture.socket.abort(false);
    assert.deepEqual([fixture.starved.size, fixture.poll()], [0, [[Op.Receive, CANCELLED]]]);
    fixture.slab.release(held);
    fixture.socket.retry();
    assert.deepEqual([fixture.poll(), fixture.slab.freeCount], [[], 1]);
  });

  it('during a half close resets when that has ended', () => {
    for (const isFirst of [false, true]) {
      const fixture = new Fixture();
      const { node, socket } = fixture;
      socket.shutdownSend();
      socket.abort(true);
      assert.deepEqual(fixture.called(), ['end']);
      if (isFirst) node.emit('finish');
      socket.close();
      if (!isFirst) {
        assert.deepEqual([fixture.called(), fixture.poll()], [[], []], 'it waits');
        node.emit('finish');
      }
      assert.deepEqual(fixture.called(), ['reset', 'destroy']);
      assert.deepEqual(fixture.poll(), [[Op.Close, 0]]);
      node.emit('finish');
      assert.deepEqual(fixture.called(), []);
    }
    // A half close that has ended before.
    const fixture = new Fixture();
    fixture.socket.shutdownSend();
    fixture.node.writableFinished = true;
    fixture.socket.abort(true);
    assert.deepEqual(fixture.called(), ['end', 'reset', 'destroy']);
  });
});

describe('a socket that connects', () => {
  it('has connected, or failed, once', () => {
    for (const fails of [false, true]) {
      const fixture = new Fixture();
      fixture.socket.startConnect();
      assert.deepEqual(fixture.poll(), []);
      if (fails) fixture.node.emit('error', errorOf('ECONNREFUSED'));
      else fixture.node.emit('connect');
      assert.deepEqual(fixture.poll(), [[Op.Connect, fails ? -ERRNO.ECONNREFUSED : 0]]);
      fixture.node.emit('connect');
      assert.deepEqual(fixture.poll(), []);
    }
  });

  it('knows its peer: an IPv4 address as such', () => {
    for (const [remoteAddress, address] of [
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['::ffff:c000:207', '::ffff:c000:207'],
      ['192.0.2.7', '192.0.2.7'],
      ['2001:db8::1.2.3.4', '2001:db8::1.2.3.4'],
      [undefined, ''],
    ] as const) {
      const { node, socket } = new Fixture();
      node.remoteAddress = remoteAddress;
      node.remotePort = remoteAddress === undefined ? undefined : 7;
      assert.deepEqual(socket.peer(), { address, port: remoteAddress === undefined ? 0 : 7 });
    }
  });

  it('is closed once, with nothing in flight', () => {
    const { socket } = new Fixture();
    socket.receive();
    assert.throws(() => socket.close(), /nothing is in flight/);
    assert.throws(() => socket.receive(), /one receive is in flight/);
    const closed = new Fixture().socket;
    closed.close();
    assert.throws(() => closed.close(), /a socket is closed once/);
    assert.throws(() => closed.receive(), /a closing socket receives nothing/);
    assert.throws(() => closed.watch(), /a closing socket is not watched/);
    assert.throws(() => closed.send(Buffer.alloc(1)), /nothing is sent after a shutdown/);
  });
});
