// Hot: runs for every request. Measured by perf/micro/driver.ts.
// HTTP/1.1 over one socket. Requests are read one after the other: the next head is parsed when the
// answer before it was handed over and its body consumed, so answers cannot change places. What a
// pipeline holds beyond that waits in the inbox.
//
//   reading:   Head --head--> Body --last byte--> Answer --answer handed over--> Head
//                \______________fault, end, `Connection: close`______________/--> Stopped
//
// Stopped: nothing more is read as a request. What is queued is sent, our side is shut, and what still
// arrives is thrown away until the client closes too (RFC 9112 9.6), or the time for that is over.

import { assert } from '../base/assert.ts';
import type { Limits } from '../base/limits.ts';
import type { Peer } from '../driver/driver.ts';
import { type Exchange, Phase } from '../exchange/exchange.ts';
import { HttpError } from '../exchange/http-error.ts';
import type { Prepared } from '../exchange/prepared.ts';
import type { Content, MappedBytes, Transport } from '../exchange/transport.ts';
import { Fault, faultStatus, faultText } from '../http/fault.ts';
import { frame } from '../http/framing.ts';
import { parseHead } from '../http/parse-head.ts';
import { reasonPhrase } from '../http/status.ts';
import { DeadlineSide, type Reactor } from '../reactor/reactor.ts';
import type { Region } from '../reactor/regions.ts';
import type { SocketOwner } from '../reactor/sockets.ts';
import type { Work } from '../work/work.ts';
import { type ConnectionContext, Timeout } from './context.ts';
import { IncomingBody } from './incoming-body.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';

const Reading = {
  /** Waiting for a request, or in the middle of its head. */
  Head: 0,
  /** A handler runs, its request's body is not consumed. */
  Body: 1,
  /** The request is consumed, its answer is not handed over. */
  Answer: 2,
  Stopped: 3,
} as const;
type Reading = (typeof Reading)[keyof typeof Reading];

export class Connection implements SocketOwner, Transport {
  readonly #context: ConnectionContext;
  readonly #reactor: Reactor;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #body: IncomingBody;
  slot: number;
  #reading: Reading;
  /** The request being read or answered; null between two. */
  #exchange: Exchange | null;
  /** The client sent the end of its stream. It may still read. */
  #ended: boolean;
  /** The socket is broken or being closed: nothing can be sent any more. */
  #lost: boolean;
  /** Our side is shut, the client's end is awaited. */
  #lingering: boolean;
  /** Inside advance(): whoever answers now leaves the rest to it. */
  #advancing: boolean;
  #continueOwed: boolean;
  #requests: number;
  #peer: Peer | null;

  constructor(context: ConnectionContext) {
    this.#context = context;
    this.#reactor = context.reactor;
    this.#inbox = new Inbox(context.reactor.slab);
    this.#outbox = new Outbox(context.reactor);
    this.#body = new IncomingBody(context.limits);
    this.slot = -1;
    this.#reading = Reading.Head;
    this.#exchange = null;
    this.#ended = false;
    this.#lost = false;
    this.#lingering = false;
    this.#advancing = false;
    this.#continueOwed = false;
    this.#requests = 0;
    this.#peer = null;
  }

