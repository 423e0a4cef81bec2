// Hot: runs for every answer. Measured by perf/micro/load.ts. The connections of a load: each is
// opened, sends what it is told, reads answers, and is opened again when it ends. What to send, and
// when, is said by whoever owns the crowd.

import { assert } from '../base/assert.ts';
import { ERRNO } from '../base/errno.ts';
import { Ring } from '../base/ring.ts';
import type { Slab } from '../base/slab.ts';
import { type Driver, Op } from '../driver/driver.ts';
import { Client, ClientState } from './client.ts';
import { Reconnects, reconnectDelayMs } from './reconnects.ts';
import { LoadError, type Recorder } from './recorder.ts';
import type { RequestSequence } from './request-sequence.ts';
import { responseFaultText } from './response-fault.ts';
import type { Sources } from './sources.ts';

/** The region that the wheel's bytes are. */
const WHEEL_REGION = 1;
/** Connects at once, fewer than any server's queue holds. */
const CONNECTING_MAX = 128;
/** The shares in which all connections are looked through for timeouts, and how often. */
const SWEEP_SHARES = 32;
const SWEEP_MS = 8;

export interface ConnectionPoolEvents {
  /** The connection can take requests: client.capacity says how many. */
  ready(client: Client): void;
  /** An answer came to the request that was due then; the client's reader knows the rest. */
  responded(client: Client, kind: number, dueMs: number): void;
  /** Requests that nobody answers any more; `dueMs` is when the oldest of them was due. */
  lost(client: Client, error: LoadError, detail: string): void;
}

export interface ConnectionPoolOptions {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly sequence: RequestSequence;
  readonly sources: Sources;
  readonly connections: number;
  readonly depth: number;
  readonly timeoutMs: number;
  /** False: every connection is for one request. */
  readonly keepAlive: boolean;
  readonly recorder: Recorder;
  readonly events: ConnectionPoolEvents;
}

