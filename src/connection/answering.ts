// What the exchanges of a connection ask of it: sending answers, reading bodies, clocks. Between an
// answer and the next turn nothing waits: what was handed over is sent at once, unless the
// connection is in the middle of reading, which sends when it is through.

import { assert } from '../base/assert.ts';
import { describe } from '../base/describe.ts';
import type { Peer } from '../driver/driver.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Phase } from '../exchange/phase.ts';
import type { Prepared } from '../exchange/prepared.ts';
import type { Content, Transport } from '../exchange/transport.ts';
import { Method } from '../http/method.ts';
import type { Work } from '../work/work.ts';
import type { Connection } from './connection.ts';
import { type ConnectionLimits, Draining } from './context.ts';
import { clientGone, cutShort, lose, notifySent } from './ending.ts';

export class Answering implements Transport {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get work(): Work {
    return this.#connection.context.work;
  }

  get limits(): ConnectionLimits {
    return this.#connection.context.limits;
  }

  nowMs(): number {
    const { reactor } = this.#connection;
    if (!reactor.inTurn) reactor.readClocks();
    return reactor.nowMs;
  }

  wallMs(): number {
    const { reactor } = this.#connection;
    if (!reactor.inTurn) reactor.readClocks();
    return reactor.wallMs;
  }

  peer(): Peer {
    return this.#connection.peer();
  }

  sendWhole(exchange: Exchange, content: Content): void {
    const { context, outbox } = this.#connection;
    this.#beforeHead(exchange);
    this.#closeOverRest(exchange);
    context.writer.whole(outbox, exchange, content, this.wallMs());
    this.#answered(exchange);
  }

  sendPrepared(exchange: Exchange, prepared: Prepared): void {
    const { context, outbox } = this.#connection;
    this.#beforeHead(exchange);
    this.#closeOverRest(exchange);
    context.writer.prepared(outbox, exchange, prepared, this.wallMs());
    this.#answered(exchange);
  }

  startStream(exchange: Exchange, length: number): void {
    const { context, outbox } = this.#connection;
    this.#beforeHead(exchange);
    // A handler that took the body may read on while it answers; another one can still begin to,
    // behind a head that says that the connection ends.
    if (!this.#mayReadOn(exchange)) this.#closeOverRest(exchange);
    context.writer.start(outbox, exchange, length, this.wallMs());
    exchange.phase = Phase.Streaming;
    this.#connection.advance();
  }

  #beforeHead(exchange: Exchange): void {
    const connection = this.#connection;
    assert(exchange === connection.exchange, 'the exchange that answers is the current one');
    assert(exchange.phase === Phase.Open, 'a head is sent once');
    if (connection.context.draining !== Draining.No && connection.isLast()) exchange.close = true;
  }

  /** True when the handler has begun to read the body and neither failed nor left it. */
  #mayReadOn(exchange: Exchange): boolean {
    return exchange.bodyRead && !exchange.bodyLeft && !this.#connection.body.discarding;
  }

  /** A head tells the client that the rest of its body will not be read. */
  #closeOverRest(exchange: Exchange): void {
    const connection = this.#connection;
    const { body } = connection;
    if (!body.ended && !body.reading && !connection.worthSkipping()) exchange.close = true;
  }

  write(exchange: Exchange, chunk: string | Uint8Array): Promise<void> {
    const { context, outbox, advancing } = this.#connection;
    const bounded = exchange.owedBytes >= 0;
    const target = context.writer.piece(outbox, exchange, chunk);
    if (bounded && exchange.owedBytes < 0) {
      // What was queued is too long: only a reset keeps it from being read as an answer.
      const declared = exchange.contentBytes + exchange.owedBytes;
      const error = new TypeError(`more was written than Content-Length announced (${declared})`);
      this.#logMistake(exchange, error);
      lose(this.#connection);
      throw error;
    }
    if (!advancing) this.#connection.settle();
    const roomAt = outbox.queuedTotal - context.limits.sendQueueBytesMax;
    return outbox.reached(Math.max(target, roomAt));
  }

  endStream(exchange: Exchange): void {
    if (exchange.owedBytes > 0 && exchange.head.method !== Method.HEAD) {
      const error = new TypeError(
        `the stream ended ${exchange.owedBytes} bytes before its Content-Length`,
      );
      this.#logMistake(exchange, error);
      cutShort(this.#connection, exchange);
      throw error;
    }
    this.#connection.context.writer.last(this.#connection.outbox, exchange);
    this.#answered(exchange);
  }

  #answered(exchange: Exchange): void {
    exchange.phase = Phase.Ended;
    this.#connection.context.counters.answers += 1;
    if (exchange.afterSend !== null) notifySent(exchange, true);
    this.#connection.advance();
  }

  abandon(exchange: Exchange): void {
    if (exchange !== this.#connection.exchange) return;
    exchange.abandoned = true;
    if (exchange.phase === Phase.Streaming) cutShort(this.#connection, exchange);
    else lose(this.#connection);
  }

  cut(exchange: Exchange, why: string): void {
    if (exchange !== this.#connection.exchange) return;
    this.#logCut(exchange, why);
    lose(this.#connection);
  }

  /** Also where the handler catches the error, or no handler waits for it. */
  #logMistake(exchange: Exchange, error: Error): void {
    this.#connection.context.counters.handlerErrors += 1;
    this.#logCut(exchange, describe(error));
  }

  #logCut(exchange: Exchange, why: string): void {
    this.logError(`${exchange.methodName()} ${exchange.path()}: the response is cut: ${why}`);
  }

  readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    if (exchange !== this.#connection.exchange) return Promise.reject(bodyOver(exchange));
    exchange.retain();
    const chunk = this.#connection.body.readChunk();
    this.#readOn(exchange);
    return chunk;
  }

  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    if (exchange !== this.#connection.exchange) return Promise.reject(bodyOver(exchange));
    // The handler's strings must not change when the inbox moves on.
    exchange.retain();
    const bytes = this.#connection.body.readAll(bytesMax);
    this.#readOn(exchange);
    return bytes;
  }

  /** Takes what is there, and asks for the rest. */
  #readOn(exchange: Exchange): void {
    const connection = this.#connection;
    const { body, inbox } = connection;
    if (connection.continueOwed && body.wanted && body.reading && inbox.empty) {
      connection.continueOwed = false;
      if (exchange.phase === Phase.Open) connection.context.writer.continue(connection.outbox);
    }
    // Within advance() the loop goes on when the handler returns.
    if (!connection.advancing) connection.advance();
    else if (body.wanted && !inbox.empty) connection.feed();
  }

  trailers(exchange: Exchange): readonly (readonly [string, string])[] {
    return exchange === this.#connection.exchange ? this.#connection.body.trailers() : [];
  }

  countLateWrite(): void {
    this.#connection.context.counters.lateWrites += 1;
  }

  logError(message: string): void {
    this.#connection.context.logError(message);
  }
}

function bodyOver(exchange: Exchange): Error {
  return exchange.gone ? clientGone() : new Error('the body is gone: this request is over');
}
