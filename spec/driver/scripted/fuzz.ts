// Fuzzes a driver: calls of the contract, actions of the peers and faults of the kernel, in an
// order drawn from a seed, against a model of what each connection must carry. One seed, one run.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { Op } from '../../../src/driver/driver.ts';
import { type Completion, type MakeScripted, ScriptedFixture } from './driver-fixture.ts';
import type { Scripted, ScriptedSocket } from './syscalls.ts';

const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = ERRNO;
const { ECANCELED, ECONNREFUSED, ECONNRESET, EPIPE } = ERRNO;

const REGION_BYTES = 4096;
const BROKEN: readonly number[] = [-ECONNRESET, -EPIPE];
const SHORTAGE: readonly number[] = [-ENOMEM, -ENOBUFS];

/** Numbers from a seed (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Without this, small seeds would draw similar numbers at first.
    this.#state = Math.imul(seed, 2654435761) | 1;
    for (let rounds = 0; rounds < 8; rounds++) this.below(2);
  }

  below(end: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % end;
  }

  isOnce(inRounds: number): boolean {
    return this.below(inRounds) === 0;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}

/** What a connection must carry. Byte `index` towards the driver is byteOf(seed, index). */
interface Model {
  readonly socket: ScriptedSocket;
  readonly seed: number;
  written: number;
  received: number;
  /** The range of the send in flight, and all bytes that SENDs reported as sent. */
  sendStart: number;
  sendEnd: number;
  readonly sent: number[];
  sendingEnded: boolean;
  aborted: boolean;
  closing: boolean;
}

function byteOf(seed: number, index: number): number {
  return (seed * 31 + index * 7 + (index >> 8)) & 0xff;
}

export class Fuzz {
  readonly fixture: ScriptedFixture;
  readonly #random: Random;
  readonly #slots: (Model | null)[];
  readonly #held: number[] = [];
  /** One system call in so many fails; 0 is none. */
  #faultEvery: number;

  constructor(make: MakeScripted, seed: number) {
    const random = new Random(seed);
    this.#random = random;
    const slots = random.of([1, 3, 6]);
    this.#slots = new Array<Model | null>(slots).fill(null);
    this.fixture = new ScriptedFixture(make, {
      slots,
      blockCount: random.of([1, 2, 8]),
      completions: random.of([4, 5, 8, 256]),
    });
    for (let at = 0; at < REGION_BYTES; at++) this.fixture.region[at] = byteOf(seed, at);
    this.fixture.kernel.sendBufferBytes = random.of([16, 64, 300]);
    this.#faultEvery = random.of([0, 3, 10, 40]);
    this.fixture.kernel.chance = (call) => this.#fault(call);
  }

  #fault(call: Scripted): number | null {
    const random = this.#random;
    if (this.#faultEvery === 0 || !random.isOnce(this.#faultEvery)) return null;
    switch (call) {
      case 'recv':
      case 'send':
      case 'sendfile':
        return random.of([-EINTR, -EAGAIN, -EINTR, -EAGAIN, -random.of([ENOMEM, ENOBUFS]), 1, 5]);
      case 'wait':
        return random.of([-EINTR, 1, 2]);
      case 'control':
        return random.isOnce(4) ? -ENOMEM : null;
      case 'connect':
        return -ECONNREFUSED;
      default:
        return null;
    }
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#act();
      if (this.#random.isOnce(3))
        for (const completion of this.fixture.turn()) this.#completed(completion);
      if (this.#random.isOnce(8)) this.#settle();
    }
    this.#finish();
  }

  #settle(): void {
    this.fixture.settle((completion) => this.#completed(completion));
    for (const [slot, model] of this.#slots.entries()) {
      if (model !== null && model.socket.watched !== 0) this.#mustBeStuck(slot, model);
    }
  }

  /** What is in flight while the driver sleeps must be unable to complete. */
  #mustBeStuck(slot: number, { socket }: Model): void {
    const { fixture } = this;
    if (fixture.isInFlight(Op.Receive, slot)) {
      // An interrupted peek of a starved receive is not repeated until a block is free.
      const mayWait = socket.incoming.length > 0 || this.#faultEvery !== 0;
      const waitsForBlock = mayWait && fixture.slab.freeCount === 0;
      const hasNoInput = socket.incoming.length === 0 && !socket.hasEnd;
      assert.ok(waitsForBlock || hasNoInput, `slot ${slot} could receive`);
    }
    if (fixture.isInFlight(Op.Send, slot)) {
      assert.ok(socket.noSpace && !socket.isReset, `slot ${slot} could send`);
    }
    if (fixture.isInFlight(Op.Watch, slot)) assert.ok(!socket.isReset, `slot ${slot} is broken`);
    if (fixture.isInFlight(Op.Connect, slot))
      assert.ok(socket.connecting, `slot ${slot} connected`);
    assert.ok(!fixture.isInFlight(Op.Close, slot), `slot ${slot} could close`);
  }

