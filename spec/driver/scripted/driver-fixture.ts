// A driver on the scripted kernel, one turn at a time and without a clock. It checks completions as
// the fixture of the driver suite does, and finds what only a fake can show: a driver that spins,
// and one that sleeps although an operation could complete.

import assert from 'node:assert/strict';
import { Slab } from '../../../src/base/slab.ts';
import { Completions, type Driver, type DriverOptions, Op } from '../../../src/driver/driver.ts';
import type { Syscalls } from '../../../src/driver/linux/syscalls.ts';
import { type ScriptedSocket, ScriptedSyscalls } from './syscalls.ts';

export type MakeScripted = (options: DriverOptions, calls: Syscalls) => Driver;

export interface ScriptedFixtureOptions {
  readonly slots?: number;
  readonly blockBytes?: number;
  readonly blockCount?: number;
  readonly completions?: number;
}

export interface Completion {
  readonly op: number;
  readonly slot: number;
  readonly result: number;
  readonly block: number;
}

export const REGION = 1;

/** More turns in a row without a completion or a sleep mean that the driver spins. */
const IDLE_TURNS_MAX = 32;

export class ScriptedFixture {
  readonly kernel: ScriptedSyscalls = new ScriptedSyscalls();
  readonly slab: Slab;
  readonly driver: Driver;
  readonly region: Uint8Array = new Uint8Array(4096);
  /** All completions, in order. */
  readonly completions: Completion[] = [];
  /** Operations in flight, as operation and slot. */
  readonly inFlight: Set<string> = new Set();
  wakes = 0;
  readonly #out: Completions;
  #asleep = false;

