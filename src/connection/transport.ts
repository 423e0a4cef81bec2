// Hot: runs for every response. Measured by perf/micro/connection.ts.
// What the exchanges of a connection call: sending responses, reading bodies. What a handler sends
// later goes out at once. What it sends within advance() goes out when that returns.

import { assert } from '../base/assert.ts';
import { METRICS_AT_ONCE_BYTES } from '../base/fixed-limits.ts';
import type { Peer } from '../driver/driver.ts';
import { type BodyReader, NOT_ARRIVED } from '../exchange/body-reader.ts';
import type { Content } from '../exchange/content.ts';
import type { Exchange, Transport } from '../exchange/exchange.ts';
import { lateRejection, quick, writeRefusal } from '../exchange/late.ts';
import type { Prepared } from '../exchange/prepared.ts';
import { isHeadOnly } from '../exchange/respond.ts';
import { BodyUse, Phase } from '../exchange/state.ts';
import { takeTrace, traceHead } from '../exchange/tracing.ts';
import type { Meter } from '../metrics/meter.ts';
import type { FileOwner } from '../reactor/file-owner.ts';
import { reset, truncate } from './close.ts';
import type { ConnectionParts } from './parts.ts';

/** The beginning of log lines about truncated responses. */
const TRUNCATED = 'the response was truncated: ';

export class ConnectionTransport implements Transport {
  readonly #connection: ConnectionParts;

  constructor(connection: ConnectionParts) {
    this.#connection = connection;
  }

  peer(): Peer {
    return this.#connection.peer();
  }