  /** Begins with a new client. */
  open(slot: number): void {
    assert(this.#exchange === null, 'a new connection has no request');
    assert(this.#inbox.empty, 'a new connection has received nothing');
    this.slot = slot;
    this.#reading = Reading.Head;
    this.#ended = false;
    this.#lost = false;
    this.#lingering = false;
    this.#continueOwed = false;
    this.#requests = 0;
    this.#peer = null;
    this.#outbox.open(slot);
    this.#context.counters.accepted += 1;
    this.#reactor.arm(slot, DeadlineSide.Input, Timeout.Idle);
    this.#reactor.receive(slot);
  }

  /** True when nothing of a request was received. */
  get idle(): boolean {
    return this.#exchange === null && this.#reading === Reading.Head;
  }

  // --- What the reactor tells ---

  received(result: number, block: number): void {
    if (result < 0) {
      this.#lose();
    } else if (this.#reading === Reading.Stopped) {
      if (result === 0) this.#ended = true;
      else this.#reactor.slab.release(block);
      this.#settle();
    } else {
      if (result === 0) this.#ended = true;
      else this.#inbox.add(block, result);
      this.#advance();
    }
  }

  sent(result: number): void {
    if (result < 0) {
      this.#lose();
      return;
    }
    this.#outbox.sent(result);
    if (this.#lost) return;
    if (this.#outbox.waiting > 0) {
      // Progress: the client has its whole time again.
      this.#reactor.arm(this.slot, DeadlineSide.Output, Timeout.Write);
      this.#outbox.flush();
    } else {
      this.#reactor.disarm(this.slot, DeadlineSide.Output);
    }
    // A pipeline may have waited for room, and the last answer for the end.
    if (!this.#inbox.empty) this.#advance();
    else if (this.#reading === Reading.Stopped) this.#settle();
  }

  due(kind: number): void {
    this.#context.counters.timeouts += 1;
    switch (kind) {
      case Timeout.Idle:
        this.#stop();
        break;
      case Timeout.Head:
        this.#refuse(Fault.HeadTimeout);
        break;
      case Timeout.Body:
        this.#bodyDue();
        break;
      case Timeout.Handler:
        this.#handlerDue();
        break;
      case Timeout.Linger:
        this.#reactor.close(this.slot);
        break;
      default:
        assert(kind === Timeout.Write, 'every kind of deadline has its consequence');
        this.#debug('the client takes no more of its answer');
        this.#lose();
    }
  }

  closed(): void {
    this.#forget();
    this.#inbox.clear();
    this.#outbox.clear();
    this.#context.counters.closed += 1;
    this.#context.released(this);
  }

  // --- Reading requests ---

  /** Goes on as far as what was received allows; then sends and asks for more. */
  #advance(): void {
    if (this.#advancing || this.#lost) return;
    this.#advancing = true;
    let going = true;
    while (going) {
      switch (this.#reading) {
        case Reading.Head:
          going = this.#readHead();
          break;
        case Reading.Body:
          going = this.#readBody();
          break;
        case Reading.Answer:
          going = this.#finish();
          break;
        case Reading.Stopped:
          going = false;
          break;
        default:
          this.#reading satisfies never;
      }
    }
    this.#advancing = false;
    this.#settle();
  }

  /** True when a whole head was taken, or reading stopped. */
  #readHead(): boolean {
    const inbox = this.#inbox;
    const { limits } = this.#context;
    if (inbox.empty) {
      if (!this.#ended) return false;
      if (this.#exchange === null) this.#stop();
      else this.#refuse(Fault.Incomplete);
      return true;
    }
    // The answers before are not sent: a client that does not read gets no more work done.
    if (this.#outbox.waiting > limits.sendQueueBytesMax) return false;
    this.#exchange ??= this.#context.exchanges.acquire(this);
    const exchange = this.#exchange;
    const memory = this.#reactor.slab.bytes;
    const length = parseHead(memory, inbox.start, inbox.end, exchange.head, limits);
    if (length > 0) {
      this.#begin(exchange, memory, length);
      return true;
    }
    if (length < 0) this.#refuse(length);
    else if (this.#ended) this.#refuse(Fault.Incomplete);
    else return false;
    return true;
  }

  #begin(exchange: Exchange, memory: Uint8Array, length: number): void {
    const { counters, limits } = this.#context;
    exchange.bytes = memory;
    exchange.base = this.#inbox.start;
    exchange.headBytes = length;
    exchange.startedMs = this.#reactor.nowMs;
    counters.requests += 1;
    this.#requests += 1;
    const fault = frame(memory, exchange.base, exchange.head, exchange.framing);
    if (fault < 0) {
      this.#refuse(fault);
      return;
    }
    this.#inbox.consume(length);
    this.#body.begin(exchange.framing);
    if (this.#body.fault !== 0) {
      this.#refuse(this.#body.fault);
      return;
    }
    exchange.close =
      !exchange.framing.keepAlive ||
      this.#context.draining ||
      this.#requests === limits.requestsPerConnectionMax;
    this.#continueOwed = exchange.framing.expectContinue;
    this.#reading = this.#body.ended ? Reading.Answer : Reading.Body;
    this.#context.handle(exchange);
    if (exchange.phase !== Phase.Ended || !exchange.handled) {
      exchange.retain();
      this.#reactor.yieldWanted = true;
    } else if (!this.#body.ended) {
      // The head's memory may go while the body is skipped.
      exchange.live = false;
    }
  }

  /** True when the body's end was reached, or reading stopped. */
  #readBody(): boolean {
    const body = this.#body;
    const exchange = this.#exchange;
    assert(exchange !== null, 'a body belongs to a request');
    if (exchange.phase === Phase.Ended && !body.reading) this.#discardRest();
    if (this.#stopped()) return true;
    if (body.wanted && !this.#inbox.empty) this.#feed();
    if (body.fault !== 0) return this.#bodyFault(exchange, body.fault);
    if (body.ended) {
      this.#reading = Reading.Answer;
      return true;
    }
    if (body.discardedBytes > this.#context.limits.discardBytesMax) {
      exchange.close = true;
      if (exchange.phase === Phase.Ended) this.#stop();
      return exchange.phase === Phase.Ended;
    }
    if (this.#ended && this.#inbox.empty) return this.#bodyFault(exchange, Fault.Incomplete);
    return false;
  }

  /** Asked through a method, because the compiler does not see what a call may have changed. */
  #stopped(): boolean {
    return this.#reading === Reading.Stopped;
  }

  #feed(): void {
    const { bytes } = this.#reactor.slab;
    this.#continueOwed = false;
    this.#inbox.consume(this.#body.feed(bytes, this.#inbox.start, this.#inbox.end));
    this.#inbox.join();
  }

  /** The answer is out and nobody reads the body: skip it if that is cheap, else close. */
  #discardRest(): void {
    if (this.#worthSkipping()) this.#body.discard();
    else this.#stop();
  }

  #worthSkipping(): boolean {
    // A client that waits for 100 may send its body or not: only closing is unambiguous.
    if (this.#continueOwed) return false;
    const { owedBytes } = this.#body;
    if (owedBytes === Number.POSITIVE_INFINITY) return true;
    return owedBytes <= this.#context.limits.discardBytesMax;
  }

  /** The rest of the connection cannot be understood. True: reading stopped, or waits no more. */
  #bodyFault(exchange: Exchange, fault: number): boolean {
    this.#context.counters.faults += 1;
    this.#debug(faultText(fault));
    exchange.close = true;
    const error = new HttpError(faultStatus(fault), faultText(fault));
    if (exchange.phase === Phase.Ended) {
      this.#stop();
      return true;
    }
    // Whoever reads the body hears of it, now or later; the message is over in any case.
    this.#body.fail(error);
    this.#body.ended = true;
    this.#reading = Reading.Answer;
    this.#inbox.consume(this.#inbox.end - this.#inbox.start);
    return true;
  }

  /** True when the answer was handed over, and the next request may begin. */
  #finish(): boolean {
    const exchange = this.#exchange;
    assert(exchange !== null, 'an answer belongs to a request');
    if (exchange.phase !== Phase.Ended) return false;
    this.#detach(exchange);
    if (exchange.close) this.#stop();
    else this.#reading = Reading.Head;
    return true;
  }

  #detach(exchange: Exchange): void {
    this.#exchange = null;
    exchange.detached = true;
    // A handler that still runs keeps its exchange, which is used for nothing else afterwards.
    if (!exchange.handled) return;
    if (exchange.retained) exchange.live = false;
    else this.#context.exchanges.release(exchange);
  }

  // --- Ending ---

  /** Answers a request that is none, after those before it, and closes. */
  #refuse(fault: number): void {
    const { counters, exchanges } = this.#context;
    counters.faults += 1;
    this.#exchange ??= exchanges.acquire(this);
    const exchange = this.#exchange;
    const status = faultStatus(fault);
    this.#debug(`${faultText(fault)} -> ${status}`);
    exchange.close = true;
    exchange.framing.reset();
    exchange.status = status;
    exchange.fields.reset();
    exchange.fields.set('Content-Type', 'content-type', 'text/plain; charset=utf-8');
    exchange.head.minor = 1;
    exchange.head.method = 0;
    this.#context.writer.whole(this.#outbox, exchange, `${reasonPhrase(status)}\n`, this.wallMs());
    exchange.phase = Phase.Ended;
    exchange.handled = true;
    this.#detach(exchange);
    this.#stop();
  }

  /** Reads no further request: sends what is queued, then ends in order. */
  #stop(): void {
    if (this.#reading === Reading.Stopped) return;
    this.#reading = Reading.Stopped;
    const exchange = this.#exchange;
    if (exchange !== null) {
      assert(exchange.phase !== Phase.Streaming, 'an answer under way is abandoned, not stopped');
      this.#detach(exchange);
    }
    this.#inbox.consume(this.#inbox.end - this.#inbox.start);
    this.#body.fail(new HttpError(400, 'the connection ends'));
    if (!this.#advancing) this.#settle();
  }

  /** For the server: ends an idle connection, and the others with their next answer. */
  drain(): void {
    if (this.#exchange !== null) this.#exchange.close = true;
    else if (this.idle) this.#stop();
  }

  /** For the server: ends at once, whatever is under way. */
  destroy(): void {
    this.#lose();
  }

  /** The connection is broken: tells who works for it, frees what it holds. */
  #lose(): void {
    if (this.#lost) return;
    this.#forget();
    this.#reactor.reset(this.slot);
  }

  #forget(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#reading = Reading.Stopped;
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange !== null && exchange.phase !== Phase.Ended && exchange.headBytes > 0) {
      this.#context.counters.resets += 1;
    }
    if (exchange !== null) this.#goneFor(exchange);
    this.#body.fail(clientGone());
    this.#outbox.giveUp();
  }

  #goneFor(exchange: Exchange): void {
    exchange.gone = true;
    exchange.detached = true;
    if (exchange.handled && exchange.phase === Phase.Ended) exchange.live = false;
    notifySent(exchange, this.nowMs());
    exchange.aborter?.abort(clientGone());
  }

  /** Sends, asks for more, and sets the deadline that fits what is awaited. */
  #settle(): void {
    if (this.#lost) return;
    const { slot } = this;
    const reactor = this.#reactor;
    const outbox = this.#outbox;
    const exchange = this.#exchange;
    if (exchange === null || exchange.retained || !exchange.live) this.#inbox.trim();
    if (outbox.waiting > 0 && !reactor.sending(slot)) {
      outbox.flush();
      reactor.arm(slot, DeadlineSide.Output, Timeout.Write);
    }
    if (this.#reading === Reading.Stopped) {
      this.#linger();
      return;
    }
    if (!this.#ended && this.#inbox.hasRoom && !reactor.receiving(slot)) reactor.receive(slot);
    this.#setDeadline(exchange);
  }

  #setDeadline(exchange: Exchange | null): void {
    const { slot } = this;
    const reactor = this.#reactor;
    const armed = reactor.armed(slot, DeadlineSide.Input);
    if (exchange === null) {
      reactor.arm(slot, DeadlineSide.Input, Timeout.Idle);
    } else if (this.#reading === Reading.Head) {
      // From the first byte to the last: a slow sender gets no more time for each byte.
      if (armed !== Timeout.Head) reactor.arm(slot, DeadlineSide.Input, Timeout.Head);
    } else if (this.#body.wanted) {
      reactor.arm(slot, DeadlineSide.Input, Timeout.Body);
    } else if (exchange.phase === Phase.Open) {
      if (armed !== Timeout.Handler) reactor.arm(slot, DeadlineSide.Input, Timeout.Handler);
    } else {
      reactor.disarm(slot, DeadlineSide.Input);
    }
  }

  #linger(): void {
    const { slot } = this;
    const reactor = this.#reactor;
    if (this.#outbox.waiting > 0) {
      reactor.disarm(slot, DeadlineSide.Input);
    } else if (this.#ended) {
      reactor.close(slot);
      return;
    } else if (!this.#lingering) {
      this.#lingering = true;
      reactor.shutdownSend(slot);
      reactor.arm(slot, DeadlineSide.Input, Timeout.Linger);
    }
    if (!this.#ended && !reactor.receiving(slot)) reactor.receive(slot);
  }

  #bodyDue(): void {
    const exchange = this.#exchange;
    assert(exchange !== null, 'a body that is awaited belongs to a request');
    exchange.close = true;
    if (exchange.phase === Phase.Ended) this.#stop();
    else {
      this.#bodyFault(exchange, Fault.BodyTimeout);
      this.#advance();
    }
  }

  #handlerDue(): void {
    const exchange = this.#exchange;
    assert(exchange !== null, 'a handler answers a request');
    exchange.close = true;
    this.#context.handlerTimedOut(exchange);
  }

