// Random walks of the ring driver on a scripted kernel, against what must come of it: bytes whole
// and in order, each operation answered once, nobody asleep who has something to do.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import type { ScriptedSocket } from '../scripted/ring.ts';
import { type Finished, REGION, REGION_BYTES, RingBench } from '../scripted/ring-fixture.ts';

const WALKS = 40;
const STEPS = 2_000;

/** One socket of a slot, and all that is known about it. */
interface Life {
  readonly socket: ScriptedSocket;
  readonly number: number;
  isConnecting: boolean;
  receiving: boolean;
  sending: boolean;
  watching: boolean;
  aborted: boolean;
  broken: boolean;
  closing: boolean;
  /** Told its end or an error. */
  over: boolean;
  written: number;
  received: number;
  sent: number;
  sendBytes: number;
}

/** The byte at a place of a stream; every stream has its own. */
function byteOf(life: Life, at: number, isOutward: boolean): number {
  return (at * 7 + life.number * 31 + (isOutward ? 101 : 0)) & 0xff;
}

class Walk {
  readonly bench: RingBench;
  readonly #random: (below: number) => number;
  readonly #lives: (Life | null)[];
  readonly #held: number[] = [];
  #lifeCount = 0;
  #asleep = false;

  constructor(seed: number) {
    this.#random = chance(seed);
    const slots = 1 + this.#random(12);
    this.bench = new RingBench({
      slots,
      blockCount: [1, 2, 5, 16, 40][this.#random(5)],
      capacity: [1, 2, 3, 8, 64][this.#random(5)],
      sizes: { entries: [2, 8, 64][this.#random(3)], completions: 64 },
      completionCount: [2, 8, 64][this.#random(3)],
    });
    this.#lives = new Array<Life | null>(slots).fill(null);
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) this.#step();
    this.#end();
  }

  #step(): void {
    const choice = this.#random(20);
    if (choice < 5) this.#peer();
    else if (choice < 12) this.#ask();
    else if (choice === 12) this.#fault();
    else if (choice === 13) this.#hold();
    else if (choice < 18) this.#turn();
    else this.#sleep();
  }

  #pick(): Life | null {
    return this.#lives[this.#random(this.#lives.length)];
  }

  #peer(): void {
    const life = this.#pick();
    if (life === null || life.closing) return;
    const { bench } = this;
    const { socket } = life;
    const choice = this.#random(12);
    if (life.isConnecting) {
      if (socket.connected !== null) return;
      socket.connected = choice < 3 ? -ERRNO.ECONNREFUSED : 0;
      bench.kernel.changed(socket.fd);
    } else if (choice < 7) {
      if (socket.ended || life.broken) return;
      const bytes = Buffer.alloc(1 + this.#random(200));
      for (let at = 0; at < bytes.length; at++) bytes[at] = byteOf(life, life.written + at, false);
      life.written += bytes.length;
      bench.write(socket, bytes);
    } else if (choice < 10) bench.drain(socket, this.#random(300));
    else if (choice === 10 && !life.broken) bench.end(socket);
    else if (choice === 11 && !life.broken) {
      life.broken = true;
      bench.reset(socket, ERRNO.ECONNRESET);
    }
  }

  #ask(): void {
    const slot = this.#random(this.#lives.length);
    const life = this.#lives[slot];
    const { driver } = this.bench;
    if (life === null) {
      this.#begin(slot);
      return;
    }
    if (life.closing) return;
    const choice = this.#random(16);
    const inFlight = life.receiving || life.sending || life.watching || life.isConnecting;
    if (choice === 0) {
      life.aborted = true;
      driver.abort(slot, this.#random(2) === 0);
    } else if (choice < 3 && !inFlight) {
      life.closing = true;
      driver.close(slot);
    } else if (life.isConnecting || life.aborted) return;
    else if (choice < 9) this.#receive(slot, life);
    else if (choice === 9) this.#watch(slot, life);
    else this.#send(slot, life);
    this.#heard();
  }

  #begin(slot: number): void {
    const { bench } = this;
    const isConnecting = this.#random(6) === 0;
    if (isConnecting) bench.driver.connect({ host: '127.0.0.1', port: 80 }, slot);
    const socket = isConnecting ? [...bench.kernel.sockets.values()].at(-1) : bench.adopt(slot);
    assert.ok(socket !== undefined);
    socket.room = this.#random(500);
    this.#lifeCount += 1;
    this.#lives[slot] = {
      socket,
      number: this.#lifeCount,
      isConnecting,
      receiving: false,
      sending: false,
      watching: false,
      aborted: false,
      broken: false,
      closing: false,
      over: false,
      written: 0,
      received: 0,
      sent: 0,
      sendBytes: 0,
    };
    this.#heard();
  }

  #receive(slot: number, life: Life): void {
    if (life.receiving) return;
    life.receiving = true;
    this.bench.driver.receive(slot);
  }