  sendFull(exchange: Exchange, content: Content): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    this.#disableKeepAliveForUnreadBody(exchange);
    context.writer.full(sendQueue, exchange, content, context.services.wallMs());
    this.#responded(exchange, false);
  }

  sendPrepared(exchange: Exchange, prepared: Prepared): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    this.#disableKeepAliveForUnreadBody(exchange);
    context.writer.prepared(sendQueue, exchange, prepared, context.services.wallMs());
    this.#responded(exchange, false);
  }

  sendFile(exchange: Exchange, prepared: Prepared, owner: FileOwner): boolean {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    this.#disableKeepAliveForUnreadBody(exchange);
    const wallMs = context.services.wallMs();
    if (!context.writer.preparedFile(sendQueue, exchange, prepared, owner, wallMs)) return false;
    this.#responded(exchange, false);
    return true;
  }

  startStream(exchange: Exchange, length: number): void {
    const { context, sendQueue } = this.#connection;
    this.#beforeHead(exchange);
    // A handler that reads the body may continue while it responds. One that has not begun may
    // still do so, but the head then says `Connection: close`.
    if (!this.#mayContinueReading(exchange)) this.#disableKeepAliveForUnreadBody(exchange);
    context.writer.start(sendQueue, exchange, length, context.services.wallMs());
    exchange.startStreaming();
    traceHead(exchange);
    if (context.meter !== null) this.#countHead(context.meter, exchange);
    this.#connection.advance();
  }

  #beforeHead(exchange: Exchange): void {
    const connection = this.#connection;
    assert(exchange === connection.exchange, 'the exchange that responds is the current one');
    assert(exchange.phase === Phase.Open, 'a head is sent once');
    if (connection.mustClose()) exchange.disableKeepAlive();
    const { reactor, responding } = connection.context;
    // Its own reading of the clock: many slow handlers may respond in one turn.
    if (responding !== undefined) responding(reactor.driver.now());
  }

  /** True when the handler has begun to read the body and neither failed nor left it. */
  #mayContinueReading(exchange: Exchange): boolean {
    return exchange.bodyUse === BodyUse.Reading && !this.#connection.body.discarding;
  }

  /** The head says that the connection closes when the rest of the body will not be read. */
  #disableKeepAliveForUnreadBody(exchange: Exchange): void {
    const connection = this.#connection;
    const { body, context } = connection;
    if (body.ended || body.readPending) return;
    if (!body.isWorthSkipping(context.limits.discardBytesMax)) exchange.disableKeepAlive();
  }

  write(exchange: Exchange, chunk: string | Uint8Array, borrowed: boolean): Promise<void> {
    const connection = this.#connection;
    const { context, sendQueue, advancing } = connection;
    const refusal = writeRefusal(exchange, sendQueue.waiting);
    if (refusal !== null) return this.#refuse(exchange, refusal);
    const bounded = exchange.owedBytes >= 0;
    const target = context.writer.chunk(sendQueue, exchange, chunk);
    if (bounded && exchange.owedBytes < 0) {
      // Too much was queued: without a reset the client would read it as the next response.
      const declared = exchange.contentBytes + exchange.owedBytes;
      const error = new TypeError(`more was written than Content-Length announced (${declared})`);
      return this.#refuse(exchange, error);
    }
    if (!advancing) connection.settle();
    const roomAt = sendQueue.queuedTotal - context.limits.sendQueueBytesMax;
    const wanted = borrowed ? Math.max(target, roomAt) : roomAt;
    const reached = sendQueue.reached(wanted);
    if (sendQueue.sentTotal >= wanted) return quick(exchange, reached);
    exchange.quickWrites = 0;
    return reached;
  }

  #refuse(exchange: Exchange, error: Error): Promise<never> {
    exchange.services.handlerFailed(exchange, error, 'the connection was reset: ');
    reset(this.#connection);
    return lateRejection(exchange, false, error);
  }

  writeFile(exchange: Exchange, file: number, from: number, to: number): Promise<number> | null {
    const connection = this.#connection;
    const { context, sendQueue, advancing } = connection;
    assert(!exchange.chunked, 'the length of a file is known');
    assert(exchange.owedBytes >= to - from, 'a file is no longer than its Content-Length');
    if (isHeadOnly(exchange)) return null;
    const begin = sendQueue.queuedTotal;
    if (!context.writer.file(sendQueue, exchange, file, from, to)) return null;
    if (!advancing) connection.settle();
    return sendQueue.reached(begin + to - from).then(() => {
      // After a reset the totals mean nothing.
      if (exchange.gone) return 0;
      const sent = sendQueue.queuedTotal - begin;
      context.writer.fileSent(exchange, to - from, sent);
      return sent;
    });
  }

  endStream(exchange: Exchange): void {
    const connection = this.#connection;
    if (exchange.owedBytes > 0 && !isHeadOnly(exchange)) {
      const what = `the stream ended ${exchange.owedBytes} bytes before its Content-Length`;
      exchange.services.handlerFailed(exchange, new TypeError(what), TRUNCATED);
      truncate(connection, exchange);
      return;
    }
    connection.context.writer.end(connection.sendQueue, exchange);
    this.#responded(exchange, true);
  }

  #responded(exchange: Exchange, isStream: boolean): void {
    const { body, context, deliveries, sendQueue } = this.#connection;
    const { meter } = context;
    const isLarge = meter !== null && sendQueue.waiting > METRICS_AT_ONCE_BYTES;
    const count = isLarge ? this.#counting(meter, exchange, isStream) : null;
    if (!isLarge && meter !== null) this.#count(meter, exchange, isStream);
    if (!isStream) traceHead(exchange);
    const trace = takeTrace(exchange);
    exchange.endResponse();
    context.counters.responses += 1;
    if (count !== null || trace !== null || exchange.afterSend !== null) {
      const { queuedTotal, sentTotal } = sendQueue;
      deliveries.add(exchange, queuedTotal, true, count, trace, body.receivedBytes);
      // A stream of a declared length may have been sent before it ended.
      if (queuedTotal === sentTotal) deliveries.notifySent(sentTotal);
    }
    this.#connection.advance();
  }

  #count(meter: Meter, exchange: Exchange, isStream: boolean): void {
    const { body, reactor } = this.#connection;
    const { contentBytes, head, series, startedMs, status } = exchange;
    const route = series ?? meter.route('');
    const { receivedBytes } = body;
    meter.responded(route, head.method, status, startedMs, receivedBytes, contentBytes, isStream);
    if (meter.isFull) meter.flush(reactor.driver.now());
  }

  /** Counts a response when it has been sent, or when it is certain that it never will be. */
  #counting(meter: Meter, exchange: Exchange, isStream: boolean): (complete: boolean) => void {
    const { body, reactor } = this.#connection;
    const { contentBytes, series, startedMs, status } = exchange;
    const { method } = exchange.head;
    const { receivedBytes } = body;
    const route = series ?? meter.route('');
    return (complete) => {
      if (!complete) {
        meter.aborted();
        return;
      }
      meter.responded(route, method, status, startedMs, receivedBytes, contentBytes, isStream);
      if (meter.isFull) meter.flush(reactor.driver.now());
    };
  }

  #countHead(meter: Meter, { head, series, startedMs, status }: Exchange): void {
    meter.headSent(series ?? meter.route(''), head.method, status, startedMs);
    const { reactor } = this.#connection;
    if (meter.isFull) meter.flush(reactor.driver.now());
  }

  waitingBytes(): number {
    return this.#connection.sendQueue.waiting;
  }

  abandon(exchange: Exchange): void {
    exchange.abandon();
    if (exchange.phase === Phase.Streaming) truncate(this.#connection, exchange);
    else reset(this.#connection);
  }

  detached(): void {}

  readChunk(exchange: Exchange): Promise<Uint8Array | null> {
    exchange.retain();
    const { bodyBytesMax } = exchange;
    const bytesMax = bodyBytesMax < 0 ? Number.POSITIVE_INFINITY : bodyBytesMax;
    const chunk = this.#connection.body.readChunk(bytesMax);
    this.#readOn(exchange);
    return chunk;
  }

  readAll(exchange: Exchange, bytesMax: number): Promise<Buffer> {
    // The handler's strings must not change when the receive buffer moves.
    exchange.retain();
    const bytes = this.#connection.body.readAll(bytesMax);
    this.#readOn(exchange);
    return bytes;
  }

  readNow(exchange: Exchange, bytesMax: number, read: BodyReader): unknown {
    const connection = this.#connection;
    const { body, receiveBuffer, advancing } = connection;
    const { memory, start } = receiveBuffer;
    const length = body.arrived(receiveBuffer.end - start, bytesMax);
    if (length < 0) return NOT_ARRIVED;
    exchange.retain();
    exchange.takeBody();
    try {
      return read(memory, start, start + length);
    } finally {
      body.taken();
      receiveBuffer.consume(length);
      if (!advancing) connection.advance();
    }
  }

  /** Reads what was received, and receives the rest. */
  #readOn(exchange: Exchange): void {
    const connection = this.#connection;
    const { body, receiveBuffer } = connection;
    if (body.continuePending && body.wanted && body.readPending && receiveBuffer.empty) {
      body.continueSent();
      if (exchange.phase === Phase.Open) connection.context.writer.continue(connection.sendQueue);
    }
    // Within advance() the loop continues when the handler returns.
    if (!connection.advancing) connection.advance();
    else if (body.wanted && !receiveBuffer.empty) connection.feedBody();
  }

  trailers(): readonly (readonly [string, string])[] {
    return this.#connection.body.trailers();
  }
}
