// A client as its judge sees it.

import type { Wire, World } from '../world/wire.ts';
import type { Flight } from './flight.ts';
import type { ClientPlan } from './plan.ts';
import type { RawResponse, ResponseReader } from './response-reader.ts';

export interface JudgedClient {
  readonly plan: ClientPlan;
  readonly world: World;
  readonly wire: Wire | null;
  readonly reader: ResponseReader;
  readonly flights: readonly Flight[];
  /** Requests that were sent over this connection. */
  readonly onConnection: number;
  /** Responses that arrived over this connection. */
  readonly responseCount: number;
  /** Bytes of the requests that these responses belong to. */
  readonly respondedBytes: number;
  /** The server has announced that this connection ends. */
  readonly closing: boolean;
  readonly halfClosed: boolean;
  /** It read nothing for a while, on this connection. */
  readonly stoppedReading: boolean;
  /** How long the server had been stopped when the last request began. */
  readonly stalledMs: number;
  /** What this client itself did to the connection. */
  ownFault: string | null;
  /** The last response, and its request; null for a response without a request. */
  last: RawResponse | null;
  readonly lastFlight: Flight | null;
  /** True when every byte of the request was sent. */
  isWhole(flight: Flight): boolean;
  /** The connection failed. */
  aborted(): void;
}

/** A slow HEAD request may time out before the server knows its method: that 408 has content. */
export function isContentForHead({ reader, last, lastFlight }: JudgedClient): boolean {
  const isContent = reader.problem !== null && last?.status === 408;
  return isContent && lastFlight?.planned.method === 'HEAD';
}
