// The driver of connections in memory keeps the contract of driver.ts. The suite of the other
// drivers does not run here: its clients are sockets of the kernel.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import { Completions, Op } from '../../../src/driver/driver.ts';
import { MemoryDriver } from '../../../src/driver/memory/memory.ts';
import { PIPE_BYTES_MAX } from '../../../src/driver/memory/pipe.ts';
import type { MemoryClient } from '../../../src/driver/memory/socket.ts';

const BLOCK_BYTES = 64;
const PEER = { address: '192.0.2.7', port: 7 };
const SENT = 1;

/** A completion as text: operation, slot, result. */
type Seen = readonly [op: number, slot: number, result: number];

class Fixture {
  readonly slab: Slab;
  readonly driver: MemoryDriver;
  readonly content: Uint8Array = new Uint8Array(2 * PIPE_BYTES_MAX).fill(120);
  readonly #out: Completions;
  readonly blocks: number[] = [];
  wakes = 0;

  constructor({ blocks = 4, room = 16 }: { blocks?: number; room?: number } = {}) {
    this.slab = new Slab(BLOCK_BYTES, blocks);
    this.driver = new MemoryDriver({ slab: this.slab, slots: 4, backlog: 8 });
    this.#out = new Completions(room);
    this.driver.wake = () => {
      this.wakes += 1;
    };
    this.driver.map(SENT, this.content);
    this.driver.listen({ host: '127.0.0.1', port: 0 });
    assert.deepEqual(this.poll(), [[Op.Listen, -1, 0]]);
  }

  poll(): Seen[] {
    const out = this.#out;
    const count = this.driver.poll(out);
    const seen: Seen[] = [];
    for (let index = 0; index < count; index++) {
      const [op, slot, result] = [out.op[index], out.slot[index], out.result[index]];
      seen.push([op, slot, result]);
      const isOfListener = op === Op.Listen || op === Op.Accept || op === Op.Unlisten;
      assert.equal(slot === -1, isOfListener, `the slot of operation ${op}`);
      assert.equal(out.block[index] >= 0, op === Op.Receive && result > 0, `a block of ${op}`);
      if (out.block[index] >= 0) this.blocks.push(out.block[index]);
    }
    return seen;
  }

  /** A connected client on a slot. */
  client(slot: number): MemoryClient {
    const client = this.driver.open(PEER);
    const [[op, , handle]] = this.poll();
    assert.equal(op, Op.Accept);
    this.driver.adopt(handle, slot);
    return client;
  }

