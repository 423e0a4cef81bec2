// A driver with a turn loop that checks it: every completion belongs to a call, every block is
// released, wake() comes once for each sleep(). The cases use the driver through this.

import assert from 'node:assert/strict';
import { ERRNO } from '../../../src/base/errno.ts';
import { Slab } from '../../../src/base/slab.ts';
import {
  type Address,
  Completions,
  type Driver,
  type DriverOptions,
  Op,
  type Peer,
} from '../../../src/driver/driver.ts';

export type MakeDriver = (options: DriverOptions) => Driver;

export interface FixtureOptions {
  readonly blockBytes?: number;
  readonly blockCount?: number;
  readonly slots?: number;
  readonly backlog?: number;
  /** Entries of a poll(): with few the other completions wait for the next. */
  readonly completions?: number;
}

export interface Completion {
  readonly result: number;
  readonly block: number;
}

/** Against waiting for ever; no test measures by it. */
const TIMEOUT_MS = 30_000;

/** Region 1 is mapped memory for sends; wide enough for the bulk cases. */
export const REGION = 1;
export const REGION_BYTES: number = 4 * 1024 * 1024;

const OP_NAMES: readonly string[] =
  ' LISTEN UNLISTEN ACCEPT CONNECT RECEIVE SEND CLOSE WATCH'.split(' ');

export class Fixture {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly region: Buffer = Buffer.alloc(REGION_BYTES);
  readonly out: Completions;
  /** Completions that the case has not claimed, and callbacks that wait, by operation and slot. */
  readonly #unclaimed = new Map<string, Completion[]>();
  readonly #waiting = new Map<string, (completion: Completion) => void>();
  /** Operations in flight, as operation and slot. */
  readonly #inFlight = new Set<string>();
  readonly #faults: string[] = [];
  readonly #slotsFree: number[] = [];
  readonly #slotsOpen = new Set<number>();
  readonly #aborted = new Set<number>();
  #listening = false;
  #asleep = false;
  #running = true;
  #scheduled = false;
  wakes = 0;
  /** The number of SENDs. */
  sendCount = 0;

  constructor(make: MakeDriver, options: FixtureOptions = {}) {
    const slots = options.slots ?? 64;
    this.slab = new Slab(options.blockBytes ?? 16 * 1024, options.blockCount ?? 256);
    this.out = new Completions(options.completions ?? 256);
    this.driver = make({ slab: this.slab, slots, backlog: options.backlog ?? 512 });
    for (let slot = slots - 1; slot >= 0; slot--) this.#slotsFree.push(slot);
    this.driver.map(REGION, this.region);
    this.driver.wake = () => this.#woken();
    this.#schedule();
  }

