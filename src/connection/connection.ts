// Hot: runs for every request. Measured by perf/micro/connection.ts.
// HTTP/1.1 over one socket. Requests are read one after the other: the next head is parsed when the
// answer before it was handed over and its body consumed, so answers cannot change places. What a
// pipeline holds beyond that waits in the inbox.
//
//   reading:   Head --head--> Body --last byte--> Answer --answer handed over--> Head
//                \______________fault, end, `Connection: close`______________/--> Stopped
//
// How it ends stands in ending.ts, what its handlers ask of it in answering.ts.

import { assert } from '../base/assert.ts';
import type { Peer } from '../driver/driver.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import { Phase } from '../exchange/phase.ts';
import { Fault, faultStatus, faultText } from '../http/fault.ts';
import { frame } from '../http/framing.ts';
import { isBlank, parseHead } from '../http/parse-head.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { SocketOwner } from '../reactor/sockets.ts';
import { continueEnding, endUnasked, forget, lose, refuse, stop, yieldSlot } from './close.ts';
import { type ConnectionContext, Draining, Timeout } from './context.ts';
import { Deliveries } from './delivery.ts';
import { DETACHED, NO_PEER } from './detached.ts';
import { Reading } from './reading.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { IncomingBody } from './request-body.ts';
import { SendQueue } from './send-queue.ts';
import { overdue } from './timeouts.ts';
import { ConnectionTransport } from './transport.ts';

export class Connection implements SocketOwner {
  readonly context: ConnectionContext;
  readonly reactor: Reactor;
  readonly receiveBuffer: ReceiveBuffer;
  readonly sendQueue: SendQueue;
  readonly body: IncomingBody;
  readonly deliveries: Deliveries = new Deliveries();
  /** What exchanges see of this connection. */
  readonly transport: ConnectionTransport;
  slot: number;
  reading: Reading;
  /** The request being read or answered; null between two. */
  exchange: Exchange | null;
  /** The client sent the end of its stream. It may still read. */
  ended: boolean;
  /** The socket is broken or being closed: nothing can be sent any more. */
  lost: boolean;
  /** Our side is shut, the client's end is awaited. */
  lingering: boolean;
  /** Inside advance(): whoever answers now leaves the rest to it. */
  advancing: boolean;
  /** The client waits for 100 (Continue) before it sends its body. */
  continueOwed: boolean;
  requests: number;
  /** How many requests there may be before the answers to all of them have to be sent. */
  #pipelineEnd: number;
  /** The client's address, once it was asked for. */
  knownPeer: Peer | null;

  constructor(context: ConnectionContext) {
    this.context = context;
    this.reactor = context.reactor;
    this.receiveBuffer = new ReceiveBuffer(context.reactor.slab);
    this.sendQueue = new SendQueue(context.reactor, context.spans);
    this.body = new IncomingBody(context.limits);
    this.transport = new ConnectionTransport(this);
    this.slot = -1;
    this.reading = Reading.Head;
    this.exchange = null;
    this.ended = false;
    this.lost = false;
    this.lingering = false;
    this.advancing = false;
    this.continueOwed = false;
    this.requests = 0;
    this.#pipelineEnd = 0;
    this.knownPeer = null;
  }

  /** Begins with a new client. */
  open(slot: number): void {
    assert(this.exchange === null, 'a new connection has no request');
    assert(this.receiveBuffer.empty, 'a new connection has received nothing');
    this.slot = slot;
    this.reading = Reading.Head;
    this.ended = false;
    this.lost = false;
    this.lingering = false;
    this.continueOwed = false;
    this.requests = 0;
    this.#pipelineEnd = this.context.limits.pipelineDepthMax;
    this.knownPeer = null;
    this.sendQueue.open(slot);
    this.context.counters.accepted += 1;
    this.reactor.extend(slot, this.context.idleTimeout);
    this.reactor.receive(slot);
  }

  /** The client's address; none when it was never asked for while the client was there. */
  peer(): Peer {
    this.knownPeer ??= this.lost ? NO_PEER : this.reactor.peer(this.slot);
    return this.knownPeer;
  }

  // --- What the reactor tells ---

  received(result: number, block: number): void {
    if (result < 0) {
      lose(this);
    } else if (this.reading === Reading.Stopped) {
      if (result === 0) this.ended = true;
      else this.reactor.slab.release(block);
      this.settle();
    } else {
      if (result === 0) this.ended = true;
      else this.receiveBuffer.add(block, result);
      this.advance();
    }
  }

  sent(result: number): void {
    if (result < 0) {
      lose(this);
      return;
    }
    this.sendQueue.sent(result);
    if (!this.lost) this.deliveries.tellSent(this.sendQueue.sentTotal);
    if (this.lost) return;
    if (this.sendQueue.waiting > 0) this.sendQueue.flush();
    else if (this.exchange === null && this.reading === Reading.Head) {
      this.reactor.extend(this.slot, this.context.idleTimeout);
    }
    // A pipeline may have waited for room, and the last answer for the end.
    if (this.reading === Reading.Stopped) this.settle();
    else if (!this.receiveBuffer.empty) this.advance();
  }

