// A driver in memory: the test decides what is received and sent. It keeps the contract of
// driver.ts, and fails when the code above breaks it.

import assert from 'node:assert/strict';
import { ERRNO } from '../src/base/errno.ts';
import type { Slab } from '../src/base/slab.ts';
import { CompletionQueue } from '../src/driver/completion-queue.ts';
import {
  type Address,
  type Completions,
  type Driver,
  Op,
  type Peer,
} from '../src/driver/driver.ts';

interface Send {
  readonly region: number;
  readonly start: number;
  readonly end: number;
  readonly more: boolean;
}

/** The state of a socket. */
export class FakeSocket {
  receiving = false;
  watched = false;
  /** The result of unacknowledged(); unknown until a test sets it. */
  unacknowledged = -1;
  send: Send | null = null;
  /** All bytes sent. */
  output: Buffer = Buffer.alloc(0);
  isShut = false;
  isAborted = false;
  isReset = false;
}

const QUEUED_MAX = 4096;

export class FakeDriver implements Driver {
  readonly name = 'fake';
  wake: (fromLoop: boolean) => void = () => {};
  nowMs = 1000;
  wallMs: number = Date.UTC(2024, 1, 29, 12);
  /** The address of every client. */
  peerAddress = '192.0.2.1';
  /** Calls of the driver, as text. */
  readonly calls: string[] = [];
  readonly sockets: Map<number, FakeSocket> = new Map();
  readonly refused: number[] = [];
  /** Files that can be sent, by descriptor. */
  readonly files: Map<number, Uint8Array> = new Map();
  isAsleep = false;
  polls = 0;
  readonly #slab: Slab;
  readonly #regions = new Map<number, Uint8Array>();
  readonly #queue = new CompletionQueue(QUEUED_MAX);

  constructor(slab: Slab) {
    this.#slab = slab;
    this.#regions.set(0, slab.bytes);
  }

  // --- Events that the test causes ---

  complete(op: number, slot: number, result: number, block = -1): void {
    this.#queue.push(op, slot, result, block);
    if (!this.isAsleep) return;
    this.isAsleep = false;
    this.wake(false);
  }

  /** A client connects. */
  arrive(handle: number): void {
    this.complete(Op.Accept, -1, handle);
  }

  /** Bytes arrive for a receive in flight. */
  deliver(slot: number, bytes: Uint8Array): void {
    this.#received(slot);
    const block = this.#slab.acquire();
    assert.ok(block >= 0, 'a block is free');
    this.#slab.bytes.set(bytes, this.#slab.start(block));
    this.complete(Op.Receive, slot, bytes.length, block);
  }

  /** The end of the stream, or -errno. */
  finish(slot: number, result = 0): void {
    this.#received(slot);
    this.complete(Op.Receive, slot, result);
  }

