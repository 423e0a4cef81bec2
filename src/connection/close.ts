// How a connection ends. In order: the last answer is sent, our side is shut, and what still
// arrives is thrown away until the client closes too (RFC 9112 9.6) or the time for that is over;
// without it the kernel would reset a client that is still sending, and the answer could be lost.
// At once: when the socket broke, a client stopped reading, or an answer cannot be finished.

import { assert } from '../base/assert.ts';
import { RETRY_AFTER_SECONDS } from '../base/fixed-limits.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { clientGone } from '../exchange/gone.ts';
import { HttpError } from '../exchange/http-error.ts';
import { Phase } from '../exchange/phase.ts';
import { faultStatus, faultText } from '../http/fault.ts';
import { reasonPhrase } from '../http/status.ts';
import type { Connection } from './connection.ts';
import { deliverLooks, Timeout } from './context.ts';
import { DETACHED } from './detached.ts';
import { Reading } from './reading.ts';

/** Answers what is no request, after those before it, and ends. */
export function refuse(connection: Connection, fault: number): void {
  const { context } = connection;
  const status = faultStatus(fault);
  context.counters.faults += 1;
  connection.debug(`${faultText(fault)}: ${status}`);
  respondWithoutRequest(connection, status, `${reasonPhrase(status)}\n`);
}

/**
 * For a client there is no room for: answers whatever it may want, and ends. What it wants may be a
 * HEAD, and is never read: an answer without content fits every request.
 */
export function turnAway(connection: Connection): void {
  connection.context.counters.turnedAway += 1;
  connection.debug('no connection is free: 503');
  respondWithoutRequest(connection, 503, null);
}

/** The answer to what is no request. */
function respondWithoutRequest(
  connection: Connection,
  status: number,
  content: string | null,
): void {
  const { context } = connection;
  connection.exchange ??= context.exchanges.acquire(connection.transport);
  const { exchange } = connection;
  // Nothing that was read of the request may shape the answer to it, but for its method: the answer
  // to a HEAD has no content (RFC 9110 9.3.2).
  exchange.framing.reset();
  exchange.fields.reset();
  exchange.head.minor = 1;
  exchange.close = true;
  exchange.status = status;
  if (content !== null) {
    exchange.fields.set('Content-Type', 'content-type', 'text/plain; charset=utf-8');
  }
  if (status === 503)
    exchange.fields.set('Retry-After', 'retry-after', String(RETRY_AFTER_SECONDS));
  const wallMs = context.services.wallMs();
  context.writer.whole(connection.sendQueue, exchange, content, wallMs);
  exchange.phase = Phase.Ended;
  exchange.handled = true;
  stop(connection);
}

/** Nothing came behind an empty line: no request was begun, and none is to be answered. */
export function endUnasked(connection: Connection, exchange: Exchange): void {
  connection.exchange = null;
  connection.context.exchanges.release(exchange);
  stop(connection);
}

/** Reads no further request: sends what is queued, then ends in order. */
export function stop(connection: Connection): void {
  if (connection.reading === Reading.Stopped) return;
  connection.reading = Reading.Stopped;
  const { exchange, receiveBuffer } = connection;
  if (exchange !== null) {
    assert(exchange.phase === Phase.Ended, 'only an answered request is left behind');
    connection.detach(exchange);
  }
  receiveBuffer.consume(receiveBuffer.end - receiveBuffer.start);
  const { body } = connection;
  if (!body.isOver) body.cut(new HttpError(400, 'the connection ends'));
  if (!connection.advancing) connection.settle();
}

/** Takes the next step of an end in order. */
export function continueEnding(connection: Connection): void {
  const { slot, reactor, sendQueue } = connection;
  connection.receiveBuffer.clear();
  if (sendQueue.waiting > 0) {
    reactor.disarm(slot);
  } else if (connection.ended) {
    reactor.close(slot);
    return;
  } else if (!connection.lingering) {
    connection.lingering = true;
    reactor.shutdownSend(slot);
    reactor.arm(slot, Timeout.Deliver);
  }
  if (!connection.ended && !reactor.receiving(slot)) reactor.receive(slot);
}