  #act(): void {
    const { fixture } = this;
    const slot = this.#random.below(this.#slots.length);
    const model = this.#slots[slot];
    if (this.#random.isOnce(12)) this.#holdBlocks();
    else if (model === null) this.#open(slot);
    else if (model.closing) return;
    else if (model.socket.connecting && fixture.isInFlight(Op.Connect, slot))
      this.#connect(slot, model);
    else if (this.#random.isOnce(2)) this.#actAsPeer(slot, model);
    else this.#callDriver(slot, model);
  }

  #holdBlocks(): void {
    const { slab } = this.fixture;
    if (this.#random.isOnce(2) && slab.freeCount > 0) this.#held.push(slab.acquire());
    else if (this.#held.length > 0) slab.release(this.#held.pop() ?? -1);
  }

  #open(slot: number): void {
    const { fixture } = this;
    let socket: ScriptedSocket | null = null;
    if (this.#random.isOnce(3)) {
      fixture.connect(slot);
      socket = fixture.kernel.newest;
    } else {
      socket = fixture.adopt(slot);
    }
    assert.ok(socket !== null);
    this.#slots[slot] = {
      socket,
      seed: this.#random.below(1000),
      written: 0,
      received: 0,
      sendStart: 0,
      sendEnd: 0,
      sent: [],
      sendingEnded: false,
      aborted: false,
      closing: false,
    };
  }

  #connect(slot: number, model: Model): void {
    const { socket } = model;
    if (this.#random.isOnce(5)) this.#abort(slot, model);
    else if (this.#random.isOnce(3)) socket.reset(ECONNREFUSED);
    else socket.connected();
  }

  /** An action of the peer, or of the kernel by itself. */
  #actAsPeer(slot: number, model: Model): void {
    const { socket } = model;
    const random = this.#random;
    const hasEnded = socket.isReset || socket.peerEnded;
    switch (random.below(8)) {
      case 0:
        if (random.isOnce(4)) socket.end();
        break;
      case 1:
        if (random.isOnce(6)) socket.reset();
        break;
      case 2:
        if (!this.fixture.isInFlight(Op.Connect, slot))
          this.fixture.kernel.inject(slot, random.below(32));
        break;
      case 3:
        socket.take(random.isOnce(2) ? Infinity : random.below(20));
        break;
      default: {
        if (hasEnded) break;
        const bytes = random.of([1, 10, 63, 64, 65, 128, 200]);
        const from = model.written;
        model.written += bytes;
        socket.write(Array.from({ length: bytes }, (_, at) => byteOf(model.seed, from + at)));
      }
    }
  }