  /** The text of the block that was received first, which is released. */
  text(bytes: number): string {
    const block = this.blocks.shift() ?? -1;
    const start = this.slab.start(block);
    const text = Buffer.from(this.slab.bytes.slice(start, start + bytes)).toString();
    this.slab.release(block);
    return text;
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('a connection in memory', () => {
  it('passes bytes to the server in blocks', () => {
    const fixture = new Fixture();
    const client = fixture.client(2);
    assert.deepEqual(fixture.driver.peer(2), PEER);
    client.write(bytes('one'));
    client.write(bytes('two'));
    client.write(bytes('x'.repeat(BLOCK_BYTES)));
    assert.deepEqual(fixture.poll(), [], 'nothing is received without a receive');
    fixture.driver.receive(2);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 2, BLOCK_BYTES]]);
    assert.equal(fixture.text(6), 'onetwo');
    fixture.driver.receive(2);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 2, 6]]);
    assert.equal(fixture.text(6), 'xxxxxx');
    fixture.driver.receive(2);
    assert.deepEqual(fixture.poll(), []);
    client.write(bytes('late'));
    assert.deepEqual(fixture.poll(), [[Op.Receive, 2, 4]]);
  });

  it('passes bytes to the client as far as it has room', async () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    const changed = client.changed();
    fixture.driver.send(0, SENT, 5, 10, false);
    assert.deepEqual(fixture.poll(), [[Op.Send, 0, 5]]);
    await changed;
    fixture.content.fill(65);
    assert.equal(Buffer.from(client.read() ?? []).toString(), 'xxxxx', 'a copy');
    assert.equal(client.read(), null);
    fixture.driver.send(0, SENT, 0, PIPE_BYTES_MAX + 9, false);
    assert.deepEqual(fixture.poll(), [[Op.Send, 0, PIPE_BYTES_MAX]]);
    assert.equal(fixture.driver.unacknowledged(0), PIPE_BYTES_MAX);
    fixture.driver.send(0, SENT, 0, 9, false);
    assert.deepEqual(fixture.poll(), [], 'the client has no room');
    client.read();
    assert.deepEqual(fixture.poll(), [[Op.Send, 0, 9]]);
    fixture.driver.shutdownSend(0);
    assert.equal(fixture.driver.unacknowledged(0), 10, 'the end of the stream counts');
    client.read();
    assert.equal(fixture.driver.unacknowledged(0), 0);
    assert.ok(client.isEnded);
  });

  it('waits for a block, and for its turn', () => {
    const fixture = new Fixture({ blocks: 1 });
    const first = fixture.client(0);
    const second = fixture.client(1);
    first.write(bytes('a'));
    second.write(bytes('b'));
    fixture.driver.receive(0);
    fixture.driver.receive(1);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0, 1]]);
    assert.deepEqual(fixture.poll(), []);
    assert.ok(fixture.driver.sleep());
    assert.equal(fixture.text(1), 'a');
    assert.equal(fixture.wakes, 1, 'a released block wakes the server');
    assert.deepEqual(fixture.poll(), [[Op.Receive, 1, 1]]);
    fixture.driver.receive(0);
    first.write(bytes('c'));
    assert.deepEqual(fixture.poll(), []);
    fixture.driver.abort(0, false);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0, -ERRNO.ECANCELED]]);
    fixture.text(1);
    assert.deepEqual(fixture.poll(), [], 'an aborted receive gets no block');
    assert.equal(fixture.slab.freeCount, 1);
  });

  it('reports the end of the stream after its bytes', () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    client.write(bytes('a'));
    client.end();
    client.write(bytes('lost'));
    fixture.driver.receive(0);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0, 1]]);
    fixture.driver.receive(0);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0, 0]]);
    assert.equal(client.isOpen, false);
  });

  it('reports a reset by whatever is in flight', () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    client.write(bytes('a'));
    fixture.driver.send(0, SENT, 0, PIPE_BYTES_MAX, false);
    fixture.driver.receive(0);
    fixture.poll();
    fixture.driver.receive(0);
    fixture.driver.watch(0);
    fixture.driver.send(0, SENT, 0, 1, false);
    client.reset();
    const reset = -ERRNO.ECONNRESET;
    assert.deepEqual(fixture.poll(), [
      [Op.Receive, 0, reset],
      [Op.Send, 0, reset],
      [Op.Watch, 0, reset],
    ]);
    fixture.driver.receive(0);
    fixture.driver.send(0, SENT, 0, 1, false);
    fixture.driver.watch(0);
    assert.equal(fixture.poll().length, 3, 'and by whatever follows');
  });

  it('ends by an abort and a close', async () => {
    for (const reset of [false, true]) {
      const fixture = new Fixture();
      const client = fixture.client(0);
      fixture.driver.send(0, SENT, 0, 1, false);
      fixture.poll();
      fixture.driver.receive(0);
      fixture.driver.watch(0);
      fixture.driver.abort(0, reset);
      const cancelled = -ERRNO.ECANCELED;
      assert.deepEqual(fixture.poll(), [
        [Op.Receive, 0, cancelled],
        [Op.Watch, 0, cancelled],
      ]);
      fixture.driver.close(0);
      assert.deepEqual(fixture.poll(), [[Op.Close, 0, 0]]);
      assert.deepEqual([client.isReset, client.isEnded, client.isOpen], [reset, true, false]);
      assert.equal(client.read()?.length, 1, 'what was sent before arrives');
      await Promise.race([client.changed(), Promise.resolve()]);
      fixture.client(0);
    }
  });
});

describe('the end of a connection in memory', () => {
  it('cancels a send that waits for room', () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    fixture.driver.send(0, SENT, 0, PIPE_BYTES_MAX, false);
    fixture.poll();
    fixture.driver.send(0, SENT, 0, 1, false);
    fixture.driver.abort(0, false);
    assert.deepEqual(fixture.poll(), [[Op.Send, 0, -ERRNO.ECANCELED]]);
    client.read();
    assert.deepEqual(fixture.poll(), [], 'it is not sent later');
    fixture.driver.close(0);
    fixture.poll();
    assert.equal(client.read(), null);
    assert.ok(client.isEnded);
  });

  it('by a reset of the client is known to both, once', async () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    fixture.driver.receive(0);
    const changed = client.changed();
    client.reset();
    await changed;
    assert.deepEqual([client.isReset, client.isEnded, client.isOpen], [true, true, false]);
    assert.deepEqual(fixture.poll(), [[Op.Receive, 0, -ERRNO.ECONNRESET]]);
    fixture.driver.close(0);
    fixture.poll();
    client.reset();
    client.write(bytes('lost'));
    assert.deepEqual(fixture.poll(), []);
    // One that the server has closed is not reset any more.
    const closed = fixture.client(1);
    fixture.driver.close(1);
    fixture.poll();
    closed.reset();
    assert.deepEqual([closed.isReset, closed.isEnded], [false, true]);
  });

  it('lets a client wait while there is no room', () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    assert.equal(client.hasRoom, true);
    client.write(new Uint8Array(PIPE_BYTES_MAX - 1));
    assert.equal(client.hasRoom, true);
    client.write(new Uint8Array(1));
    assert.equal(client.hasRoom, false);
    fixture.driver.receive(0);
    fixture.poll();
    assert.equal(client.hasRoom, true);
  });
});