/**
 * While our side is shut: the time for the client to close begins when all that was sent has
 * arrived. Before that closing could reset it, and what is on its way would be lost.
 */
export function deliver(connection: Connection): void {
  const { context, reactor, slot } = connection;
  const looks = reactor.stalledChecks(slot);
  if (looks < 0) {
    reactor.arm(slot, Timeout.Linger);
  } else if (looks < deliverLooks(context.limits)) {
    reactor.arm(slot, Timeout.Deliver);
  } else {
    context.counters.timeouts += 1;
    connection.debug('the client takes no more of its last response');
    lose(connection);
  }
}

/**
 * For a closing server. A request under way gets its answer, with `Connection: close` unless its
 * head is out. Without one, the client may be sending a request just now: it has drainLingerMs for
 * that, then our side is shut, and what comes after that cannot be answered any more.
 */
export function drain(connection: Connection): void {
  const { exchange, reactor, slot } = connection;
  if (exchange === null && connection.reading === Reading.Head) {
    reactor.extend(slot, Timeout.Drain);
  }
}

/** For a closing server whose time is over: a client sees a reset if something is missing. */
export function cutOff(connection: Connection): void {
  const { exchange, receiveBuffer, sendQueue, reactor, slot } = connection;
  if (exchange === null && sendQueue.waiting === 0 && receiveBuffer.empty) reactor.close(slot);
  else lose(connection);
}

/**
 * Makes room for another client, if nothing is going on here. In order, as any end: the last answer
 * may still be on its way to a slow client.
 */
export function yieldSlot(connection: Connection): boolean {
  const { context, exchange, receiveBuffer, sendQueue, reading } = connection;
  const isIdle = exchange === null && reading === Reading.Head && !connection.ended;
  if (!isIdle || sendQueue.waiting > 0 || !receiveBuffer.empty) return false;
  // Its request may have come, and wait for a block.
  if (connection.reactor.slab.freeCount === 0) return false;
  context.counters.evicted += 1;
  connection.debug('idle, and makes room for another client');
  stop(connection);
  return true;
}

/**
 * Gives up an answer under way. What was written still goes out; then the connection ends before
 * the content does, which the client sees by its framing. Content that only the end of the
 * connection ends has none, so there the client gets a reset.
 */
export function cutShort(connection: Connection, exchange: Exchange): void {
  if (!exchange.chunked && exchange.owedBytes < 0) {
    lose(connection);
    return;
  }
  connection.exchange = null;
  connection.context.counters.resets += 1;
  goneFor(connection, exchange);
  const { deliveries, sendQueue } = connection;
  deliveries.add(exchange, sendQueue.queuedTotal, false);
  deliveries.tellSent(sendQueue.sentTotal);
  stop(connection);
}

/** Ends at once: whoever works for the client is told, and the client sees a reset. */
export function lose(connection: Connection): void {
  if (connection.lost) return;
  forget(connection);
  connection.reactor.reset(connection.slot);
}

/** Lets go of the request under way, without touching the socket. */
export function forget(connection: Connection): void {
  if (connection.lost) return;
  connection.lost = true;
  connection.reading = Reading.Stopped;
  const { exchange, context } = connection;
  connection.exchange = null;
  if (exchange !== null && exchange.headBytes > 0) {
    if (exchange.phase !== Phase.Ended) context.counters.resets += 1;
    goneFor(connection, exchange);
    connection.deliveries.add(exchange, connection.sendQueue.queuedTotal, false);
  }
  connection.deliveries.tellLost(connection.sendQueue.sentTotal);
  // Errors with their stacks cost more than all the rest of an end.
  if (!connection.body.isOver) connection.body.cut(clientGone());
  // What is being sent is still read from memory that writers use again once they go on; those who
  // wait then are told when the socket has closed.
  if (!connection.reactor.sending(connection.slot)) connection.sendQueue.giveUp();
}

function goneFor(connection: Connection, exchange: Exchange): void {
  exchange.retain();
  exchange.gone = true;
  exchange.detached = true;
  exchange.transport = DETACHED;
  exchange.peer = connection.knownPeer;
  exchange.leave(clientGone());
}