  /** A call of the driver. */
  #callDriver(slot: number, model: Model): void {
    const { fixture } = this;
    const random = this.#random;
    if (fixture.isInFlight(Op.Connect, slot)) return;
    const sends = fixture.isInFlight(Op.Send, slot);
    const receives = fixture.isInFlight(Op.Receive, slot);
    if (random.isOnce(15)) this.#abort(slot, model);
    else if (model.aborted || random.isOnce(15)) this.#close(slot, model);
    else if (random.isOnce(10) && !sends && !model.sendingEnded) {
      model.sendingEnded = true;
      fixture.driver.shutdownSend(slot);
    } else if (random.isOnce(6) && !fixture.isInFlight(Op.Watch, slot)) fixture.watch(slot);
    else if (random.isOnce(2) && !receives) fixture.receive(slot);
    else if (!sends && !model.sendingEnded) {
      model.sendStart = random.below(REGION_BYTES - 400);
      model.sendEnd = model.sendStart + 1 + random.below(399);
      fixture.sendRange(slot, model.sendStart, model.sendEnd);
    }
  }

  #abort(slot: number, model: Model): void {
    model.aborted = true;
    this.fixture.driver.abort(slot, this.#random.isOnce(2));
  }

  #close(slot: number, model: Model): void {
    const { fixture } = this;
    const ops = [Op.Connect, Op.Receive, Op.Send, Op.Watch];
    const busy = ops.some((op) => fixture.isInFlight(op, slot));
    if (busy || model.closing) return;
    model.closing = true;
    fixture.close(slot);
  }

  #completed(completion: Completion): void {
    const model = this.#slots[completion.slot];
    assert.ok(model !== null, `the slot has a socket: ${JSON.stringify(completion)}`);
    const isCanceled = completion.result === -ECANCELED;
    assert.ok(!isCanceled || model.aborted, `only abort cancels: ${JSON.stringify(completion)}`);
    switch (completion.op) {
      case Op.Receive:
        if (!isCanceled) this.#received(completion, model);
        break;
      case Op.Send:
        if (!isCanceled) this.#sent(completion, model);
        break;
      case Op.Watch:
        if (!isCanceled) this.#watched(completion, model);
        break;
      case Op.Connect:
        assert.ok([0, -ECONNREFUSED, -ECONNRESET, -ECANCELED].includes(completion.result));
        break;
      default:
        assert.ok(model.closing && model.socket.isClosed);
        this.#slots[completion.slot] = null;
    }
  }

  #watched({ result }: Completion, { socket, sendingEnded }: Model): void {
    assert.ok(BROKEN.includes(result), `a watch completes with ${result}`);
    // The ends of both directions count as a break.
    assert.ok(socket.isReset || (socket.peerEnded && sendingEnded), 'it is broken');
  }

  #received(completion: Completion, model: Model): void {
    const { result } = completion;
    if (result > 0) {
      const text = String(this.fixture.take(completion));
      for (let at = 0; at < text.length; at++) {
        const expected = byteOf(model.seed, model.received + at);
        assert.equal(text.charCodeAt(at), expected, `byte ${model.received + at}`);
      }
      model.received += text.length;
      assert.ok(model.received <= model.written);
    } else if (!SHORTAGE.includes(result)) {
      assert.ok(result === 0 || BROKEN.includes(result) || result === -ECONNREFUSED, `${result}`);
      assert.ok(
        model.socket.peerEnded || model.socket.isReset,
        'the stream had ended or was reset',
      );
      assert.equal(model.received, model.written, 'the end comes after all bytes');
    }
  }

  #sent({ result }: Completion, model: Model): void {
    if (result > 0) {
      assert.ok(result <= model.sendEnd - model.sendStart);
      model.sent.push(...this.fixture.region.subarray(model.sendStart, model.sendStart + result));
    } else if (!SHORTAGE.includes(result)) {
      assert.ok(
        BROKEN.includes(result) || result === -ECONNREFUSED,
        `a send completes with ${result}`,
      );
      assert.ok(model.socket.isReset);
    }
    const { taken, outgoing, isReset } = model.socket;
    const arrived = [...taken, ...outgoing];
    if (isReset) assert.deepEqual(taken, model.sent.slice(0, taken.length));
    else assert.deepEqual(arrived, model.sent, 'the peer has what SENDs reported');
  }

  /** Without faults from now on: everything written arrives, and all resources are released. */
  #finish(): void {
    const { fixture } = this;
    this.#faultEvery = 0;
    for (const block of this.#held.splice(0)) fixture.slab.release(block);
    this.#settle();
    for (const [slot, model] of this.#slots.entries()) {
      if (model === null) continue;
      if (model.socket.connecting) model.socket.connected();
      this.#settle();
      if (!model.aborted && model.socket.watched !== 0) this.#finishStream(slot, model);
      this.#abort(slot, model);
      this.#settle();
      this.#close(slot, model);
      this.#settle();
      assert.equal(this.#slots[slot], null, `slot ${slot} is free`);
    }
    fixture.end();
  }

  #finishStream(slot: number, model: Model): void {
    const { fixture } = this;
    const bytes = model.written - model.received;
    for (let rounds = 0; rounds <= bytes && model.received < model.written; rounds++) {
      if (!fixture.isInFlight(Op.Receive, slot)) fixture.receive(slot);
      this.#settle();
    }
    assert.equal(model.received, model.written, `slot ${slot} received everything`);
    for (let rounds = 0; rounds < REGION_BYTES && fixture.isInFlight(Op.Send, slot); rounds++) {
      model.socket.take();
      this.#settle();
    }
    assert.ok(!fixture.isInFlight(Op.Send, slot), `slot ${slot} sent`);
  }
}
