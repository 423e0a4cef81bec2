// What the exchanges of a connection ask of it: sending answers, reading bodies, clocks. Between an
// answer and the next turn nothing waits: what was handed over is sent at once, unless the
// connection is in the middle of reading, which sends when it is through.

import { assert } from '../base/assert.ts';
import type { Peer } from '../driver/driver.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { lateRejection, quick } from '../exchange/late.ts';
import { Phase } from '../exchange/phase.ts';
import type { Prepared } from '../exchange/prepared.ts';
import { endsAtHead } from '../exchange/respond.ts';
import type { Content, Transport } from '../exchange/transport.ts';
import { cutShort, lose } from './close.ts';
import type { Connection } from './connection.ts';
import { Draining } from './context.ts';

/** Stands before what the log tells of a response that the client sees is not whole. */
const IS_CUT = 'the response is cut: ';

export class ConnectionTransport implements Transport {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  peer(): Peer {
    return this.#connection.peer();
  }

  sendWhole(exchange: Exchange, content: Content): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    this.#closeOverRest(exchange);
    context.writer.whole(sendQueue, exchange, content, context.services.wallMs());
    this.#responded(exchange);
  }

  sendPrepared(exchange: Exchange, prepared: Prepared): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    this.#closeOverRest(exchange);
    context.writer.prepared(sendQueue, exchange, prepared, context.services.wallMs());
    this.#responded(exchange);
  }

  startStream(exchange: Exchange, length: number): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    // A handler that took the body may read on while it answers; another one can still begin to,
    // behind a head that says that the connection ends.
    if (!this.#mayReadOn(exchange)) this.#closeOverRest(exchange);
    context.writer.start(sendQueue, exchange, length, context.services.wallMs());
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

  write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void> {
    const connection = this.#connection;
    const { context, sendQueue, advancing } = connection;
    const bounded = exchange.owedBytes >= 0;
    const target = context.writer.piece(sendQueue, exchange, chunk);
    if (bounded && exchange.owedBytes < 0) {
      // What was queued is too long: only a reset keeps it from being read as a response.
      const declared = exchange.contentBytes + exchange.owedBytes;
      const error = new TypeError(`more was written than Content-Length announced (${declared})`);
      exchange.services.handlerFailed(exchange, error, IS_CUT);
      lose(connection);
      return lateRejection(exchange, false, error);
    }
    if (!advancing) connection.settle();
    const roomAt = sendQueue.queuedTotal - context.limits.sendQueueBytesMax;
    const wanted = borrowed ? Math.max(target, roomAt) : roomAt;
    const reached = sendQueue.reached(wanted);
    if (sendQueue.sentTotal >= wanted) return quick(exchange, reached);
    exchange.quickWrites = 0;
    return reached;
  }

  endStream(exchange: Exchange): void {
    const connection = this.#connection;
    if (exchange.owedBytes > 0 && !endsAtHead(exchange)) {
      const what = `the stream ended ${exchange.owedBytes} bytes before its Content-Length`;
      exchange.services.handlerFailed(exchange, new TypeError(what), IS_CUT);
      cutShort(connection, exchange);
      return;
    }
    connection.context.writer.last(connection.sendQueue, exchange);
    this.#responded(exchange);
  }

  #responded(exchange: Exchange): void {
    const { context, deliveries, sendQueue } = this.#connection;
    exchange.phase = Phase.Ended;
    context.counters.responses += 1;
    if (exchange.afterSend !== null) deliveries.add(exchange, sendQueue.queuedTotal, true);
    this.#connection.advance();
  }

  abandon(exchange: Exchange): void {
    exchange.abandoned = true;
    if (exchange.phase === Phase.Streaming) cutShort(this.#connection, exchange);
    else lose(this.#connection);
  }

  readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    exchange.retain();
    const chunk = this.#connection.body.readChunk();
    this.#readOn(exchange);
    return chunk;
  }

  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    // The handler's strings must not change when the inbox moves on.
    exchange.retain();
    const bytes = this.#connection.body.readAll(bytesMax);
    this.#readOn(exchange);
    return bytes;
  }

  /** Takes what is there, and asks for the rest. */
  #readOn(exchange: Exchange): void {
    const connection = this.#connection;
    const { body, receiveBuffer } = connection;
    if (connection.continueOwed && body.wanted && body.reading && receiveBuffer.empty) {
      connection.continueOwed = false;
      if (exchange.phase === Phase.Open) connection.context.writer.continue(connection.sendQueue);
    }
    // Within advance() the loop goes on when the handler returns.
    if (!connection.advancing) connection.advance();
    else if (body.wanted && !receiveBuffer.empty) connection.feed();
  }

  trailers(): readonly (readonly [string, string])[] {
    return this.#connection.body.trailers();
  }
}