  #watch(slot: number, life: Life): void {
    if (life.watching) return;
    life.watching = true;
    this.bench.driver.watch(slot);
  }

  #send(slot: number, life: Life): void {
    if (life.sending) return;
    const bytes = 1 + this.#random(300);
    // A place of the region for each slot; the bytes stay until the send has finished.
    const start = slot * 300;
    for (let at = 0; at < bytes; at++) {
      this.bench.region[start + at] = byteOf(life, life.sent + at, true);
    }
    life.sending = true;
    life.sendBytes = bytes;
    this.bench.driver.send(slot, REGION, start, start + bytes, this.#random(2) === 0);
  }

  #fault(): void {
    const { kernel } = this.bench;
    const choice = this.#random(4);
    const refusals = [-ERRNO.EINTR, -ERRNO.EAGAIN, -16, this.#random(3)];
    const losses = [ERRNO.ENOBUFS, ERRNO.EINTR, ERRNO.EAGAIN];
    if (choice < 2) kernel.enterScript.push(refusals[this.#random(4)]);
    else if (choice === 2) kernel.receiveScript.push(-losses[this.#random(3)]);
    else kernel.sendBytesMax = 1 + this.#random(200);
  }

  /** Somebody else takes a block, or gives one back. */
  #hold(): void {
    const { slab } = this.bench;
    const index = this.#random(this.#held.length + 1);
    const [block] = this.#held.splice(index, 1);
    if (block !== undefined) slab.release(block);
    else if (slab.freeCount > 0) this.#held.push(slab.acquire());
    this.#heard();
  }

  /** A sleeping driver that was called, or whose block came back, may have woken us. */
  #heard(): void {
    const { wakes } = this.bench;
    if (wakes.length === 0) return;
    assert.ok(this.#asleep, 'only a sleeper is woken');
    assert.deepEqual(wakes.splice(0).length, 1, 'and once');
    this.#asleep = false;
  }

  #turn(): void {
    // The turn loop runs when it is awake; asleep it is a deadline's turn now and then.
    if (this.#asleep && this.#random(4) !== 0) return;
    this.#asleep = false;
    for (const one of this.bench.poll()) this.#finished(one);
  }

  #sleep(): void {
    const { bench } = this;
    bench.kernel.loop();
    this.#heard();
    if (this.#asleep) {
      // Still asleep, so nothing may be there that a poll would find.
      if (this.#random(3) !== 0) return;
      this.#asleep = false;
      assert.deepEqual(bench.poll(), [], 'a sleeper has nothing to tell');
      return;
    }
    this.#asleep = bench.driver.sleep();
  }

  #finished({ op, slot, result, block }: Finished): void {
    const life = this.#lives[slot];
    assert.ok(life !== null, 'an answer belongs to a socket');
    assert.equal(block >= 0, op === Op.Receive && result > 0);
    if (op === Op.Receive) this.#received(life, result, block);
    else if (op === Op.Send) this.#sent(life, result);
    else if (op === Op.Watch) {
      assert.ok(life.watching, 'one answer for one watch');
      life.watching = false;
      assert.ok(result === -ERRNO.ECANCELED ? life.aborted : life.socket.isReset, `${result}`);
    } else if (op === Op.Connect) {
      assert.ok(life.isConnecting);
      life.isConnecting = false;
      if (result !== life.socket.connected) assert.ok(life.aborted && result === -ERRNO.ECANCELED);
      if (result < 0) life.aborted = true;
    } else {
      assert.equal(op, Op.Close);
      assert.ok(life.closing);
      this.#lives[slot] = null;
    }
  }

  #received(life: Life, result: number, block: number): void {
    const { bench } = this;
    assert.ok(life.receiving, 'one answer for one receive');
    life.receiving = false;
    if (result > 0) {
      assert.equal(life.over, false, 'nothing comes after the end');
      for (const byte of bench.bytesOf(block, result)) {
        if (byte !== byteOf(life, life.received, false)) assert.fail('bytes come in order');
        life.received += 1;
      }
      if (this.#random(3) === 0) this.#held.push(block);
      else bench.slab.release(block);
      return;
    }
    if (result === -ERRNO.ECANCELED) assert.ok(life.aborted, 'only who is aborted is canceled');
    else {
      assert.ok(result === 0 || result === -ERRNO.ECONNRESET, `a receive gives ${result}`);
      assert.equal(life.received, life.written, 'the end comes after the last byte');
      life.over = true;
    }
  }

  #sent(life: Life, result: number): void {
    assert.ok(life.sending, 'one answer for one send');
    life.sending = false;
    if (result > 0) {
      assert.ok(result <= life.sendBytes);
      life.sent += result;
    } else if (result === -ERRNO.ECANCELED) assert.ok(life.aborted);
    else assert.ok(life.broken && result === -ERRNO.EPIPE, `a send gives ${result}`);
    const output = Buffer.concat(life.socket.output);
    assert.equal(output.length, life.sent, 'what went out is what was told');
    for (const [at, byte] of output.entries()) {
      if (byte !== byteOf(life, at, true)) assert.fail('bytes go out in order');
    }
  }

  /** Everybody is served, then everything ends. */
  #end(): void {
    const { bench } = this;
    bench.kernel.enterScript.length = 0;
    bench.kernel.receiveScript.length = 0;
    this.#rest();
    for (const [slot, life] of this.#lives.entries()) {
      if (life?.receiving) {
        const { input, ended } = life.socket;
        assert.ok(input.length === 0 && !ended, `slot ${slot} was forgotten with bytes there`);
      }
      if (life?.watching) assert.ok(!life.socket.isReset, `slot ${slot}'s break was forgotten`);
      if (life?.sending) assert.equal(life.socket.room, 0, `slot ${slot}'s send was forgotten`);
      if (life !== null && !life.closing) bench.driver.abort(slot, true);
      if (life !== null) life.aborted = true;
    }
    this.#rest();
    for (const [slot, life] of this.#lives.entries()) {
      if (life === null) continue;
      const { receiving, sending, watching, isConnecting } = life;
      assert.ok(!receiving && !sending && !watching && !isConnecting, `slot ${slot} answered`);
      life.closing = true;
      bench.driver.close(slot);
    }
    this.#rest();
    assert.ok(this.#lives.every((life) => life === null));
    bench.finish();
  }

  /** Turns without faults, all blocks given back as they come, until nothing happens. */
  #rest(): void {
    for (let turn = 0; turn < 1_000; turn++) {
      this.#asleep = false;
      const finished = this.bench.poll();
      for (const one of finished) this.#finished(one);
      const held = this.#held.splice(0);
      this.bench.release(held);
      if (finished.length > 0 || held.length > 0) continue;
      this.#asleep = this.bench.driver.sleep();
      if (this.#asleep) return;
    }
    assert.fail('the driver comes to rest');
  }
}

/** Numbers below a bound, from a seed (xorshift32). */
function chance(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const firstSeed = Number(process.env['VIBING_SEED'] ?? randomInt(1, 2 ** 31));

it(`random walks, seed ${firstSeed}`, () => {
  assert.ok(12 * 300 <= REGION_BYTES);
  for (let walk = 0; walk < WALKS; walk++) {
    // Neighbouring seeds would walk alike for a while.
    const seed = walk === 0 ? firstSeed : Math.imul(firstSeed + walk, 0x9e3779b1) >>> 0;
    try {
      new Walk(seed).run(STEPS);
    } catch (error) {
      const { stack } = error as Error;
      throw new Error(`in a walk with VIBING_SEED=${seed}: ${stack}`, { cause: error });
    }
  }
});
