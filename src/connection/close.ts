// How a connection ends. Each operation, and what happens to what is queued:
//
//   reject      what was received is not a valid request: sends an error response, then closes
//   close       reads no further request; sends what is queued, shuts our side, and discards what
//               arrives until the client closes too (RFC 9112 9.6) or the time for that has passed.
//               Without this the kernel would reset a client that still sends, and it could lose
//               the response.
//   drain       the server closes: idle connections and incomplete heads get a short timeout,
//               requests their responses
//   evict       closes an idle connection to free its slot
//   turnAway    no connection is free: responds with 503, then closes
//   closeUnrequested  only an empty line was received: closes without a response
//   truncate    gives up a response: what is queued is sent, then close; the client sees by the
//               framing that the content is incomplete. Without such framing: reset
//   reset       at once: what is queued is dropped, and the client sees a reset
//   markBroken  ends the request and marks the connection broken; does not touch the socket
//   closeFirmly the server's time is over: closes connections without a request, queued or
//               received bytes; resets the others

import { assert } from '../base/assert.ts';
import { RETRY_AFTER_SECONDS } from '../base/fixed-limits.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { clientGone } from '../exchange/gone.ts';
import { HttpError } from '../exchange/http-error.ts';
import { Phase } from '../exchange/state.ts';
import { endTrace, takeTrace } from '../exchange/tracing.ts';
import { faultName, faultStatus, faultText } from '../http/fault.ts';
import { reasonPhrase } from '../http/status.ts';
import { noteClose } from './close-reason.ts';
import { Draining, deliveryChecks, Timeout } from './context.ts';
import { DETACHED } from './detached.ts';
import type { ConnectionParts } from './parts.ts';
import { noteRefused } from './refused.ts';
import { Reading } from './state.ts';

/** Sends an error response to an invalid request, after the responses before it, and closes. */
export function reject(connection: ConnectionParts, fault: number): void {
  const { context } = connection;
  const status = faultStatus(fault);
  context.counters.faults += 1;
  context.meter?.add('faults', faultName(fault));
  noteClose(connection, 'fault');
  connection.debug(`${faultText(fault)}: ${status}`);
  connection.exchange ??= context.exchanges.acquire(connection.transport);
  noteRefused(connection, connection.exchange, fault);
  respondWithoutRequest(connection, status, `${reasonPhrase(status)}\n`);
}

/**
 * Turns away a client for which no connection is free. Its request is not read and may be a HEAD: a
 * response without content fits every request.
 */
export function turnAway(connection: ConnectionParts): void {
  connection.context.counters.turnedAway += 1;
  noteClose(connection, 'overload');
  connection.debug('no connection is free: 503');
  respondWithoutRequest(connection, 503, null);
}

function respondWithoutRequest(
  connection: ConnectionParts,
  status: number,
  content: string | null,
): void {
  const { context } = connection;
  connection.exchange ??= context.exchanges.acquire(connection.transport);
  const { exchange } = connection;
  // Nothing that was read of the request affects the response, except its method: the response to a
  // HEAD has no content (RFC 9110 9.3.2).
  exchange.framing.reset();
  exchange.fields.reset();
  exchange.head.minor = 1;
  exchange.disableKeepAlive();
  exchange.status = status;
  if (content !== null) {
    exchange.fields.set('Content-Type', 'content-type', 'text/plain; charset=utf-8');
  }
  if (status === 503)
    exchange.fields.set('Retry-After', 'retry-after', String(RETRY_AFTER_SECONDS));
  const wallMs = context.services.wallMs();
  context.writer.full(connection.sendQueue, exchange, content, wallMs);
  exchange.endResponse();
  exchange.settle();
  connection.deliveries.add(exchange, connection.sendQueue.queuedTotal, true);
  close(connection);
}

/** The client ended its stream between two requests. */
export function clientEnded(connection: ConnectionParts): void {
  noteClose(connection, 'client');
  close(connection);
}

/** The client, or the network, broke the connection. */
export function clientLost(connection: ConnectionParts): void {
  noteClose(connection, 'client_reset');
  reset(connection);
}

/** Closes without a response: only an empty line was received, so no request was begun. */
export function closeUnrequested(connection: ConnectionParts, exchange: Exchange): void {
  noteClose(connection, 'client');
  connection.exchange = null;
  connection.context.exchanges.release(exchange);
  close(connection);
}

/** Reads no further request: sends what is queued, then closes gracefully. */
export function close(connection: ConnectionParts): void {
  const { exchange, receiveBuffer, state } = connection;
  if (state.isClosing) return;
  noteClose(connection, connection.context.draining === Draining.No ? 'response' : 'drain');
  state.close();
  if (exchange !== null) {
    assert(
      exchange.phase === Phase.Ended,
      'close() detaches an exchange only after its response has ended',
    );
    connection.detach(exchange);
  }
  receiveBuffer.consume(receiveBuffer.end - receiveBuffer.start);
  const { body } = connection;
  if (!body.isOver)
    body.truncate(new HttpError(400, 'the connection was closed before the body ended'));
  if (!connection.advancing) connection.settle();
}