  #debug(message: string): void {
    if (!this.#context.debugEnabled) return;
    const { address, port } = this.peer();
    this.#context.logDebug(`${address}:${port} ${message}`);
  }

  // --- What an exchange asks for ---

  get work(): Work {
    return this.#context.work;
  }

  get limits(): Limits {
    return this.#context.limits;
  }

  nowMs(): number {
    if (!this.#reactor.inTurn) this.#reactor.readClocks();
    return this.#reactor.nowMs;
  }

  wallMs(): number {
    if (!this.#reactor.inTurn) this.#reactor.readClocks();
    return this.#reactor.wallMs;
  }

  peer(): Peer {
    this.#peer ??= this.slot < 0 || this.#lost ? NOBODY : this.#reactor.peer(this.slot);
    return this.#peer;
  }

  sendWhole(exchange: Exchange, content: Content): void {
    this.#beforeHead(exchange);
    this.#context.writer.whole(this.#outbox, exchange, content, this.wallMs());
    this.#answered(exchange);
  }

  sendPrepared(exchange: Exchange, prepared: Prepared): void {
    this.#beforeHead(exchange);
    this.#context.writer.prepared(this.#outbox, exchange, prepared, this.wallMs());
    this.#answered(exchange);
  }

  sendMapped(exchange: Exchange, content: MappedBytes): void {
    this.#beforeHead(exchange);
    this.#context.writer.mapped(this.#outbox, exchange, content as Region, this.wallMs());
    this.#answered(exchange);
  }

  startStream(exchange: Exchange, length: number): void {
    this.#beforeHead(exchange);
    this.#context.writer.start(this.#outbox, exchange, length, this.wallMs());
    exchange.phase = Phase.Streaming;
    if (!this.#advancing) this.#advance();
  }

  #beforeHead(exchange: Exchange): void {
    assert(exchange === this.#exchange, 'the exchange that answers is the current one');
    assert(exchange.phase === Phase.Open, 'a head is sent once');
    if (this.#context.draining) exchange.close = true;
    // The answer tells the client that the rest of its body will not be read.
    const body = this.#body;
    if (!body.ended && !body.reading && !this.#worthSkipping()) exchange.close = true;
  }

  write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
    const sizeBefore = exchange.owedBytes;
    const target = this.#context.writer.piece(this.#outbox, exchange, chunk);
    if (sizeBefore >= 0 && exchange.owedBytes < 0) {
      this.abandon(exchange);
      throw new TypeError('more was written than Content-Length announced');
    }
    if (!this.#advancing) this.#settle();
    const roomAt = this.#outbox.queuedTotal - this.#context.limits.sendQueueBytesMax;
    return this.#outbox.reached(Math.max(target, roomAt));
  }

  endStream(exchange: Exchange): void {
    if (exchange.owedBytes > 0 && exchange.contentBytes >= 0 && !isHead(exchange)) {
      this.abandon(exchange);
      throw new TypeError(`the stream ended ${exchange.owedBytes} bytes before its Content-Length`);
    }
    this.#context.writer.last(this.#outbox, exchange);
    this.#answered(exchange);
  }

  drained(exchange: Exchange): Promise<void> {
    if (exchange.gone) return Promise.resolve();
    return this.#outbox.reached(this.#outbox.queuedTotal);
  }

  #answered(exchange: Exchange): void {
    exchange.phase = Phase.Ended;
    this.#context.counters.answers += 1;
    if (exchange.afterSend !== null) notifySent(exchange, this.nowMs());
    this.#advance();
  }

  abandon(exchange: Exchange): void {
    if (exchange !== this.#exchange) return;
    this.#lose();
  }

  readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    return this.#readFor(exchange, () => this.#body.readChunk());
  }

  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    return this.#readFor(exchange, () => this.#body.readAll(bytesMax));
  }

  #readFor<T>(exchange: Exchange, read: () => Promise<T>): Promise<T> {
    if (exchange !== this.#exchange) return Promise.reject(bodyOver(exchange));
    // The handler's strings must not change when the inbox moves on.
    exchange.retain();
    const result = read();
    if (this.#continueOwed && this.#body.wanted && this.#inbox.empty) {
      this.#continueOwed = false;
      if (exchange.phase === Phase.Open) this.#context.writer.continue(this.#outbox);
    }
    if (this.#advancing) this.#feedNow();
    else this.#advance();
    return result;
  }

  /** Within advance(): the loop goes on when the handler returns, but what is there is taken now. */
  #feedNow(): void {
    if (this.#body.wanted && !this.#inbox.empty) this.#feed();
  }

  trailers(exchange: Exchange): readonly (readonly [string, string])[] {
    const { decoder, ended } = this.#body;
    const pairs: [string, string][] = [];
    if (exchange !== this.#exchange || !ended) return pairs;
    for (let index = 0; index < decoder.trailerCount; index++) {
      pairs.push([decoder.trailerName(index), decoder.trailerValue(index)]);
    }
    return pairs;
  }

  countLateWrite(): void {
    this.#context.counters.lateWrites += 1;
  }

  logError(message: string): void {
    this.#context.logError(message);
  }
}

const NOBODY: Peer = Object.freeze({ address: '', port: 0 });

function isHead(exchange: Exchange): boolean {
  return exchange.methodName() === 'HEAD';
}

/** Tells afterSend() callbacks, once. They may not break the connection. */
function notifySent(exchange: Exchange, nowMs: number): void {
  const callbacks = exchange.afterSend;
  if (callbacks === null) return;
  exchange.afterSend = null;
  const durationMs = nowMs - exchange.startedMs;
  const summary = { status: exchange.status, bytes: exchange.contentBytes, durationMs };
  for (const callback of callbacks) {
    try {
      callback(summary);
    } catch (error) {
      exchange.transport.logError(`an afterSend callback threw: ${String(error)}`);
    }
  }
}

function clientGone(): Error {
  return Object.assign(new Error('the client went away'), { code: 'ECONNRESET' });
}

function bodyOver(exchange: Exchange): Error {
  return exchange.gone ? clientGone() : new Error('the body is gone: this request is over');
}
