// Hot: runs for every request. Measured by perf/micro/connection.ts.
// HTTP/1.1 over one socket. Requests are read one after the other: the next head is parsed when the
// response before it has ended and its body was read, so responses cannot change places. Further
// requests of a pipeline wait in the receive buffer.
//
// state.ts holds the states, close.ts the ways to close, timeouts.ts the deadlines, transport.ts
// what exchanges call.

import { assert } from '../base/assert.ts';
import { NOT_CACHED, type Peer } from '../driver/driver.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import { BodyUse, Handling, HeadMemory, Liveness, Phase } from '../exchange/state.ts';
import { Fault, faultName, faultStatus, faultText } from '../http/fault.ts';
import { frame } from '../http/framing.ts';
import { isBlank, parseHead } from '../http/parse-head.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { SocketOwner } from '../reactor/sockets.ts';
import {
  clientEnded,
  clientLost,
  close,
  closeUnrequested,
  continueClose,
  evict,
  markBroken,
  reject,
} from './close.ts';
import type { CloseReason } from './close-reason.ts';
import { type ConnectionContext, Draining, Timeout } from './context.ts';
import { Deliveries } from './delivery.ts';
import { DETACHED, NO_PEER } from './detached.ts';
import type { ConnectionParts } from './parts.ts';
import { Preface, readPreface } from './proxy-preface.ts';
import { readIfNeeded } from './read-file.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { RequestBody } from './request-body.ts';
import { SendQueue } from './send-queue.ts';
import { ConnectionState, Reading } from './state.ts';
import { deadlinePassed, setDeadline } from './timeouts.ts';
import { ConnectionTransport } from './transport.ts';

export class Connection implements ConnectionParts, SocketOwner {
  readonly context: ConnectionContext;
  readonly reactor: Reactor;
  readonly state: ConnectionState = new ConnectionState();
  readonly receiveBuffer: ReceiveBuffer;
  readonly sendQueue: SendQueue;
  readonly body: RequestBody;
  readonly deliveries: Deliveries = new Deliveries();
  readonly transport: ConnectionTransport;
  slot: number;
  exchange: Exchange | null;
  advancing: boolean;
  closeReason: CloseReason | '';
  requests: number;
  /** A PROXY header is required, and was not read yet. */
  awaitsPreface: boolean;
  /** The count of requests at which reading pauses until the send queue is empty. */
  #pipelineEnd: number;
  knownPeer: Peer | null;
  readonly #released: (connection: Connection) => void;

  /** `released`: the connection has closed and can be opened for another client. */
  constructor(context: ConnectionContext, released: (connection: Connection) => void) {
    this.context = context;
    this.reactor = context.reactor;
    this.receiveBuffer = new ReceiveBuffer(context.reactor.slab);
    this.sendQueue = new SendQueue(context.reactor, context.spans);
    this.body = new RequestBody(context.limits);
    this.transport = new ConnectionTransport(this);
    this.slot = -1;
    this.exchange = null;
    this.advancing = false;
    this.closeReason = '';
    this.requests = 0;
    this.awaitsPreface = false;
    this.#pipelineEnd = 0;
    this.knownPeer = null;
    this.#released = released;
  }

  /** Begins with a new client. */
  open(slot: number): void {
    assert(this.exchange === null, 'a new connection has no request');
    assert(this.receiveBuffer.empty, 'a new connection has received nothing');
    this.slot = slot;
    this.closeReason = '';
    this.state.open();
    this.requests = 0;
    this.awaitsPreface = this.context.proxyPolicy !== null;
    this.#pipelineEnd = 0; // The first request sets it: see REFRESHES_MIN of the response cache.
    this.knownPeer = null;
    this.sendQueue.open(slot);
    this.context.counters.accepted += 1;
    this.context.meter?.opened();
    const { idleTimeout } = this.context;
    this.reactor.extend(slot, idleTimeout === Timeout.Idle ? Timeout.First : idleTimeout);
    this.reactor.receive(slot);
  }

  /** The client's address; empty when it was never read while the socket was open. */
  peer(): Peer {
    this.knownPeer ??= this.state.isBroken ? NO_PEER : this.reactor.peer(this.slot);
    return this.knownPeer;
  }

  proxied(client: Peer): void {
    this.knownPeer = client;
  }

  // --- Events of the reactor ---

  received(result: number, block: number): void {
    const { state } = this;
    if (result < 0) {
      clientLost(this);
      return;
    }
    this.context.meter?.received(result);
    if (state.isClosing) {
      if (result === 0) state.peerEnded();
      else this.reactor.slab.release(block);
      this.settle();
    } else {
      if (result === 0) state.peerEnded();
      else this.receiveBuffer.add(block, result);
      this.advance();
    }
  }

