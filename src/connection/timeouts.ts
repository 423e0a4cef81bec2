// The deadlines of a connection: which one is set, and what happens when it passes.

import { assert } from '../base/assert.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Phase } from '../exchange/state.ts';
import { Fault } from '../http/fault.ts';
import { isBlank } from '../http/parse-head.ts';
import { awaitDelivery, close, closeUnrequested, reject, reset } from './close.ts';
import { noteClose } from './close-reason.ts';
import { Timeout, timeoutName } from './context.ts';
import type { ConnectionParts } from './parts.ts';
import { Reading } from './state.ts';

/** Sets the deadline for what the connection waits for. */
export function setDeadline(connection: ConnectionParts, exchange: Exchange | null): void {
  const { slot, reactor, body } = connection;
  const armed = reactor.armed(slot);
  if (exchange === null) {
    reactor.extend(slot, connection.context.idleTimeout);
  } else if (connection.state.reading === Reading.Head) {
    // From the first byte to the last: a slow sender gets no more time for each byte.
    const { headTimeout } = connection.context;
    if (armed !== headTimeout) reactor.arm(slot, headTimeout);
  } else if (body.wanted || (exchange.phase === Phase.Ended && !body.ended)) {
    // Only received bytes give the client more time, not what the handler sends meanwhile.
    if (armed === Timeout.Body && body.waits) return;
    reactor.arm(slot, Timeout.Body);
    body.beginWait(reactor.nowMs);
  } else if (exchange.phase === Phase.Open) {
    if (armed !== Timeout.Handler) reactor.arm(slot, Timeout.Handler);
  } else {
    reactor.disarm(slot);
  }
}

/** A deadline has passed; `kind` is the Timeout that set it. */
export function deadlinePassed(connection: ConnectionParts, kind: Timeout): void {
  const { context, reactor, slot } = connection;
  const isIdle = kind === Timeout.Idle || kind === Timeout.Drain || kind === Timeout.First;
  if (isIdle && mustKeepWaiting(connection)) {
    reactor.extend(slot, kind);
    return;
  }
  if (kind !== Timeout.Drain && kind !== Timeout.Deliver) {
    context.counters.timeouts += 1;
    context.meter?.add('timeouts', timeoutName(kind));
  }
  switch (kind) {
    case Timeout.Idle:
    case Timeout.First:
      noteClose(connection, 'timeout');
      close(connection);
      break;
    case Timeout.Drain:
      close(connection);
      break;
    case Timeout.Head:
    case Timeout.DrainHead:
      headTimedOut(connection);
      break;
    case Timeout.Body:
      bodyTimedOut(connection);
      break;
    case Timeout.Handler:
      handlerTimedOut(connection);
      break;
    case Timeout.Linger:
      reactor.close(slot);
      break;
    case Timeout.Deliver:
      awaitDelivery(connection);
      break;
    case Timeout.Write:
      connection.debug('write_timeout_ms passed: the client acknowledges no more of its response');
      noteClose(connection, 'timeout');
      reset(connection);
      break;
    default:
      kind satisfies never;
      assert(false, 'every kind of deadline is handled');
  }
}

/**
 * An idle client is excused while it takes its response, which has a deadline of its own, and while
 * no block is free: its request may have arrived, and wait for one.
 */
function mustKeepWaiting({ sendQueue, reactor }: ConnectionParts): boolean {
  return sendQueue.waiting > 0 || reactor.slab.freeCount === 0;
}

function headTimedOut(connection: ConnectionParts): void {
  const { exchange } = connection;
  assert(exchange !== null, 'a head that is awaited belongs to a request');
  noteClose(connection, 'timeout');
  if (connection.awaitsPreface || isBlank(exchange.head)) closeUnrequested(connection, exchange);
  else reject(connection, Fault.HeadTimeout);
}

function bodyTimedOut(connection: ConnectionParts): void {
  const { exchange } = connection;
  assert(exchange !== null, 'a body that is awaited belongs to a request');
  exchange.disableKeepAlive();
  connection.bodyFailed(exchange, Fault.BodyTimeout);
  connection.advance();
}

function handlerTimedOut(connection: ConnectionParts): void {
  assert(connection.exchange !== null, 'a handler responds to a request');
  connection.exchange.disableKeepAlive();
  connection.context.handlerTimedOut(connection.exchange);
}