  due(kind: number): void {
    overdue(this, kind);
  }

  yieldSlot(): boolean {
    return yieldSlot(this);
  }

  closed(): void {
    forget(this);
    this.receiveBuffer.clear();
    this.sendQueue.clear();
    this.context.counters.closed += 1;
    this.context.released(this);
  }

  // --- Reading requests ---

  /** Goes on as far as what was received allows; then sends and asks for more. */
  advance(): void {
    if (this.advancing || this.lost) return;
    this.advancing = true;
    let going = true;
    while (going) {
      switch (this.reading) {
        case Reading.Head:
          going = this.#readHead();
          break;
        case Reading.Body:
          going = this.#readBody();
          break;
        case Reading.RawResponse:
          going = this.#finish();
          break;
        case Reading.Stopped:
          going = false;
          break;
        default:
          this.reading satisfies never;
      }
    }
    this.advancing = false;
    this.settle();
  }

  /** True when a whole head was taken, or reading stopped. */
  #readHead(): boolean {
    const { receiveBuffer, context } = this;
    const { limits } = context;
    if (receiveBuffer.empty && !receiveBuffer.join()) {
      if (!this.ended) return false;
      if (this.exchange === null) stop(this);
      else refuse(this, Fault.Incomplete);
      return true;
    }
    // The answers before are not sent: a client that does not read gets no more work done.
    if (this.sendQueue.waiting > limits.sendQueueBytesMax) return false;
    if (this.requests === this.#pipelineEnd && !this.#pipelineMayGoOn()) return false;
    this.exchange ??= context.exchanges.acquire(this.transport);
    const { exchange } = this;
    const { memory } = receiveBuffer;
    const length = parseHead(memory, receiveBuffer.start, receiveBuffer.end, exchange.head, limits);
    if (length > 0) {
      this.#begin(exchange, memory, length);
      return true;
    }
    if (length < 0) refuse(this, length);
    else if (receiveBuffer.join()) return true;
    else if (!this.ended) return false;
    else if (isBlank(exchange.head)) endUnasked(this, exchange);
    else refuse(this, Fault.Incomplete);
    return true;
  }