  #received(slot: number): void {
    const socket = this.socket(slot);
    assert.ok(socket.receiving, 'a receive is in flight');
    socket.receiving = false;
  }

  /** Takes at most `bytesMax` of the send in flight. */
  take(slot: number, bytesMax: number = Number.POSITIVE_INFINITY): void {
    const socket = this.socket(slot);
    const { send } = socket;
    assert.ok(send !== null, 'a send is in flight');
    const bytes = Math.min(bytesMax, send.end - send.start);
    const memory = this.#regions.get(send.region);
    assert.ok(memory !== undefined, 'the region of a send stays mapped');
    const sent = memory.subarray(send.start, send.start + bytes);
    socket.output = Buffer.concat([socket.output, sent]);
    socket.send = null;
    this.complete(Op.Send, slot, bytes);
  }

  /** The connection breaks, and its watch completes. */
  breakWatched(slot: number, result: number = -ERRNO.ECONNRESET): void {
    const socket = this.socket(slot);
    assert.ok(socket.watched, 'a watch is in flight');
    socket.watched = false;
    this.complete(Op.Watch, slot, result);
  }

  failSend(slot: number, result: number): void {
    this.socket(slot).send = null;
    this.complete(Op.Send, slot, result);
  }

  socket(slot: number): FakeSocket {
    const socket = this.sockets.get(slot);
    assert.ok(socket !== undefined, `slot ${slot} is a socket`);
    return socket;
  }

  get regionCount(): number {
    return this.#regions.size - 1;
  }

  // --- The driver ---

  now(): number {
    return this.nowMs;
  }

  wall(): number {
    return this.wallMs;
  }

  map(region: number, bytes: Uint8Array): void {
    assert.ok(region > 0 && !this.#regions.has(region), 'a mapped region is new');
    this.#regions.set(region, bytes);
  }

  mapFile(region: number, fd: number): boolean {
    const content = this.files.get(fd);
    if (content === undefined) return false;
    assert.ok(region < 0 && !this.#regions.has(region), 'a mapped file is new');
    this.#regions.set(region, content);
    return true;
  }

  unmap(region: number): void {
    assert.ok(this.#regions.delete(region), 'an unmapped region was mapped');
    for (const { send } of this.sockets.values()) {
      assert.ok(send?.region !== region, 'no send from an unmapped region is in flight');
    }
  }

  listen(_address: Address): void {
    this.calls.push('listen');
    this.complete(Op.Listen, -1, 8080);
  }

  unlisten(last: boolean): void {
    this.calls.push(last ? 'unlisten last' : 'unlisten');
    this.complete(Op.Unlisten, -1, 0);
  }

  setAccepting(on: boolean): void {
    this.calls.push(`setAccepting ${on}`);
  }

  acceptAlso(fd: number, on: boolean): void {
    this.calls.push(`acceptAlso ${fd} ${on}`);
  }

  adopt(_handle: number, slot: number): void {
    assert.ok(!this.sockets.has(slot), 'an adopted slot was free');
    this.sockets.set(slot, new FakeSocket());
  }

  refuse(handle: number): void {
    this.refused.push(handle);
  }

  connect(): void {
    throw new Error('FakeDriver makes no connections');
  }

  receive(slot: number): void {
    const socket = this.socket(slot);
    assert.ok(!socket.receiving && !socket.isAborted, 'one receive at a time');
    socket.receiving = true;
  }

  send(slot: number, region: number, start: number, end: number, more: boolean): void {
    const socket = this.socket(slot);
    assert.ok(socket.send === null && !socket.isAborted && !socket.isShut, 'one send at a time');
    const memory = this.#regions.get(region);
    assert.ok(memory !== undefined, 'what is sent is mapped');
    assert.ok(start >= 0 && start < end && end <= memory.length, `bytes ${start} to ${end}`);
    socket.send = { region, start, end, more };
  }

  watch(slot: number): void {
    const socket = this.socket(slot);
    assert.ok(!socket.watched && !socket.isAborted, 'one watch at a time');
    socket.watched = true;
  }

  unacknowledged(slot: number): number {
    this.calls.push(`unacknowledged ${slot}`);
    return this.socket(slot).unacknowledged;
  }

  shutdownSend(slot: number): void {
    const socket = this.socket(slot);
    assert.equal(socket.send, null, 'no send is in flight');
    socket.isShut = true;
  }

  abort(slot: number, reset: boolean): void {
    const socket = this.socket(slot);
    this.calls.push(`abort ${slot}`);
    socket.isAborted = true;
    socket.isReset ||= reset;
    if (socket.receiving) this.finish(slot, -ERRNO.ECANCELED);
    if (socket.send !== null) this.failSend(slot, -ERRNO.ECANCELED);
    if (socket.watched) this.breakWatched(slot, -ERRNO.ECANCELED);
  }

  close(slot: number): void {
    const socket = this.socket(slot);
    this.calls.push(`close ${slot}`);
    const isQuiet = !socket.receiving && socket.send === null && !socket.watched;
    assert.ok(isQuiet, 'nothing is in flight');
    this.sockets.delete(slot);
    this.complete(Op.Close, slot, 0);
  }

  peer(slot: number): Peer {
    return { address: this.peerAddress, port: 1000 + slot };
  }

  poll(out: Completions): number {
    this.polls += 1;
    this.isAsleep = false;
    return this.#queue.moveTo(out, 0);
  }

  sleep(): boolean {
    this.isAsleep = this.#queue.length === 0;
    return this.isAsleep;
  }

  destroy(): void {
    this.calls.push('destroy');
  }
}
