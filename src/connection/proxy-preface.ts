// The PROXY header before the first request of a connection, when the listener requires one. A
// connection without a valid header, or of a peer that is not trusted, closes without a response:
// its bytes are no request, or its client may be invented.

import { isTrusted } from '../base/ip-range.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { ProxyHeader, ProxyHeaderParser } from '../http/proxy-header.ts';
import { closeUnrequested } from './close.ts';
import { noteClose } from './close-reason.ts';
import type { ConnectionParts } from './parts.ts';
import type { ProxyPolicy } from './proxy-policy.ts';

export const Preface = {
  /** The header was read; the request follows. */
  Read: 0,
  /** More bytes are needed. */
  More: 1,
  /** The connection closes. */
  Failed: 2,
} as const;
export type Preface = (typeof Preface)[keyof typeof Preface];

const parser = new ProxyHeaderParser();

/** Reads the header; the client that it names becomes the peer of the connection. */
export function readPreface(
  connection: ConnectionParts,
  exchange: Exchange,
  policy: ProxyPolicy,
): Preface {
  const { context, receiveBuffer, state } = connection;
  const peer = connection.peer();
  if (!isTrusted(policy.trusted, peer.address, context.services.unixSocket)) {
    policy.untrusted(peer.address);
    return fail(connection, exchange, 'the peer is not in proxy_protocol_from');
  }
  const { memory, start, end } = receiveBuffer;
  const length = parser.parse(memory, start, end);
  if (length === ProxyHeader.Malformed) return fail(connection, exchange, 'no valid PROXY header');
  if (length === ProxyHeader.More) {
    if (!state.receiveEnded) return Preface.More;
    return fail(connection, exchange, 'the PROXY header is incomplete');
  }
  receiveBuffer.consume(length);
  if (parser.client !== null) connection.proxied(parser.client);
  return Preface.Read;
}

function fail(connection: ConnectionParts, exchange: Exchange, why: string): Preface {
  connection.context.counters.faults += 1;
  connection.context.meter?.add('faults', 'proxy_header');
  noteClose(connection, 'fault');
  connection.debug(`${why}: closed`);
  closeUnrequested(connection, exchange);
  return Preface.Failed;
}