  constructor(make: MakeScripted, options: ScriptedFixtureOptions = {}) {
    this.slab = new Slab(options.blockBytes ?? 64, options.blockCount ?? 8);
    this.#out = new Completions(options.completions ?? 256);
    const slots = options.slots ?? 8;
    this.driver = make({ slab: this.slab, slots, backlog: 8 }, this.kernel);
    this.driver.map(REGION, this.region);
    this.driver.wake = () => {
      assert.ok(this.#asleep, 'wake() is called only after sleep(), once');
      this.#asleep = false;
      this.wakes += 1;
    };
  }

  get isAsleep(): boolean {
    return this.#asleep;
  }

  listen(): void {
    this.submit(Op.Listen, -1);
    this.driver.listen({ host: '127.0.0.1', port: 0 });
    this.turn();
    assert.ok(this.last(Op.Listen, -1) >= 0);
  }

  /** A connected socket in `slot`. */
  adopt(slot: number): ScriptedSocket {
    const socket = this.kernel.accepted();
    this.driver.adopt(socket.fd, slot);
    return socket;
  }

  submit(op: Op, slot: number): void {
    this.inFlight.add(`${op}:${slot}`);
  }

  isInFlight(op: Op, slot: number): boolean {
    return this.inFlight.has(`${op}:${slot}`);
  }

  receive(slot: number): void {
    this.submit(Op.Receive, slot);
    this.driver.receive(slot);
  }

  watch(slot: number): void {
    this.submit(Op.Watch, slot);
    this.driver.watch(slot);
  }

  send(slot: number, text: string): void {
    this.region.set(Buffer.from(text), slot * 128);
    this.sendRange(slot, slot * 128, slot * 128 + text.length);
  }

  sendRange(slot: number, start: number, end: number): void {
    this.submit(Op.Send, slot);
    this.driver.send(slot, REGION, start, end, false);
  }

  connect(slot: number): void {
    this.submit(Op.Connect, slot);
    this.driver.connect({ host: '127.0.0.1', port: 1 }, slot);
  }

  close(slot: number): void {
    this.submit(Op.Close, slot);
    this.driver.close(slot);
  }

  /** One poll(): its completions. */
  turn(): Completion[] {
    const wakesBefore = this.wakes;
    const count = this.driver.poll(this.#out);
    this.#asleep = false;
    assert.equal(this.wakes, wakesBefore, 'poll() does not call wake()');
    assert.ok(count <= this.#out.capacity);
    const { op, slot, result, block } = this.#out;
    const completions: Completion[] = [];
    for (let index = 0; index < count; index++) {
      const completion = {
        op: op[index],
        slot: slot[index],
        result: result[index],
        block: block[index],
      };
      this.#check(completion);
      completions.push(completion);
    }
    this.completions.push(...completions);
    return completions;
  }

  #check(completion: Completion): void {
    const name = JSON.stringify(completion);
    const { op, slot, result, block } = completion;
    if (op !== Op.Accept) assert.ok(this.inFlight.delete(`${op}:${slot}`), `in flight: ${name}`);
    const hasBytes = op === Op.Receive && result > 0;
    assert.equal(block >= 0, hasBytes, `a block comes with bytes alone: ${name}`);
    if (op === Op.Receive) assert.ok(result <= this.slab.blockBytes, name);
    if (op === Op.Send) assert.notEqual(result, 0, name);
  }

  /** driver.sleep(), after which one wake() is allowed. */
  sleep(): boolean {
    this.#asleep = true;
    this.#asleep = this.driver.sleep();
    return this.#asleep;
  }

  /**
   * Runs turns as the pump does, until the driver sleeps and nothing wakes it: their completions. A
   * driver that sleeps already gets a turn only if it was woken. `act` is called with each
   * completion at once, and may start further operations.
   */
  settle(act: (completion: Completion) => void = () => {}): Completion[] {
    const all: Completion[] = [];
    let idleTurns = 0;
    for (;;) {
      if (this.#asleep) this.kernel.round();
      if (this.#asleep) return all;
      const completions = this.turn();
      for (const completion of completions) act(completion);
      all.push(...completions);
      idleTurns = completions.length > 0 ? 0 : idleTurns + 1;
      assert.ok(idleTurns < IDLE_TURNS_MAX, 'the driver spins: no sleep, and no completion');
      if (completions.length === 0) this.sleep();
    }
  }

  /** The bytes of a RECEIVE, its block released; or its result without bytes. */
  take({ result, block }: Completion): string | number {
    if (result <= 0) return result;
    const start = this.slab.start(block);
    const text = Buffer.from(this.slab.bytes.subarray(start, start + result)).toString('latin1');
    this.slab.release(block);
    return text;
  }

  /** The last result of an operation; asserts that there is one. */
  last(op: Op, slot: number): number {
    const completion = this.completions.findLast((each) => each.op === op && each.slot === slot);
    assert.ok(completion !== undefined, `operation ${op} of slot ${slot} has completed`);
    return completion.result;
  }

  /** Receives until nothing comes: the bytes, and 0 or -errno once the stream has ended. */
  drain(slot: number): { text: string; end: number | null } {
    let text = '';
    let end: number | null = null;
    if (!this.isInFlight(Op.Receive, slot)) this.receive(slot);
    this.settle((completion) => {
      if (completion.op !== Op.Receive || completion.slot !== slot) return;
      const taken = this.take(completion);
      if (typeof taken === 'number') {
        end = taken;
        return;
      }
      text += taken;
      this.receive(slot);
    });
    return { text, end };
  }

  /** Aborts and closes a slot; everything in flight completes. */
  finish(slot: number): void {
    this.driver.abort(slot, true);
    this.settle((completion) => {
      if (completion.op === Op.Receive) this.take(completion);
    });
    this.close(slot);
    this.settle();
  }

  /** After the last slot is closed: nothing is left over. */
  end(): void {
    if (this.kernel.listener !== null) {
      this.submit(Op.Unlisten, -1);
      this.driver.unlisten();
    }
    this.settle();
    assert.deepEqual([...this.inFlight], [], 'every operation has completed');
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'every block was released');
    this.driver.destroy();
    assert.equal(this.kernel.openCount, 0, 'no descriptor is left open');
  }
}
