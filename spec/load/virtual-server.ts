// A driver with a server behind it on a virtual clock: the server responds to every request after a
// scripted time. It keeps the contract of Driver as far as a load uses it.

import assert from 'node:assert/strict';
import { Slab } from '../../src/base/slab.ts';
import { type Address, type Completions, type Driver, Op } from '../../src/driver/driver.ts';

export interface Sent {
  readonly slot: number;
  readonly atMs: number;
  /** When its response comes. */
  readonly responseMs: number;
}

export interface Script {
  /** Time until the response to request `index`, received at `atMs`; Infinity is never. */
  latencyMs(index: number, atMs: number): number;
  /** The result of a connect: 0 or -errno. */
  connects?(index: number, address: Address): number;
  /** Whether the server closes that connection at once. */
  closesAtOnce?(index: number): boolean;
  /** The response, or null to close the connection instead. */
  respond?(index: number): string | null;
  /** Whether the server closes the connection after the response. */
  closesAfter?(index: number): boolean;
}

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const BLANK_LINE = '\r\n\r\n';

interface Event {
  readonly atMs: number;
  act(): void;
}

interface Socket {
  pending: string;
  isEnded: boolean;
  isReceiving: boolean;
  aborted: boolean;
}

/** Implements what a load calls. */
export class VirtualServer implements Driver {
  readonly name = 'virtual';
  readonly slab: Slab = new Slab(1024, 64);
  readonly sent: Sent[] = [];
  /** The address of each connect, and its time. */
  readonly addresses: Address[] = [];
  readonly connectsMs: number[] = [];
  wake: (fromLoop: boolean) => void = () => {};
  nowMs = 1_000;
  readonly #script: Script;
  readonly #queue: [op: number, slot: number, result: number, block: number][] = [];
  readonly #events: Event[] = [];
  readonly #sockets = new Map<number, Socket>();
  #region: Uint8Array = new Uint8Array(0);
  #requests = 0;

  constructor(script: Script) {
    this.#script = script;
  }

  /** Moves the clock to `atMs`, after the events that are due until then. */
  goTo(atMs: number): void {
    for (;;) {
      const due = this.#events.filter((event) => event.atMs <= atMs);
      if (due.length === 0) break;
      const first = due.reduce((a, b) => (b.atMs < a.atMs ? b : a));
      this.#events.splice(this.#events.indexOf(first), 1);
      first.act();
    }
    this.nowMs = atMs;
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  now(): number {
    return this.nowMs;
  }

  wall(): number {
    return this.nowMs;
  }

  map(_region: number, bytes: Uint8Array): void {
    this.#region = bytes;
  }

  unmap(): void {
    this.#region = new Uint8Array(0);
  }

  connect(address: Address, slot: number): void {
    assert.ok(!this.#sockets.has(slot), 'a slot is closed before it is used again');
    const index = this.addresses.length;
    const result = this.#script.connects?.(index, address) ?? 0;
    const isEnded = this.#script.closesAtOnce?.(index) ?? false;
    this.addresses.push(address);
    this.connectsMs.push(this.nowMs);
    this.#sockets.set(slot, { pending: '', isEnded, isReceiving: false, aborted: false });
    this.#queue.push([Op.Connect, slot, result, -1]);
  }

  receive(slot: number): void {
    const socket = this.#socket(slot);
    assert.ok(!socket.isReceiving, 'one receive at a time');
    socket.isReceiving = true;
    this.#deliver(slot);
  }

  send(slot: number, region: number, start: number, end: number): void {
    assert.equal(region, 1);
    const text = Buffer.from(this.#region.subarray(start, end)).toString('latin1');
    this.#queue.push([Op.Send, slot, end - start, -1]);
    const requests = text.split(BLANK_LINE).length - 1;
    assert.ok(requests > 0, 'requests are sent complete');
    for (let count = 0; count < requests; count++) this.#request(slot);
  }

  #request(slot: number): void {
    const index = this.#requests;
    this.#requests += 1;
    const responseMs = this.nowMs + this.#script.latencyMs(index, this.nowMs);
    this.sent.push({ slot, atMs: this.nowMs, responseMs });
    if (responseMs === Number.POSITIVE_INFINITY) return;
    const socket = this.#socket(slot);
    const response = this.#script.respond === undefined ? HELLO : this.#script.respond(index);
    this.#events.push({
      atMs: responseMs,
      act: () => {
        if (this.#sockets.get(slot) !== socket) return;
        if (response === null) socket.isEnded = true;
        else socket.pending += response;
        if (this.#script.closesAfter?.(index) === true) socket.isEnded = true;
        this.#deliver(slot);
      },
    });
  }

  #deliver(slot: number): void {
    const socket = this.#socket(slot);
    if (!socket.isReceiving || socket.aborted) return;
    if (socket.pending !== '') {
      const block = this.slab.acquire();
      assert.ok(block >= 0, 'blocks are released');
      const bytes = Buffer.from(socket.pending.slice(0, this.slab.blockBytes), 'latin1');
      this.slab.bytes.set(bytes, this.slab.start(block));
      socket.pending = socket.pending.slice(bytes.length);
      socket.isReceiving = false;
      this.#queue.push([Op.Receive, slot, bytes.length, block]);
    } else if (socket.isEnded) {
      socket.isReceiving = false;
      this.#queue.push([Op.Receive, slot, 0, -1]);
    }
  }

  abort(slot: number): void {
    const socket = this.#socket(slot);
    socket.aborted = true;
    if (socket.isReceiving) this.#queue.push([Op.Receive, slot, -125, -1]);
    socket.isReceiving = false;
  }

  close(slot: number): void {
    assert.ok(!this.#socket(slot).isReceiving, 'nothing is in flight at close');
    this.#sockets.delete(slot);
    this.#queue.push([Op.Close, slot, 0, -1]);
  }

  #socket(slot: number): Socket {
    const socket = this.#sockets.get(slot);
    assert.ok(socket !== undefined, `slot ${slot} is open`);
    return socket;
  }

  poll(out: Completions): number {
    let count = 0;
    while (this.#queue.length > 0 && count < out.capacity) {
      const [op, slot, result, block] = this.#queue.shift() ?? [0, 0, 0, 0];
      count = out.set(count, op, slot, result, block);
    }
    return count;
  }

  sleep(): boolean {
    return false;
  }

  destroy(): void {
    assert.equal(this.#sockets.size, 0, 'every socket is closed');
    assert.equal(this.slab.freeCount, this.slab.blockCount, 'every block is released');
  }

  listen(): void {
    assert.fail('a load does not listen');
  }
  unlisten(): void {}
  setAccepting(): void {}
  acceptAlso(): void {}
  adopt(): void {}
  refuse(): void {}
  watch(): void {}
  unacknowledged(): number {
    return -1;
  }
  shutdownSend(): void {}
  peer(): { address: string; port: number } {
    return { address: '', port: 0 };
  }
}
