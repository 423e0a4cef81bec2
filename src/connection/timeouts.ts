// What follows when a deadline of a connection passes.

import { assert } from '../base/assert.ts';
import { Fault } from '../http/fault.ts';
import { isBlank } from '../http/parse-head.ts';
import { deliver, endUnasked, lose, refuse, stop } from './close.ts';
import type { Connection } from './connection.ts';
import { Timeout } from './context.ts';

export function overdue(connection: Connection, kind: number): void {
  const { context, reactor, slot } = connection;
  if ((kind === Timeout.Idle || kind === Timeout.Drain) && isOurTurn(connection)) {
    reactor.extend(slot, kind);
    return;
  }
  if (kind !== Timeout.Drain && kind !== Timeout.Deliver) context.counters.timeouts += 1;
  switch (kind) {
    case Timeout.Idle:
    case Timeout.Drain:
      stop(connection);
      break;
    case Timeout.Head:
      headDue(connection);
      break;
    case Timeout.Body:
      bodyDue(connection);
      break;
    case Timeout.Handler:
      handlerDue(connection);
      break;
    case Timeout.Linger:
      reactor.close(slot);
      break;
    case Timeout.Deliver:
      deliver(connection);
      break;
    default:
      assert(kind === Timeout.Write, 'every kind of deadline has its consequence');
      connection.debug('the client takes no more of its answer');
      lose(connection);
  }
}

/**
 * As long as the client takes its answer, the deadline of sends is the one that counts. And without
 * a free block nobody knows whether the client has sent something.
 */
function isOurTurn({ sendQueue, reactor }: Connection): boolean {
  return sendQueue.waiting > 0 || reactor.slab.freeCount === 0;
}

function headDue(connection: Connection): void {
  const { exchange } = connection;
  assert(exchange !== null, 'a head that is awaited belongs to a request');
  if (isBlank(exchange.head)) endUnasked(connection, exchange);
  else refuse(connection, Fault.HeadTimeout);
}

function bodyDue(connection: Connection): void {
  const { exchange } = connection;
  assert(exchange !== null, 'a body that is awaited belongs to a request');
  exchange.close = true;
  connection.bodyFault(exchange, Fault.BodyTimeout);
  connection.advance();
}

function handlerDue(connection: Connection): void {
  assert(connection.exchange !== null, 'a handler answers a request');
  connection.exchange.close = true;
  connection.context.handlerTimedOut(connection.exchange);
}