  #pipelineMayGoOn(): boolean {
    if (this.sendQueue.waiting > 0) return false;
    this.#pipelineEnd = this.requests + this.context.limits.pipelineDepthMax;
    return true;
  }

  #begin(exchange: Exchange, memory: Uint8Array, length: number): void {
    const { context, body } = this;
    exchange.bytes = memory;
    exchange.base = this.receiveBuffer.start;
    exchange.headBytes = length;
    exchange.headBorrowed = true;
    exchange.startedMs = this.reactor.nowMs;
    context.counters.requests += 1;
    this.requests += 1;
    const fault = frame(memory, exchange.base, exchange.head, exchange.framing);
    if (fault < 0) {
      refuse(this, fault);
      return;
    }
    this.receiveBuffer.consume(length);
    body.begin(exchange.framing);
    if (body.fault !== 0) {
      refuse(this, body.fault);
      return;
    }
    exchange.close =
      !exchange.framing.keepAlive ||
      (context.draining !== Draining.No && this.isLast()) ||
      this.requests === context.limits.requestsPerConnectionMax;
    this.continueOwed = exchange.framing.expectContinue;
    this.reading = body.ended ? Reading.RawResponse : Reading.Body;
    context.handle(exchange);
    if (exchange.phase !== Phase.Ended || !exchange.handled || exchange.headOnly) {
      exchange.retain();
      this.reactor.yieldWanted = true;
    } else if (!body.ended && !exchange.retained) {
      // The head's memory may go while the body is skipped.
      exchange.revoke();
    }
  }

  /** While the server closes: whether an answer now should say that the connection ends. */
  isLast(): boolean {
    if (this.context.draining === Draining.Firmly || !this.body.ended) return true;
    return this.receiveBuffer.empty && this.receiveBuffer.hasRoom;
  }

  /** True when the body's end was reached, or reading stopped. */
  #readBody(): boolean {
    const { body, exchange } = this;
    assert(exchange !== null, 'a body belongs to a request');
    if (exchange.phase === Phase.Ended && !body.reading) this.#discardRest();
    if (this.#stopped()) return true;
    // A second block may have come while nobody read.
    while (body.wanted && !this.receiveBuffer.empty) this.feed();
    if (body.fault !== 0) return this.bodyFault(exchange, body.fault);
    if (body.ended) {
      this.reading = Reading.RawResponse;
      return true;
    }
    if (body.waitedMs > this.context.limits.bodyTotalTimeoutMs + body.receivedBytes) {
      this.context.counters.timeouts += 1;
      return this.bodyFault(exchange, Fault.BodyTimeout);
    }
    if (body.discardedBytes > this.context.limits.discardBytesMax) {
      exchange.close = true;
      if (exchange.phase === Phase.Ended) stop(this);
      return exchange.phase === Phase.Ended;
    }
    if (this.ended && this.receiveBuffer.empty) return this.bodyFault(exchange, Fault.Incomplete);
    return false;
  }

  /** Asked through a method, because the compiler does not see what a call may have changed. */
  #stopped(): boolean {
    return this.reading === Reading.Stopped;
  }

  /** Gives what is there to whoever wants the body. */
  feed(): void {
    const { receiveBuffer } = this;
    this.continueOwed = false;
    if (this.reactor.armed(this.slot) === Timeout.Body) this.body.waited(this.reactor.nowMs);
    receiveBuffer.consume(
      this.body.feed(receiveBuffer.memory, receiveBuffer.start, receiveBuffer.end),
    );
    receiveBuffer.join();
  }

  /** The answer is out and nobody reads the body: skip it if that is cheap, else close. */
  #discardRest(): void {
    if (this.worthSkipping()) this.body.discard();
    else stop(this);
  }

  /** Whether the rest of a body is skipped to keep the connection. */
  worthSkipping(): boolean {
    // A client that waits for 100 may send its body or not: only closing is unambiguous.
    if (this.continueOwed) return false;
    const { owedBytes } = this.body;
    if (owedBytes === Number.POSITIVE_INFINITY) return true;
    return owedBytes <= this.context.limits.discardBytesMax;
  }

  /** The rest of the connection cannot be understood. True: reading stopped, or waits no more. */
  bodyFault(exchange: Exchange, fault: number): boolean {
    this.context.counters.faults += 1;
    this.debug(faultText(fault));
    exchange.close = true;
    if (exchange.phase === Phase.Ended) {
      stop(this);
      return true;
    }
    // Whoever reads the body hears of it, now or later; the message is over in any case.
    this.body.cut(new HttpError(faultStatus(fault), faultText(fault)));
    this.reading = Reading.RawResponse;
    this.receiveBuffer.consume(this.receiveBuffer.end - this.receiveBuffer.start);
    return true;
  }

  /** True when the answer was handed over, and the next request may begin. */
  #finish(): boolean {
    const { exchange } = this;
    assert(exchange !== null, 'an answer belongs to a request');
    if (exchange.phase !== Phase.Ended) return false;
    if (exchange.close) {
      stop(this);
    } else {
      this.detach(exchange);
      this.reading = Reading.Head;
      // The next request has the whole of these two for itself, also when it is here already.
      const armed = this.reactor.armed(this.slot);
      if (armed === Timeout.Head || armed === Timeout.Handler) this.reactor.disarm(this.slot);
    }
    return true;
  }

  detach(exchange: Exchange): void {
    this.exchange = null;
    exchange.detached = true;
    exchange.transport = DETACHED;
    exchange.peer = this.knownPeer;
    if (exchange.handled && !exchange.retained) this.context.exchanges.release(exchange);
  }

  // --- At the end of each step ---

  /** Sends, asks for more, and sets the deadline that fits what is awaited. */
  settle(): void {
    if (this.lost) return;
    const { slot, reactor, sendQueue, exchange } = this;
    if (exchange === null || !exchange.headBorrowed) this.receiveBuffer.trim();
    if (!this.receiveBuffer.empty && reactor.slab.isShort) this.receiveBuffer.shelve();
    sendQueue.flush();
    if (this.reading === Reading.Stopped) {
      continueEnding(this);
      return;
    }
    const wanted = this.reading === Reading.Head || !this.receiveBuffer.isHeavy;
    const takes = !this.ended && wanted && this.receiveBuffer.hasRoom;
    if (!takes) reactor.watch(slot);
    else if (!reactor.receiving(slot)) reactor.receive(slot);
    this.#setDeadline(exchange);
  }

  #setDeadline(exchange: Exchange | null): void {
    const { slot, reactor } = this;
    const armed = reactor.armed(slot);
    if (exchange === null) {
      reactor.extend(slot, this.context.idleTimeout);
    } else if (this.reading === Reading.Head) {
      // From the first byte to the last: a slow sender gets no more time for each byte.
      if (armed !== Timeout.Head) reactor.arm(slot, Timeout.Head);
    } else if (this.body.wanted || (exchange.phase === Phase.Ended && !this.body.ended)) {
      reactor.arm(slot, Timeout.Body);
      this.body.waitsFromMs = reactor.nowMs;
    } else if (exchange.phase === Phase.Open) {
      if (armed !== Timeout.Handler) reactor.arm(slot, Timeout.Handler);
    } else {
      reactor.disarm(slot);
    }
  }

  debug(message: string): void {
    if (!this.context.debugEnabled) return;
    const { address, port } = this.peer();
    this.context.logDebug(`${address}:${port} ${message}`);
  }
}