  #woken(): void {
    this.wakes += 1;
    if (!this.#asleep) this.#faults.push('wake() without a sleep() before it');
    this.#asleep = false;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#running || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#running) this.#turn();
    });
  }

  #turn(): void {
    const count = this.step();
    if (!this.#running) return;
    if (count > 0) this.#schedule();
    else if (this.#asleep || this.sleep()) return;
    else this.#schedule();
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Stops the turn loop: the case calls step() and sleep() itself. */
  pause(): void {
    this.#running = false;
  }

  run(): void {
    this.#running = true;
    this.#schedule();
  }

  /** driver.sleep(), after which one wake() is allowed. */
  sleep(): boolean {
    this.#asleep = true;
    const didSleep = this.driver.sleep();
    this.#asleep = didSleep;
    return didSleep;
  }

  /** One poll(); its completions go to the callbacks that wait for them. */
  step(): number {
    const wakesBefore = this.wakes;
    const count = this.driver.poll(this.out);
    if (this.wakes !== wakesBefore) this.#faults.push('poll() called wake()');
    this.#asleep = false;
    for (let index = 0; index < count; index++) {
      const completion = { result: this.out.result[index], block: this.out.block[index] };
      this.#complete(this.out.op[index], this.out.slot[index], completion);
    }
    return count;
  }

  #complete(op: number, slot: number, completion: Completion): void {
    const key = `${op}:${slot}`;
    this.#check(op, slot, completion);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      this.#waiting.delete(key);
      waiting(completion);
    } else {
      const unclaimed = this.#unclaimed.get(key);
      if (unclaimed === undefined) this.#unclaimed.set(key, [completion]);
      else unclaimed.push(completion);
    }
  }

  #check(op: number, slot: number, { result, block }: Completion): void {
    const name = `${OP_NAMES[op]} ${result} of slot ${slot}`;
    const wasAsked = op === Op.Accept ? this.#listening : this.#inFlight.delete(`${op}:${slot}`);
    if (!wasAsked) this.#faults.push(`${name} was not in flight`);
    if (op === Op.Receive && result > 0) {
      if (block < 0) this.#faults.push(`${name} has no block`);
      if (result > this.slab.blockBytes) this.#faults.push(`${name} is more than a block`);
    } else if (block !== -1) {
      this.#faults.push(`${name} has block ${block}`);
    }
    const isOfListener = op === Op.Listen || op === Op.Accept || op === Op.Unlisten;
    if (isOfListener !== (slot === -1)) this.#faults.push(`${name} has another slot`);
    if (op === Op.Send) this.sendCount += 1;
    if (op === Op.Send && result === 0) this.#faults.push(`${name} sent nothing`);
    if (op === Op.Close) {
      this.#slotsOpen.delete(slot);
      this.#slotsFree.push(slot);
    }
    if (op === Op.Listen) this.#listening = result >= 0;
    if (op === Op.Unlisten) this.#listening = false;
  }

  #start(op: Op, slot: number): void {
    this.#inFlight.add(`${op}:${slot}`);
  }

  isInFlight(op: Op, slot: number): boolean {
    return this.#inFlight.has(`${op}:${slot}`);
  }

  /** How many completions of an operation are unclaimed. */
  completionCount(op: Op, slot: number): number {
    return this.#unclaimed.get(`${op}:${slot}`)?.length ?? 0;
  }

  /** Claims those completions. */
  takeCompletions(op: Op, slot: number): Completion[] {
    return this.#unclaimed.get(`${op}:${slot}`)?.splice(0) ?? [];
  }

  wait(op: Op, slot: number): Promise<Completion> {
    const key = `${op}:${slot}`;
    const unclaimed = this.#unclaimed.get(key)?.shift();
    if (unclaimed !== undefined) return Promise.resolve(unclaimed);
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        this.#waiting.delete(key);
        reject(new Error(`no ${OP_NAMES[op]} of slot ${slot}`));
      }, TIMEOUT_MS);
      this.#waiting.set(key, (completion) => {
        clearTimeout(patience);
        resolve(completion);
      });
    });
  }

  async listen(address: Address = { host: '127.0.0.1', port: 0 }): Promise<number> {
    this.#start(Op.Listen, -1);
    this.driver.listen(address);
    return (await this.wait(Op.Listen, -1)).result;
  }

  async unlisten(last = false): Promise<void> {
    this.#start(Op.Unlisten, -1);
    this.driver.unlisten(last);
    assert.equal((await this.wait(Op.Unlisten, -1)).result, 0);
  }

  /** The next client's handle. */
  async acceptHandle(): Promise<number> {
    const { result } = await this.wait(Op.Accept, -1);
    assert.ok(result >= 0, `accept failed with ${result}`);
    return result;
  }

  /** The next client, adopted: its slot. */
  async accept(): Promise<number> {
    return this.adopt(await this.acceptHandle());
  }

  adopt(handle: number): number {
    const slot = this.#takeSlot();
    this.driver.adopt(handle, slot);
    return slot;
  }

  #takeSlot(): number {
    const slot = this.#slotsFree.pop();
    assert.ok(slot !== undefined, 'the case has enough slots');
    this.#slotsOpen.add(slot);
    this.#aborted.delete(slot);
    return slot;
  }

  connect(address: Address): number {
    const slot = this.#takeSlot();
    this.#start(Op.Connect, slot);
    this.driver.connect(address, slot);
    return slot;
  }

  receive(slot: number): void {
    this.#start(Op.Receive, slot);
    this.driver.receive(slot);
  }

  watch(slot: number): void {
    this.#start(Op.Watch, slot);
    this.driver.watch(slot);
  }

  /** The bytes of a RECEIVE, its block released; or its result without bytes. */
  take({ result, block }: Completion): Buffer | number {
    if (result <= 0) return result;
    const start = this.slab.start(block);
    const bytes = Buffer.from(this.slab.bytes.subarray(start, start + result));
    this.slab.release(block);
    return bytes;
  }

  async read(slot: number): Promise<Buffer | number> {
    this.receive(slot);
    return this.take(await this.wait(Op.Receive, slot));
  }

  /** Reads until `bytes` have come. */
  async readAll(slot: number, bytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let left = bytes;
    while (left > 0) {
      const part = await this.read(slot);
      assert.ok(typeof part !== 'number', `${left} bytes before the end: ${part}`);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  send(slot: number, region: number, start: number, end: number, more = false): void {
    this.#start(Op.Send, slot);
    this.driver.send(slot, region, start, end, more);
  }

  /** Sends all of a range, in as many sends as needed: 0 or -errno. */
  async sendAll(slot: number, region: number, start: number, end: number): Promise<number> {
    let next = start;
    while (next < end) {
      this.send(slot, region, next, end);
      const { result } = await this.wait(Op.Send, slot);
      if (result < 0) return result;
      next += result;
      assert.ok(next <= end, 'no more is sent than the range');
    }
    return 0;
  }

  /** Sends a text from the region of the case. */
  async write(slot: number, text: string): Promise<void> {
    const bytes = this.region.write(text, 'latin1');
    assert.equal(await this.sendAll(slot, REGION, 0, bytes), 0);
  }

  abort(slot: number, reset = true): void {
    this.#aborted.add(slot);
    this.driver.abort(slot, reset);
  }

  async close(slot: number): Promise<void> {
    this.#start(Op.Close, slot);
    this.driver.close(slot);
    assert.equal((await this.wait(Op.Close, slot)).result, 0);
  }

  peer(slot: number): Peer {
    return this.driver.peer(slot);
  }

  /** Closes all sockets and the listener, and fails for what the checks found. */
  async end(): Promise<void> {
    this.run();
    for (const slot of [...this.#slotsOpen]) await this.#endSlot(slot);
    if (this.#listening) {
      this.driver.setAccepting(true);
      await this.unlisten();
    }
    for (const handle of this.#unclaimed.get(`${Op.Accept}:-1`) ?? []) {
      if (handle.result >= 0) this.driver.refuse(handle.result);
    }
    this.pause();
    const leftOver = this.driver.poll(this.out);
    this.driver.unmap(REGION);
    this.driver.destroy();
    assert.deepEqual(this.#faults, []);
    assert.equal(leftOver, 0, 'no completion comes after the last CLOSE and UNLISTEN');
    assert.deepEqual([...this.#inFlight], [], 'every call has completed');
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'every block was released');
  }

  async #endSlot(slot: number): Promise<void> {
    if (!this.#aborted.has(slot)) this.abort(slot);
    for (const op of [Op.Connect, Op.Send, Op.Watch]) {
      if (this.isInFlight(op, slot)) await this.wait(op, slot);
    }
    if (this.isInFlight(Op.Receive, slot)) this.take(await this.wait(Op.Receive, slot));
    for (const lost of this.#unclaimed.get(`${Op.Receive}:${slot}`)?.splice(0) ?? [])
      this.take(lost);
    await this.close(slot);
  }
}

/** Waits until a condition holds; the error says which one did not. */
export async function until(what: string | (() => string), check: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!check()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`timed out: ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The results of a broken connection: which one depends on timing. */
export function assertBroken(result: number): void {
  const allowed: number[] = [-ERRNO.ECONNRESET, -ERRNO.EPIPE];
  assert.ok(allowed.includes(result), `a reset is ECONNRESET or EPIPE, not ${result}`);
}
