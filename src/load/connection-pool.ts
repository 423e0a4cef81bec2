// The connections of a load: each is opened, sends requests, reads responses, and is opened again
// when it ends. The owner of the pool decides how many requests are sent, and when.

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

/** The region that the bytes of the request sequence are mapped as. */
const SEQUENCE_REGION = 1;
/** Connects in flight at the same time: fewer than the listen backlog of any server. */
const CONNECTING_MAX = 128;
/** A sweep for timeouts checks one of so many parts of all connections, every SWEEP_MS. */
const SWEEP_SHARES = 32;
const SWEEP_MS = 8;

export interface ConnectionPoolEvents {
  /** The connection can take client.capacity requests. */
  ready(client: Client): void;
  /** `count` responses are complete; `dueMs` is when the request of each was due. */
  responded(count: number, status: number, kind: number, dueMs: number): void;
  /** The body of a response that was just reported is not the expected one. */
  mismatched(dueMs: number): void;
  /** A connect failed, or all requests in flight on the connection failed. */
  failed(client: Client, error: LoadError, detail: string): void;
}

export interface ConnectionPoolOptions {
  readonly driver: Driver;
  readonly slab: Slab;
  readonly sequence: RequestSequence;
  readonly sources: Sources;
  readonly connections: number;
  readonly depth: number;
  readonly timeoutMs: number;
  /** False: every request has a connection of its own. */
  readonly keepAlive: boolean;
  readonly recorder: Recorder;
  readonly events: ConnectionPoolEvents;
}