  sent(result: number): void {
    const { state } = this;
    if (result < 0 && result !== NOT_CACHED) {
      clientLost(this);
      return;
    }
    if (result < 0) readIfNeeded(this, this.sendQueue.notCached());
    else {
      this.sendQueue.sent(result);
      this.context.meter?.sent(result);
    }
    if (!state.isBroken) this.deliveries.notifySent(this.sendQueue.sentTotal);
    if (state.isBroken) return;
    if (this.sendQueue.waiting > 0) this.sendQueue.flush();
    else if (this.exchange === null && state.reading === Reading.Head) {
      this.reactor.extend(this.slot, this.context.idleTimeout);
    }
    // A pipeline may have waited for room, and a closing connection for the last byte.
    if (state.isClosing) this.settle();
    else if (!this.receiveBuffer.empty) this.advance();
  }

  due(kind: number): void {
    deadlinePassed(this, kind as Timeout);
  }

  evict(): boolean {
    return evict(this);
  }

  closed(): void {
    markBroken(this);
    this.receiveBuffer.clear();
    this.sendQueue.clear();
    this.context.counters.closed += 1;
    this.context.meter?.closed(this.closeReason || 'other');
    this.#released(this);
  }

  // --- Reading requests ---

  advance(): void {
    if (this.advancing || this.state.isBroken) return;
    this.advancing = true;
    let more = true;
    while (more) {
      const { reading } = this.state;
      switch (reading) {
        case Reading.Head:
          more = this.#readHead();
          break;
        case Reading.Body:
          more = this.#readBody();
          break;
        case Reading.Done:
          more = this.#finish();
          break;
        case Reading.Closed:
          more = false;
          break;
        default:
          reading satisfies never;
      }
    }
    this.advancing = false;
    this.settle();
  }

  /** True when advance() must continue: a head was read, bytes were joined, or reading closed. */
  #readHead(): boolean {
    const { receiveBuffer, context } = this;
    const { limits } = context;
    if (receiveBuffer.empty && !receiveBuffer.join()) {
      if (!this.state.receiveEnded) return false;
      if (this.exchange === null) clientEnded(this);
      else reject(this, Fault.Incomplete);
      return true;
    }
    // Responses wait to be sent: a client that does not read gets no more requests handled.
    if (this.sendQueue.waiting > limits.sendQueueBytesMax) return false;
    if (this.requests === this.#pipelineEnd && !this.#mayContinuePipeline()) return false;
    this.exchange ??= context.exchanges.acquire(this.transport);
    const { exchange } = this;
    if (this.awaitsPreface) return this.#readPreface(exchange);
    const { memory } = receiveBuffer;
    const length = parseHead(memory, receiveBuffer.start, receiveBuffer.end, exchange.head, limits);
    if (length > 0) {
      this.#begin(exchange, memory, length);
      return true;
    }
    if (length < 0) reject(this, length);
    else if (receiveBuffer.join()) return true;
    else if (!this.state.receiveEnded) return false;
    else if (isBlank(exchange.head)) closeUnrequested(this, exchange);
    else reject(this, Fault.Incomplete);
    return true;
  }