export class ConnectionPool {
  readonly clients: readonly Client[];
  /** When the requests in flight were due, `depth` a client. */
  readonly dues: Float64Array;
  /** The time of this turn. */
  nowMs = 0;
  openCount = 0;
  /** Connections that were tried and did not come about. */
  failedCount = 0;
  /** The fault of the last of them, as -errno. */
  lastFault = 0;
  readonly #options: ConnectionPoolOptions;
  readonly #view: DataView;
  /** Slots to be connected now, and those to be connected later. */
  readonly #toConnect: Ring;
  readonly #later: Reconnects;
  #connecting = 0;
  #socketCount = 0;
  #sweepAt = 0;
  #nextSweepMs = 0;
  #isEnding = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    const { connections, depth, driver, slab, sequence } = options;
    this.#view = new DataView(slab.bytes.buffer, slab.bytes.byteOffset, slab.bytes.byteLength);
    this.dues = new Float64Array(connections * depth);
    this.clients = Array.from({ length: connections }, (_, slot) => {
      return new Client(slot, depth, slot % sequence.length);
    });
    this.#toConnect = new Ring(connections);
    this.#later = new Reconnects(connections);
    driver.map(WHEEL_REGION, sequence.bytes);
  }

  /** Whether a socket is left. */
  get isGone(): boolean {
    return this.#socketCount === 0;
  }

  /** When the next connection that waits may be tried again. */
  get nextConnectMs(): number {
    return this.#later.nextMs;
  }

  /** Begins to connect everybody. */
  open(): void {
    for (const { slot } of this.clients) this.#toConnect.push(slot);
    this.connect();
  }

  /** Goes on connecting, as far as it may at once. */
  connect(): void {
    if (this.#isEnding) return;
    this.#later.moveDue(this.nowMs, this.#toConnect);
    while (this.#toConnect.length > 0 && this.#connecting < CONNECTING_MAX) {
      this.#connectOne(this.clients[this.#toConnect.shift()]);
    }
  }

  #connectOne(client: Client): void {
    const { driver, sources } = this.#options;
    client.state = ClientState.Connecting;
    client.sinceMs = this.nowMs;
    client.startMs = this.nowMs;
    client.fruitless += 1;
    this.#connecting += 1;
    this.#socketCount += 1;
    driver.connect(sources.target(client.slot), client.slot);
  }

  /** One completion of the driver. */
  completed(op: number, slot: number, result: number, block: number): void {
    const client = this.clients[slot];
    switch (op) {
      case Op.Receive:
        this.#received(client, result, block);
        break;
      case Op.Send:
        this.#sent(client, result);
        break;
      case Op.Connect:
        this.#connected(client, result);
        break;
      case Op.Close:
        this.#closed(client);
        break;
      default:
        assert(false, 'a load asks for no other operation');
    }
  }

  #connected(client: Client, result: number): void {
    this.#connecting -= 1;
    if (client.state === ClientState.Closing) {
      this.#options.driver.close(client.slot);
      return;
    }
    if (result < 0) {
      this.#connectFailed(client, result);
      return;
    }
    client.state = ClientState.Open;
    client.clear();
    this.openCount += 1;
    if (client.hadConnection) this.#reconnected(client);
    client.hadConnection = true;
    client.isReceiving = true;
    this.#options.driver.receive(client.slot);
    this.#options.events.ready(client);
  }

  #reconnected(client: Client): void {
    const { recorder } = this.#options;
    recorder.reconnects += 1;
    if (client.isDelayed) recorder.delayedReconnects += 1;
  }

  #connectFailed(client: Client, result: number): void {
    client.state = ClientState.Closing;
    client.hasFailed = true;
    if (result === -ERRNO.EADDRNOTAVAIL && this.#options.sources.exhausted(client.slot)) {
      client.hasFailed = false;
      client.fruitless -= 1;
    } else {
      this.failedCount += 1;
      this.lastFault = result;
      this.#options.events.lost(client, LoadError.Connect, `errno ${-result}`);
    }
    this.#options.driver.close(client.slot);
  }

  /** Sends `count` requests, no more than the client's capacity. */
  ask(client: Client, count: number, dueMs: number): void {
    assert(count > 0 && count <= client.capacity, 'a client is asked for what it can do');
    const { depth, driver, sequence } = this.#options;
    const base = client.slot * depth;
    if (client.inFlight === 0) {
      client.sinceMs = this.nowMs;
      client.reader.begin(sequence.asked[sequence.kindAt(client.position)]);
    }
    const first = sequence.after(client.position, client.inFlight);
    for (let index = 0; index < count; index++) {
      this.dues[base + client.tailIndex()] = dueMs;
      client.inFlight += 1;
    }
    client.sendAt = sequence.start(first);
    client.sendEnd = sequence.end(first, count);
    client.isSending = true;
    driver.send(client.slot, WHEEL_REGION, client.sendAt, client.sendEnd, false);
  }

  #sent(client: Client, result: number): void {
    client.isSending = false;
    if (client.state === ClientState.Closing) {
      this.#join(client);
      return;
    }
    if (result < 0) {
      this.lose(client, LoadError.Reset, `errno ${-result}`);
      return;
    }
    client.sendAt += result;
    if (client.sendAt < client.sendEnd) {
      client.isSending = true;
      this.#options.driver.send(client.slot, WHEEL_REGION, client.sendAt, client.sendEnd, false);
      return;
    }
    if (client.capacity > 0) this.#options.events.ready(client);
  }

  #received(client: Client, result: number, block: number): void {
    client.isReceiving = false;
    const { slab } = this.#options;
    if (client.state === ClientState.Closing) {
      if (block >= 0) slab.release(block);
      this.#join(client);
      return;
    }
    if (result <= 0) {
      this.#streamEnded(client, result);
      return;
    }
    this.#options.recorder.bytes += result;
    const start = slab.start(block);
    client.sinceMs = this.nowMs;
    const fault = this.#read(client, slab.bytes, start, start + result);
    if (fault !== 0) this.#options.recorder.sawBad(slab.bytes.subarray(start, start + result));
    slab.release(block);
    if (fault !== 0) {
      const text = fault < 0 ? responseFaultText(fault) : 'bytes that nobody asked for';
      this.lose(client, LoadError.Framing, text);
      return;
    }
    // Who said that it will close has its end waited for, so that its side keeps the port.
    if (client.isLast && !client.reader.closes) {
      this.#drop(client);
      return;
    }
    client.isReceiving = true;
    this.#options.driver.receive(client.slot);
    if (client.capacity > 0) this.#options.events.ready(client);
  }

  /** 0, a fault of the reader, or 1 for bytes that belong to no request. */
  #read(client: Client, bytes: Uint8Array, start: number, end: number): number {
    const { reader } = client;
    let at = start;
    while (at < end) {
      if (client.inFlight === 0 || client.isLast) return 1;
      at = reader.read(bytes, this.#view, at, end);
      if (at < 0) return at;
      if (reader.isWhole) this.#responded(client);
    }
    return 0;
  }

  #responded(client: Client): void {
    const { depth, events, keepAlive, sequence } = this.#options;
    const { reader } = client;
    const kind = sequence.kindAt(client.position);
    const dueMs = this.dues[client.slot * depth + client.headIndex];
    client.popHead();
    client.fruitless = 0;
    client.position = sequence.after(client.position, 1);
    if (reader.closes || !keepAlive) client.isLast = true;
    events.responded(client, kind, dueMs);
    if (client.inFlight > 0) reader.begin(sequence.asked[sequence.kindAt(client.position)]);
  }

  #streamEnded(client: Client, result: number): void {
    if (result === 0 && client.inFlight > 0 && client.reader.isBegun && client.reader.ended()) {
      this.#responded(client);
    }
    if (client.inFlight === 0) this.#drop(client);
    else if (result === 0) this.lose(client, LoadError.Closed, '');
    else this.lose(client, LoadError.Reset, `errno ${-result}`);
  }

  /** Gives up all that is in flight on a connection, and the connection. */
  lose(client: Client, error: LoadError, detail: string): void {
    this.#options.events.lost(client, error, detail);
    this.#drop(client);
  }

  #drop(client: Client): void {
    if (client.state === ClientState.Open) this.openCount -= 1;
    // A reset leaves no port of ours waiting for late packets of a connection that was cut.
    const isCut = client.inFlight > 0 || client.isSending || this.#isEnding;
    client.state = ClientState.Closing;
    client.inFlight = 0;
    client.hasFailed = false;
    if (client.isReceiving || client.isSending) {
      this.#options.driver.abort(client.slot, isCut);
      return;
    }
    if (isCut) this.#options.driver.abort(client.slot, true);
    this.#options.driver.close(client.slot);
  }

  #join(client: Client): void {
    if (!client.isReceiving && !client.isSending) this.#options.driver.close(client.slot);
  }

  #closed(client: Client): void {
    client.state = ClientState.Free;
    this.#socketCount -= 1;
    if (this.#isEnding) return;
    const delayMs = reconnectDelayMs(client.slot, client.fruitless, client.hasFailed);
    client.isDelayed = delayMs > 0;
    if (client.isDelayed) this.#later.add(client.slot, this.nowMs + delayMs);
    else this.#toConnect.push(client.slot);
    this.connect();
  }

  /** Gives up those who waited for too long; some at a time, so that nobody is held up. */
  sweep(): void {
    if (this.nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = this.nowMs + SWEEP_MS;
    this.connect();
    const { length } = this.clients;
    const oldestMs = this.nowMs - this.#options.timeoutMs;
    for (let left = Math.ceil(length / SWEEP_SHARES); left > 0; left--) {
      const client = this.clients[this.#sweepAt];
      this.#sweepAt = (this.#sweepAt + 1) % length;
      if (client.sinceMs > oldestMs) continue;
      if (client.state === ClientState.Connecting) this.#giveUpConnect(client);
      else if (client.state === ClientState.Open && (client.inFlight > 0 || client.isLast)) {
        if (client.inFlight > 0) this.lose(client, LoadError.Timeout, '');
        else this.#drop(client);
      }
    }
  }

  #giveUpConnect(client: Client): void {
    client.state = ClientState.Closing;
    client.hasFailed = true;
    this.failedCount += 1;
    this.lastFault = -ERRNO.ETIMEDOUT;
    this.#options.events.lost(client, LoadError.Connect, `errno ${ERRNO.ETIMEDOUT}`);
    this.#options.driver.abort(client.slot, true);
  }

  /** Closes every connection; isGone says when that is done. */
  end(): void {
    this.#isEnding = true;
    for (const client of this.clients) {
      if (client.state === ClientState.Open) this.#drop(client);
      else if (client.state === ClientState.Connecting) {
        client.state = ClientState.Closing;
        this.#options.driver.abort(client.slot, true);
      }
    }
  }

  /** Nothing is left: the memory that was sent from is given back. */
  release(): void {
    assert(this.isGone, 'a crowd is released when it is gone');
    this.#options.driver.unmap(WHEEL_REGION);
  }
}