/** Takes the next step of a graceful close. */
export function continueClose(connection: ConnectionParts): void {
  const { slot, reactor, sendQueue, state } = connection;
  connection.receiveBuffer.clear();
  if (sendQueue.waiting > 0) {
    reactor.disarm(slot);
  } else if (state.receiveEnded) {
    reactor.close(slot);
    return;
  } else if (!state.isShut) {
    state.shutSend();
    reactor.shutdownSend(slot);
    reactor.arm(slot, Timeout.Deliver);
  }
  if (!state.receiveEnded && !reactor.receiving(slot)) reactor.receive(slot);
}

/**
 * While our side is shut: the time for the client to close begins when all that was sent has
 * arrived. A close before that could reset the connection, and lose what is on its way.
 */
export function awaitDelivery(connection: ConnectionParts): void {
  const { context, reactor, slot } = connection;
  const checks = reactor.stalledChecks(slot);
  if (checks < 0) {
    reactor.arm(slot, Timeout.Linger);
  } else if (checks < deliveryChecks(context.limits)) {
    reactor.arm(slot, Timeout.Deliver);
  } else {
    context.counters.timeouts += 1;
    context.meter?.add('timeouts', 'write');
    connection.debug(
      'write_timeout_ms passed: the client acknowledges no more of its last response',
    );
    reset(connection);
  }
}

/**
 * For a closing server. A request that is being handled gets its response, with `Connection: close`
 * unless its head was sent. An idle client may be sending a request just now: it has drainLingerMs
 * for that, then our side is shut, and later requests get no response. A head that has begun has
 * DRAIN_HEAD_MS for the rest of it, then it is 408.
 */
export function drain(connection: ConnectionParts): void {
  const { exchange, reactor, slot, state } = connection;
  if (state.reading !== Reading.Head) return;
  if (exchange === null) reactor.extend(slot, Timeout.Drain);
  else reactor.arm(slot, Timeout.DrainHead);
}

/**
 * For a closing server whose time is over: a client sees a reset if something is missing. Returns
 * whether it does.
 */
export function closeFirmly(connection: ConnectionParts): boolean {
  const { exchange, receiveBuffer, sendQueue, reactor, slot } = connection;
  noteClose(connection, 'drain');
  const isIdle = exchange === null && sendQueue.waiting === 0 && receiveBuffer.empty;
  if (isIdle) reactor.close(slot);
  else reset(connection);
  return !isIdle;
}

/**
 * Closes an idle connection to free its slot; false when it is not idle. Gracefully: the
 * last response may still be on its way to a slow client.
 */
export function evict(connection: ConnectionParts): boolean {
  const { context, exchange, receiveBuffer, sendQueue, state } = connection;
  const isIdle = exchange === null && state.reading === Reading.Head && !state.receiveEnded;
  if (!isIdle || sendQueue.waiting > 0 || !receiveBuffer.empty) return false;
  // Its request may have arrived, and wait for a block.
  if (connection.reactor.slab.freeCount === 0) return false;
  context.counters.evicted += 1;
  noteClose(connection, 'evicted');
  connection.debug('idle: closed to free its slot for another client');
  close(connection);
  return true;
}

/**
 * Gives up a response that has begun. What was written is sent; then the connection ends before the
 * content does, which the client sees by its framing. Content that only the end of the connection
 * delimits has no such framing, so there the client gets a reset.
 */
export function truncate(connection: ConnectionParts, exchange: Exchange): void {
  if (!exchange.chunked && exchange.owedBytes < 0) {
    reset(connection);
    return;
  }
  noteClose(connection, 'aborted');
  connection.exchange = null;
  connection.context.counters.resets += 1;
  connection.context.meter?.aborted();
  abortExchange(connection, exchange);
  const { deliveries, sendQueue } = connection;
  deliveries.add(exchange, sendQueue.queuedTotal, false);
  deliveries.notifySent(sendQueue.sentTotal);
  close(connection);
}

/** Ends at once: the handler is notified, and the client sees a reset. */
export function reset(connection: ConnectionParts): void {
  if (connection.state.isBroken) return;
  noteClose(connection, 'aborted');
  markBroken(connection);
  connection.reactor.reset(connection.slot);
}

/** Ends the current request and marks the connection broken, without touching the socket. */
export function markBroken(connection: ConnectionParts): void {
  const { state } = connection;
  if (state.isBroken) return;
  state.break();
  const { exchange, context } = connection;
  connection.exchange = null;
  if (exchange !== null && exchange.headBytes > 0) {
    if (exchange.phase !== Phase.Ended) {
      context.counters.resets += 1;
      context.meter?.aborted();
    }
    abortExchange(connection, exchange);
    connection.deliveries.add(exchange, connection.sendQueue.queuedTotal, false);
  }
  connection.deliveries.notifyLost(connection.sendQueue.sentTotal);
  // Making an error with its stack costs more than the rest of a close.
  if (!connection.body.isOver) connection.body.truncate(clientGone());
  // The kernel still reads what is being sent, from memory that writers use again once they
  // continue: then they are notified when the socket has closed.
  if (!connection.reactor.sending(connection.slot)) connection.sendQueue.resolveWaiters();
}

function abortExchange(connection: ConnectionParts, exchange: Exchange): void {
  const trace = takeTrace(exchange);
  if (trace !== null) {
    const { contentBytes, services } = exchange;
    endTrace(trace, services.nowMs(), connection.body.receivedBytes, contentBytes, false);
  }
  exchange.retain();
  exchange.detach(DETACHED, connection.knownPeer);
  exchange.abort(clientGone());
}