export class ConnectionPool {
  readonly clients: readonly Client[];
  /** When the requests in flight were due, `depth` for each client. */
  readonly dues: Float64Array;
  /** The time of this turn. */
  nowMs = 0;
  openCount = 0;
  /** Connects that failed. */
  failedCount = 0;
  /** The result of the last of them, as -errno. */
  lastFault = 0;
  readonly #options: ConnectionPoolOptions;
  readonly #view: DataView;
  /** All requests are of one kind without an expected body: responses can be counted. */
  readonly #isOneKind: boolean;
  /** Slots to connect now, and slots to connect after a delay. */
  readonly #toConnect: Ring;
  readonly #later: Reconnects;
  #connecting = 0;
  #socketCount = 0;
  #sweepAt = 0;
  #nextSweepMs = 0;
  #isClosing = false;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
    const { connections, depth, driver, slab, sequence } = options;
    this.#view = new DataView(slab.bytes.buffer, slab.bytes.byteOffset, slab.bytes.byteLength);
    const [{ expected }, ...others] = sequence.kinds;
    this.#isOneKind = others.length === 0 && expected === null && options.keepAlive;
    this.dues = new Float64Array(connections * depth);
    this.clients = Array.from({ length: connections }, (_, slot) => {
      return new Client(slot, depth, slot % sequence.length);
    });
    this.#toConnect = new Ring(connections);
    this.#later = new Reconnects(connections);
    driver.map(SEQUENCE_REGION, sequence.bytes);
  }

  /** Whether all sockets are closed. */
  get isClosed(): boolean {
    return this.#socketCount === 0;
  }

  /** When the next delayed connect is due. */
  get nextConnectMs(): number {
    return this.#later.nextMs;
  }

  inFlightCount(): number {
    return this.clients.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  open(): void {
    for (const { slot } of this.clients) this.#toConnect.push(slot);
    this.connect();
  }

  /** Starts the connects that are due, up to CONNECTING_MAX in flight. */
  connect(): void {
    if (this.#isClosing) return;
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
    client.connectsWithoutResponse += 1;
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
        assert(false, 'a load starts no other operation');
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
    client.connectFailed = true;
    if (result === -ERRNO.EADDRNOTAVAIL && this.#options.sources.exhausted(client.slot)) {
      client.connectFailed = false;
      client.connectsWithoutResponse -= 1;
    } else {
      this.failedCount += 1;
      this.lastFault = result;
      this.#options.events.failed(client, LoadError.Connect, `errno ${-result}`);
    }
    this.#options.driver.close(client.slot);
  }

  /** Sends `count` requests, no more than the client's capacity. */
  sendRequests(client: Client, count: number, dueMs: number): void {
    assert(count > 0 && count <= client.capacity, 'the client has capacity for the requests');
    const { depth, driver, sequence } = this.#options;
    const base = client.slot * depth;
    if (client.inFlight === 0) {
      client.sinceMs = this.nowMs;
      client.reader.begin(sequence.kinds[sequence.kindAt(client.position)]);
    }
    const first = sequence.after(client.position, client.inFlight);
    for (let index = 0; index < count; index++) {
      this.dues[base + client.tailIndex()] = dueMs;
      client.inFlight += 1;
    }
    client.sendAt = sequence.start(first);
    client.sendEnd = sequence.end(first, count);
    client.isSending = true;
    driver.send(client.slot, SEQUENCE_REGION, client.sendAt, client.sendEnd, false);
  }

  #sent(client: Client, result: number): void {
    client.isSending = false;
    if (client.state === ClientState.Closing) {
      this.#closeWhenIdle(client);
      return;
    }
    if (result < 0) {
      this.fail(client, LoadError.Reset, `errno ${-result}`);
      return;
    }
    client.sendAt += result;
    if (client.sendAt < client.sendEnd) {
      client.isSending = true;
      this.#options.driver.send(client.slot, SEQUENCE_REGION, client.sendAt, client.sendEnd, false);
      return;
    }
    if (client.capacity > 0) this.#options.events.ready(client);
  }

  #received(client: Client, result: number, block: number): void {
    client.isReceiving = false;
    const { slab } = this.#options;
    if (client.state === ClientState.Closing) {
      if (block >= 0) slab.release(block);
      this.#closeWhenIdle(client);
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
    if (fault !== 0) this.#options.recorder.keepBad(slab.bytes.subarray(start, start + result));
    slab.release(block);
    if (fault !== 0) {
      const text = fault < 0 ? responseFaultText(fault) : 'bytes that belong to no request';
      this.fail(client, LoadError.Framing, text);
      return;
    }
    // A server that announced its close closes first, so that TIME_WAIT is on its side, not ours.
    if (client.isLast && !client.reader.closes) {
      this.#drop(client);
      return;
    }
    client.isReceiving = true;
    this.#options.driver.receive(client.slot);
    if (client.capacity > 0) this.#options.events.ready(client);
  }

  /** Returns 0, a fault of the reader, or 1 for bytes that belong to no request. */
  #read(client: Client, bytes: Uint8Array, start: number, end: number): number {
    const { reader } = client;
    let at = start;
    if (this.#isOneKind && reader.isAtBegin && !client.isLast) at = this.#count(client, start, end);
    while (at < end) {
      if (client.inFlight === 0 || client.isLast) return 1;
      at = reader.read(bytes, this.#view, at, end);
      if (at < 0) return at;
      if (reader.isComplete) this.#responded(client);
    }
    return 0;
  }

  /** Counts whole responses that are as the one before; returns where it stopped. */
  #count(client: Client, at: number, end: number): number {
    const { depth, events, sequence } = this.#options;
    const { memory } = sequence.kinds[0];
    const counted = memory.countAt(this.#view, at, end, client.inFlight);
    if (counted === 0) return at;
    client.connectsWithoutResponse = 0;
    client.position = sequence.after(client.position, counted);
    for (let left = counted; left > 0; ) {
      const dueMs = this.dues[client.slot * depth + client.headIndex];
      const count = client.dueTogether(this.dues, left);
      client.popHeads(count);
      left -= count;
      events.responded(count, memory.status, 0, dueMs);
    }
    return at + counted * memory.responseBytes;
  }

  #responded(client: Client): void {
    const { depth, events, keepAlive, sequence } = this.#options;
    const { reader } = client;
    const kind = sequence.kindAt(client.position);
    const dueMs = this.dues[client.slot * depth + client.headIndex];
    client.popHeads(1);
    client.connectsWithoutResponse = 0;
    client.position = sequence.after(client.position, 1);
    if (reader.closes || !keepAlive) client.isLast = true;
    events.responded(1, reader.status, kind, dueMs);
    if (!reader.isAsExpected) events.mismatched(dueMs);
    if (client.inFlight > 0) reader.begin(sequence.kinds[sequence.kindAt(client.position)]);
  }

  #streamEnded(client: Client, result: number): void {
    if (result === 0 && client.inFlight > 0 && client.reader.isBegun && client.reader.end()) {
      this.#responded(client);
    }
    if (client.inFlight === 0) this.#drop(client);
    else if (result === 0) this.fail(client, LoadError.Closed, '');
    else this.fail(client, LoadError.Reset, `errno ${-result}`);
  }

  /** All requests in flight on the connection failed: closes it. */
  fail(client: Client, error: LoadError, detail: string): void {
    this.#options.events.failed(client, error, detail);
    this.#drop(client);
  }

  #drop(client: Client): void {
    this.openCount -= 1;
    // A reset leaves no port of ours in TIME_WAIT.
    const isReset = client.inFlight > 0 || client.isSending || this.#isClosing;
    client.state = ClientState.Closing;
    client.inFlight = 0;
    client.connectFailed = false;
    if (client.isReceiving || client.isSending) {
      this.#options.driver.abort(client.slot, isReset);
      return;
    }
    if (isReset) this.#options.driver.abort(client.slot, true);
    this.#options.driver.close(client.slot);
  }

  #closeWhenIdle(client: Client): void {
    if (!client.isReceiving && !client.isSending) this.#options.driver.close(client.slot);
  }

  #closed(client: Client): void {
    client.state = ClientState.Free;
    this.#socketCount -= 1;
    if (this.#isClosing) return;
    const delayMs = reconnectDelayMs(
      client.slot,
      client.connectsWithoutResponse,
      client.connectFailed,
    );
    client.isDelayed = delayMs > 0;
    if (client.isDelayed) this.#later.add(client.slot, this.nowMs + delayMs);
    else this.#toConnect.push(client.slot);
    this.connect();
  }

  /** Times out requests and connects; checks some connections at a time, to keep turns short. */
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
      if (client.state === ClientState.Connecting) this.#timeOutConnect(client);
      else if (client.state === ClientState.Open && (client.inFlight > 0 || client.isLast)) {
        if (client.inFlight > 0) this.fail(client, LoadError.Timeout, '');
        else this.#drop(client);
      }
    }
  }

  #timeOutConnect(client: Client): void {
    client.state = ClientState.Closing;
    client.connectFailed = true;
    this.failedCount += 1;
    this.lastFault = -ERRNO.ETIMEDOUT;
    this.#options.events.failed(client, LoadError.Connect, `errno ${ERRNO.ETIMEDOUT}`);
    this.#options.driver.abort(client.slot, true);
  }

  /** Closes every connection; isClosed is true when that is done. */
  close(): void {
    this.#isClosing = true;
    for (const client of this.clients) {
      if (client.state === ClientState.Open) this.#drop(client);
      else if (client.state === ClientState.Connecting) {
        client.state = ClientState.Closing;
        this.#options.driver.abort(client.slot, true);
      }
    }
  }

  /** Unmaps the memory that was sent from. */
  release(): void {
    assert(this.isClosed, 'a pool is released when it is closed');
    this.#options.driver.unmap(SEQUENCE_REGION);
  }
}