describe('the driver in memory', () => {
  it('has the clocks of the process, and sends from no file', () => {
    const { driver } = new Fixture();
    const [beganMs, beganWallMs] = [performance.now(), Date.now()];
    const [nowMs, wallMs] = [driver.now(), driver.wall()];
    assert.ok(nowMs >= beganMs && nowMs <= performance.now());
    assert.ok(wallMs >= beganWallMs && wallMs <= Date.now());
    assert.equal(driver.mapFile(), false);
    assert.equal(driver.name, 'memory');
  });

  it('sends from regions that are mapped, and maps and unmaps each once', () => {
    const fixture = new Fixture();
    const { driver } = fixture;
    assert.throws(() => driver.map(SENT, fixture.content), /a mapped region is new/);
    assert.throws(() => driver.map(0, fixture.content), /a mapped region is new/);
    fixture.client(0);
    const { length } = fixture.content;
    for (const [start, end] of [
      [-1, 4],
      [4, 4],
      [5, 4],
      [0, length + 1],
      [length, length + 1],
    ]) {
      const send = (): void => driver.send(0, SENT, start, end, false);
      assert.throws(send, /what is sent lies in its region/, `${start} to ${end}`);
    }
    assert.throws(() => driver.send(0, 9, 0, 1, false), /what is sent is mapped/);
    driver.unmap(SENT);
    assert.throws(() => driver.unmap(SENT), /an unmapped region was mapped/);
    driver.map(SENT, fixture.content);
    assert.throws(() => driver.connect(), /clients of this driver connect by open\(\)/);
  });

  it('is destroyed when every socket is closed', () => {
    const fixture = new Fixture();
    for (const slot of [0, 1]) fixture.client(slot);
    const destroy = (): void => fixture.driver.destroy();
    assert.throws(destroy, /a driver is destroyed when every socket is closed/);
    fixture.driver.close(0);
    fixture.poll();
    assert.throws(destroy, /a driver is destroyed when every socket is closed/);
    fixture.driver.close(1);
    fixture.poll();
    destroy();
    assert.throws(() => fixture.driver.unmap(SENT), /an unmapped region was mapped/);
  });
});

describe('the listener of the driver in memory', () => {
  it('accepts when it may, and refuses', () => {
    const fixture = new Fixture();
    const { driver } = fixture;
    driver.setAccepting(false);
    const client = driver.open(PEER);
    assert.deepEqual(fixture.poll(), []);
    assert.ok(driver.sleep());
    driver.setAccepting(true);
    assert.equal(fixture.wakes, 1);
    const [[, , handle]] = fixture.poll();
    driver.refuse(handle);
    assert.ok(client.isReset);
    assert.ok(client.isEnded);
  });

  it('reports as many as fit, and the rest later', () => {
    const fixture = new Fixture({ room: 4 });
    for (let count = 0; count < 6; count++) fixture.driver.open(PEER);
    assert.equal(fixture.poll().length, 4);
    assert.equal(fixture.driver.sleep(), false);
    fixture.driver.unlisten();
    assert.deepEqual(
      fixture.poll().map(([op]) => op),
      [Op.Accept, Op.Accept, Op.Unlisten],
    );
  });

  it('reports UNLISTEN after the clients that wait, and has no later ones', () => {
    const fixture = new Fixture();
    const { driver } = fixture;
    driver.setAccepting(false);
    driver.open(PEER);
    driver.unlisten();
    assert.equal(driver.sleep(), false);
    const seen = fixture.poll();
    assert.deepEqual(
      seen.map(([op]) => op),
      [Op.Accept, Op.Unlisten],
    );
    driver.refuse(seen[0][2]);
    assert.ok(driver.open(PEER).isReset);
    assert.deepEqual(fixture.poll(), []);
    driver.destroy();
  });

  it('wakes the server once', () => {
    const fixture = new Fixture();
    const client = fixture.client(0);
    fixture.driver.receive(0);
    assert.ok(fixture.driver.sleep());
    client.write(bytes('a'));
    client.write(bytes('b'));
    assert.equal(fixture.wakes, 1);
    assert.equal(fixture.driver.sleep(), false, 'there is something to poll');
    fixture.poll();
    assert.ok(fixture.driver.sleep());
    fixture.driver.open(PEER);
    assert.equal(fixture.wakes, 2);
    fixture.poll();
    assert.ok(fixture.driver.sleep());
    // Without a wake(), because of a deadline.
    fixture.poll();
    fixture.driver.open(PEER);
    assert.equal(fixture.wakes, 2, 'it does not sleep any more');
  });
});
