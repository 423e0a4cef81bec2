// What listeners learn of a request that is refused: it is read while its bytes are still there.

import { CR, LF } from '../base/ascii.ts';
import { REFUSED_LINE_BYTES_MAX } from '../base/fixed-limits.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Refused } from '../exchange/refused.ts';
import { faultName } from '../http/fault.ts';
import { hasRequestLine } from '../http/parse-head.ts';
import { latin1 } from '../http/text.ts';
import type { ConnectionParts } from './parts.ts';

/** Calls the listeners when the response of `exchange`, which follows, was sent. */
export function noteRefused(connection: ConnectionParts, exchange: Exchange, fault: number): void {
  const { context, reactor, receiveBuffer } = connection;
  const { refusedListeners } = context;
  if (refusedListeners.length === 0) return;
  // A head that is not complete was not begun.
  if (exchange.headBytes === 0) {
    exchange.begin(receiveBuffer.memory, receiveBuffer.start, 0, reactor.nowMs);
  }
  const { services } = exchange;
  const refused = refusedBy(connection, exchange, fault);
  exchange.afterSend = refusedListeners.map(
    (listener) => (summary) => listener(refused, summary, services),
  );
}

function refusedBy(connection: ConnectionParts, exchange: Exchange, fault: number): Refused {
  const { base, bytes, head } = exchange;
  const known = { fault: faultName(fault), address: connection.peer().address };
  if (!hasRequestLine(head)) {
    const target = firstLine(bytes, base + head.methodStart, connection.receiveBuffer.end);
    return { ...known, method: '', target, version: '' };
  }
  return {
    ...known,
    method: exchange.methodName(),
    target: latin1(bytes, base + head.targetStart, base + head.targetEnd),
    version: `1.${head.minor}`,
  };
}

/** What was received of a line, up to a limit; one character for each byte. */
function firstLine(bytes: Uint8Array, from: number, to: number): string {
  const stop = Math.min(to, from + REFUSED_LINE_BYTES_MAX);
  let end = from;
  while (end < stop && bytes[end] !== CR && bytes[end] !== LF) end += 1;
  return latin1(bytes, from, end);
}
