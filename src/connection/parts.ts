// What the files of a connection share: its parts, and the steps that continue it. connection.ts
// implements it; close.ts, timeouts.ts and transport.ts use it.

import type { Peer } from '../driver/driver.ts';
import type { Exchange, Transport } from '../exchange/exchange.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { CloseReason } from './close-reason.ts';
import type { ConnectionContext } from './context.ts';
import type { Deliveries } from './delivery.ts';
import type { ReceiveBuffer } from './receive-buffer.ts';
import type { RequestBody } from './request-body.ts';
import type { SendQueue } from './send-queue.ts';
import type { ConnectionState } from './state.ts';

export interface ConnectionParts {
  readonly context: ConnectionContext;
  readonly reactor: Reactor;
  readonly slot: number;
  readonly state: ConnectionState;
  readonly receiveBuffer: ReceiveBuffer;
  readonly sendQueue: SendQueue;
  readonly body: RequestBody;
  readonly deliveries: Deliveries;
  /** What the exchanges of this connection call. */
  readonly transport: Transport;
  /** The request being read or responded to; null between two. */
  exchange: Exchange | null;
  /** Why it ends; '' as long as it does not. The first reason stays. */
  closeReason: CloseReason | '';
  /** True within advance(), which sends and sets deadlines when it returns. */
  readonly advancing: boolean;
  /** A PROXY header is required, and was not read yet. */
  readonly awaitsPreface: boolean;
  /** The client's address, if it was read before; else null. */
  readonly knownPeer: Peer | null;

  peer(): Peer;
  /** A trusted proxy has named the client: from now on it is the peer. */
  proxied(client: Peer): void;
  /** Reads and responds as far as what was received allows. A re-entrant call does nothing. */
  advance(): void;
  /** Sends, receives, and sets the deadline for what is awaited. */
  settle(): void;
  /** Passes received bytes to the reader of the body. */
  feedBody(): void;
  /** The rest of the body is invalid or late. Returns true when advance() must continue. */
  bodyFailed(exchange: Exchange, fault: number): boolean;
  /** Leaves the exchange to its handler, or returns it to the pool. */
  detach(exchange: Exchange): void;
  /** While the server closes: true when the response must say that the connection closes. */
  mustClose(): boolean;
  debug(message: string): void;
}