  /** True when advance() must continue: a PROXY header was read, or reading closed. */
  #readPreface(exchange: Exchange): boolean {
    const { proxyPolicy, exchanges } = this.context;
    assert(proxyPolicy !== null, 'a PROXY header is required');
    const preface = readPreface(this, exchange, proxyPolicy);
    if (preface === Preface.More) return this.receiveBuffer.join();
    if (preface === Preface.Failed) return true;
    this.awaitsPreface = false;
    // A proxy may open a connection before it has a request: until then the connection is idle.
    this.exchange = null;
    exchanges.release(exchange);
    this.reactor.disarm(this.slot);
    return true;
  }

  #mayContinuePipeline(): boolean {
    if (this.sendQueue.waiting > 0) return false;
    this.#pipelineEnd = this.requests + this.context.limits.pipelineDepthMax;
    return true;
  }

  /** A head was read: runs the handler of its request. */
  #begin(exchange: Exchange, memory: Uint8Array, length: number): void {
    const { context, body, receiveBuffer } = this;
    exchange.begin(memory, receiveBuffer.start, length, this.reactor.nowMs);
    context.counters.requests += 1;
    this.requests += 1;
    const fault = frame(memory, exchange.base, exchange.head, exchange.framing);
    if (fault < 0) {
      reject(this, fault);
      return;
    }
    receiveBuffer.consume(length);
    body.begin(exchange.framing);
    if (body.fault !== 0) {
      reject(this, body.fault);
      return;
    }
    const isLast = this.requests === context.limits.requestsPerConnectionMax;
    if (!exchange.framing.keepAlive || isLast || this.mustClose()) exchange.disableKeepAlive();
    this.state.headRead(!body.ended);
    context.meter?.began();
    context.handle(exchange);
    const isSettled = exchange.phase === Phase.Ended && exchange.handling === Handling.Settled;
    if (!isSettled || exchange.liveness === Liveness.HeadOnly) {
      exchange.retain();
      this.reactor.yieldWanted = true;
    } else if (!body.ended && !exchange.retained) {
      // The head's memory may be released while the body is skipped.
      exchange.revoke();
    }
  }

  mustClose(): boolean {
    const { draining } = this.context;
    if (draining === Draining.No) return false;
    if (draining === Draining.Firmly || !this.body.ended) return true;
    return this.receiveBuffer.empty && this.receiveBuffer.hasRoom;
  }

  /** True when the body's end was reached, or reading closed. */
  #readBody(): boolean {
    const { body, exchange, state } = this;
    assert(exchange !== null, 'a body belongs to a request');
    const isRead = body.readPending && exchange.bodyUse !== BodyUse.Left;
    if (exchange.phase === Phase.Ended && !isRead) this.#discardRest(exchange);
    if (state.isClosing) return true;
    // A second block may have arrived while nothing read the body.
    while (body.wanted && !this.receiveBuffer.empty) this.feedBody();
    if (body.fault !== 0) return this.bodyFailed(exchange, body.fault);
    if (body.ended) {
      state.bodyRead();
      return true;
    }
    if (body.waitedMs > this.context.limits.bodyTotalTimeoutMs + body.receivedBytes) {
      this.context.counters.timeouts += 1;
      this.context.meter?.add('timeouts', 'body_total');
      return this.bodyFailed(exchange, Fault.BodyTimeout);
    }
    if (body.discardedBytes > this.context.limits.discardBytesMax) {
      exchange.disableKeepAlive();
      if (exchange.phase === Phase.Ended) close(this);
      return exchange.phase === Phase.Ended;
    }
    if (state.receiveEnded && this.receiveBuffer.empty) {
      return this.bodyFailed(exchange, Fault.Incomplete);
    }
    return false;
  }

  feedBody(): void {
    const { body, receiveBuffer } = this;
    if (this.reactor.armed(this.slot) === Timeout.Body) body.waited(this.reactor.nowMs);
    receiveBuffer.consume(body.feed(receiveBuffer.memory, receiveBuffer.start, receiveBuffer.end));
    receiveBuffer.join();
  }

  /** The response has ended, nothing reads the body: skips it for the next request, or closes. */
  #discardRest({ keepAlive }: Exchange): void {
    const { discardBytesMax } = this.context.limits;
    if (keepAlive && this.body.isWorthSkipping(discardBytesMax)) this.body.discard();
    else close(this);
  }

  bodyFailed(exchange: Exchange, fault: number): boolean {
    this.context.counters.faults += 1;
    this.context.meter?.add('faults', faultName(fault));
    this.debug(faultText(fault));
    exchange.disableKeepAlive();
    if (exchange.phase === Phase.Ended) {
      close(this);
      return true;
    }
    // The reader of the body gets the error, now or when it reads. The rest is not read.
    this.body.truncate(new HttpError(faultStatus(fault), faultText(fault)));
    this.state.bodyRead();
    this.receiveBuffer.consume(this.receiveBuffer.end - this.receiveBuffer.start);
    return true;
  }

  /** True when the response has ended: the next request may begin, or the connection closes. */
  #finish(): boolean {
    const { exchange } = this;
    assert(exchange !== null, 'a response belongs to a request');
    if (exchange.phase !== Phase.Ended) return false;
    if (!exchange.keepAlive) {
      close(this);
    } else {
      this.detach(exchange);
      this.state.responseEnded();
      if (!this.receiveBuffer.empty) this.context.meter?.pipelined();
      // The next request gets the full time, also when its first bytes are here already.
      const armed = this.reactor.armed(this.slot);
      const { headTimeout } = this.context;
      if (armed === headTimeout || armed === Timeout.Handler) this.reactor.disarm(this.slot);
    }
    return true;
  }

  detach(exchange: Exchange): void {
    this.exchange = null;
    exchange.detach(DETACHED, this.knownPeer);
    const isSettled = exchange.handling === Handling.Settled;
    if (isSettled && !exchange.retained) this.context.exchanges.release(exchange);
  }

  // --- At the end of each step ---

  settle(): void {
    const { slot, reactor, sendQueue, receiveBuffer, exchange, state } = this;
    if (state.isBroken) return;
    if (exchange === null || exchange.headMemory !== HeadMemory.Borrowed) receiveBuffer.trim();
    if (!receiveBuffer.empty && reactor.slab.isShort) receiveBuffer.spill();
    sendQueue.flush();
    if (state.isClosing) {
      continueClose(this);
      return;
    }
    const mayReceive = state.reading === Reading.Head || !receiveBuffer.isLarge;
    const canReceive = !state.receiveEnded && mayReceive && receiveBuffer.hasRoom;
    if (!canReceive) reactor.watch(slot);
    else if (!reactor.receiving(slot)) reactor.receive(slot);
    setDeadline(this, exchange);
  }

  debug(message: string): void {
    if (!this.context.debugEnabled) return;
    const { address, port } = this.peer();
    this.context.logDebug(`${address}:${port} ${message}`);
  }
}
